#pragma once

#include <optional>
#include <string>

#include "connector/mysql/native_type.h"
#include "core/type.h"

namespace tidemark::mysql {

/// Whether a column can be read as a type that is not its own: a temporal one or YEAR as the
/// server's text (plain, or under its own origin), BIT as a number. Any thread.
bool can_read_as(const Column& column, const Type& type);

/// The expression that reads a column of a plan: the server's own text where a temporal column is
/// asked for as text. `character_set`: of the table's column, "" where it is not known.
///
/// A result is sent as UTF-8, and what a character set holds but Unicode does not becomes '?'. So
/// texts in all but a few sets are converted there and back; one that does not come back as it was
/// is sent as a byte that is no UTF-8, which the reader refuses.
std::string read_expression(const Column& column, const std::string& quoted,
                            const std::string& character_set);

/// Whether `read_expression` has something to check for it.
bool may_leave_unicode(const std::string& character_set);

}  // namespace tidemark::mysql
