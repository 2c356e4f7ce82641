#pragma once

#include <string>

#include "connector/postgres/connection.h"
#include "connector/postgres/load.h"
#include "core/batch.h"
#include "core/error.h"
#include "core/target.h"

namespace tidemark::postgres {

/// What becomes of a row whose key is there already.
enum class Existing { update, leave };

/// Writes the rows of a filled batch table by the key. Needs a transaction.
///
/// Two rows of a batch that swap or rotate values of another unique index meet on the way, because
/// the server checks each row as it comes. Only when that has happened, the rows that change are
/// taken out and put back as they shall be in one statement, with the columns that the job does not
/// write, and the rest is written as usual. A row that meets one outside the batch stays an
/// Error{constraint}. Triggers on DELETE and INSERT fire for rows that are moved.
WriteCounts write_by_key(Connection& connection, const WrittenTable& table, Existing existing,
                         const std::optional<RowSpan>& span = {});

/// Takes the rows of `table` that differ from those of `incoming` (SQL: a SELECT of the written
/// columns) out and puts them back as they shall be. `also`: a condition on the alias `target`.
/// Returns how many. Throws Error{constraint} where that would act on rows of other tables.
std::uint64_t move_rows(Connection& connection, const WrittenTable& table,
                        const std::string& incoming, const std::string& also = {});

/// Whether an error may be two rows meeting in a unique index that is not the key's.
bool rows_met(const Error& error, const WrittenTable& table);

}  // namespace tidemark::postgres
