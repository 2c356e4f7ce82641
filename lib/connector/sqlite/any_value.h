#pragma once

#include <string>
#include <string_view>

#include "connector/sqlite/connection.h"

namespace tidemark::sqlite {

// How a value of any storage class travels as text ("sqlite:any" and every declared type whose
// meaning is not settled): as the SQL literal that SQLite's quote() writes, which names its class.
//   12   1.5   9e999   'it''s'   X'00FF'
// Floats have the shortest digits that read back to the same bits, and always a point or an
// exponent. Text that is no UTF-8, or holds a NUL, is CAST(X'…' AS TEXT).

/// The literal of a result's column, which must not be NULL. Any thread that may use the statement.
std::string literal_of(const Statement& statement, int column);

/// Binds what a literal stands for, its class included. False: it is no such literal; nothing is
/// bound then.
bool bind_literal(Statement& statement, int parameter, std::string_view literal);

bool is_literal(std::string_view text);

/// The value's text without its class: what `type: text` on a column delivers. Numbers as in
/// literal_of, text as it is. Must not be NULL or a blob.
std::string plain_text_of(const Statement& statement, int column);

/// Whether a column of numeric affinity would turn the text into a number of its own form.
bool looks_numeric(std::string_view text) noexcept;

}  // namespace tidemark::sqlite
