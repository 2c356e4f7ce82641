#pragma once

#include <functional>
#include <optional>

#include "connector/postgres/load.h"
#include "core/batch.h"
#include "core/error.h"

namespace tidemark::postgres {

/// Finds the row of a batch for which a statement over the whole batch failed, so that the error
/// can name its key. The failed transaction is gone: the batch is sent again in another one, parts
/// of it are written and rolled back, and nothing stays. Returns `error` with row (and column,
/// where a text was not taken), or as it was where no single row can be made out.
Error with_row(Connection& connection, WrittenTable& table, const Batch& batch, const Error& error,
               const std::function<void(const std::optional<RowSpan>&)>& attempt);

/// Whether it is worth while: the error is about a row and does not say which.
bool lacks_row(const Error& error);

}  // namespace tidemark::postgres
