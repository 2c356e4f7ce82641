#pragma once

#include <cstdint>
#include <string>

#include "connector/postgres/connection.h"
#include "core/names.h"

namespace tidemark::postgres {

// target.replace: swap. A new table takes the name of the old one, which is dropped: nothing of it
// is rewritten, and its size does not matter. Whatever else knows the old table would be lost with
// it, so the table must be one that we made and that nothing depends on. A transaction whose
// snapshot is older than the new table's rows finds it empty (decisions: replacement).

/// The statement that marks a table as made by us.
std::string mark_as_made(const TableName& table);
/// Why `table` can't be swapped; empty where it can, or is not there yet.
std::string swap_obstacle(Connection& connection, const TableName& table);

/// A table like `table`, with its defaults and NOT NULLs and without indexes.
void make_swap_staging(Connection& connection, const TableName& table, const TableName& staging);
/// Gives `staging` the primary key of `table`. Throws Error{constraint} for a key that comes twice.
void add_primary_key(Connection& connection, const TableName& table, const TableName& staging);
/// Drops `table` and gives its name to `staging`, within a transaction. Waits for readers of the
/// table. Returns how many rows the old one had. Throws Error{schema} with an obstacle that is new.
std::uint64_t swap_in(Connection& connection, const TableName& table, const TableName& staging);

}  // namespace tidemark::postgres
