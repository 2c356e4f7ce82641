#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace tidemark::sqlite {

/// The one table from SQLite's result codes to failure kinds. Extended codes first, then their
/// primary code; unknown ones are internal. `preparing`: the statement was being compiled, where
/// SQLITE_ERROR means that a table, a column or the SQL itself is wrong. Any thread.
FailureKind kind_of(int extended_code, bool preparing) noexcept;

/// "SQLITE_CONSTRAINT_UNIQUE"; "SQLITE_<number>" for a code without a name here.
std::string code_name(int extended_code);

/// Builds the Error for a failed call. `driver_text` goes to the debug log only, but for the
/// column names that constraint messages hold.
Error error_of(int extended_code, bool preparing, std::string_view driver_text);

}  // namespace tidemark::sqlite
