#pragma once

#include <string>
#include <string_view>

#include "core/settings.h"

namespace tidemark {

/// SHA-256, in hex, of what a job means: source table or query, where, key, cursor (its start
/// included), mode, way of writing, target table and scope. Not hosts, logins, connection names,
/// column rules or whitespace. A checkpoint belongs to one definition. Any thread.
std::string definition_hash(const JobSettings& job);

/// SQL with comments dropped and runs of blanks outside of quotes made one: for comparing, not for
/// running.
std::string normalised_sql(std::string_view sql);

/// Lower hex.
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

}  // namespace tidemark
