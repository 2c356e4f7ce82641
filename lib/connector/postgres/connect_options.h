#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/settings.h"

namespace tidemark::postgres {

inline constexpr std::uint16_t default_port = 5432;
/// Where Debian keeps the certificates that verify_ca and verify_full trust without `tls.ca`.
inline constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";

/// libpq's keywords and values, in its own order of precedence.
using ConnectOptions = std::vector<std::pair<std::string, std::string>>;

/// What libpq is given for a connection. Throws Error{schema} for an option that is missing.
ConnectOptions connect_options(const ConnectionSettings& settings);

/// What a session is for: which of its settings are pinned how.
enum class Role { source, target, side };

/// Statements that pin a new session, in order, without init_sql.
std::vector<std::string> session_statements(Role role, Access access);

}  // namespace tidemark::postgres
