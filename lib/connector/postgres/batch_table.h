#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/copy_encoder.h"
#include "core/batch.h"
#include "core/names.h"

namespace tidemark::postgres {

/// Rows [first, last) of a batch.
struct RowSpan {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// A temporary table of the session that holds the rows of one batch until the transaction ends: a
/// column for each written one, and the row's place in the batch. Columns have the types of the
/// target table and none of its constraints but NOT NULL, so that a null is found with
/// its row. Values that travel as text stand in it as text; the server's input functions read them
/// on the way into the target. COPY in text form takes as long (measured with inet, bit and an
/// array, 300,000 rows), would make a text of every other column too, and leaves nothing to compare
/// what was stored with.
struct BatchTable {
  std::string name = {};  ///< "" until it is made
  std::vector<EncodedColumn> columns = {};
  bool filled = false;   ///< in this transaction
  std::size_t rows = 0;  ///< that it holds then

  bool has_texts() const;
};

/// The column that holds a row's place in its batch.
std::string_view row_column();

std::vector<std::string> names_of(const std::vector<EncodedColumn>& columns);

enum class BatchUse { rows, keys };

/// Makes the table with the types of `like`'s columns, in the place of the one that the session had
/// for that use: a session serves thousands of jobs, and each COMMIT empties all of its tables.
BatchTable make_batch_table(Connection& connection, BatchUse use, const TableName& like,
                            const std::vector<EncodedColumn>& columns,
                            const std::vector<std::string>& not_null);

/// Replaces what the table holds by `batch`. Errors name `shown` and the row. Needs a transaction.
void fill(Connection& connection, BatchTable& table, const Batch& batch, const std::string& shown);

/// Sends a batch by binary COPY into `into` (SQL), which the server's messages call `relation`.
std::uint64_t copy_batch(Connection& connection, const Batch& batch,
                         const std::vector<EncodedColumn>& columns, bool numbered,
                         const std::string& into, const std::string& relation,
                         const std::string& shown);

/// SQL: a SELECT of the rows with the target's types, and their places.
std::string typed_rows(const BatchTable& table, const std::optional<RowSpan>& span = {});

/// Makes sure that each text is what the server writes for the value it stands for: it comes back
/// as it was. Throws Error{conversion} with row and column for one that does not; a text that the
/// server does not take at all is its own error, without the row.
void check_texts(Connection& connection, const BatchTable& table, const std::string& shown,
                 const std::optional<RowSpan>& span = {});

}  // namespace tidemark::postgres
