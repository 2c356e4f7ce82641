#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/dialect.h"
#include "core/target.h"

namespace tidemark::postgres {

/// The index over a key that a first load builds last: 1.5 times as fast as one that grows with
/// each row (docs/performance.md). DDL is transactional here, so the key, the end of the mark and
/// the checkpoint that says "loaded" are one commit.

/// What the comment of a table says for as long as its key is put off; the catalogue holds it, so
/// that whoever comes next knows, whatever has happened.
std::string_view late_key_mark();

/// The statements that make the table without its key, and mark it.
std::vector<std::string> make_without_key(const WriteSpec& spec, const PostgresDialect& dialect);

/// Gives the table its key and takes the mark away; nothing where it has both. Of rows that share a
/// key, which only values that a lossy column has cut can, the one that stands last stays. Needs a
/// transaction.
void add_late_key(Connection& connection, const WriteSpec& spec);

}  // namespace tidemark::postgres
