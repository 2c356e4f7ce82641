#include "connector/postgres/batch_table.h"

#include <algorithm>
#include <charconv>

#include "connector/postgres/dialect.h"
#include "connector/postgres/natives.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

/// Sent to the server at a time: large enough for few calls, small beside a batch.
constexpr std::size_t chunk_bytes = 256 << 10;

std::string in_temp(const std::string& name) {
  return "pg_temp." + dialect().quote(name);
}

std::string where_span(const std::optional<RowSpan>& span) {
  if (!span) return {};
  return " WHERE " + std::string(row_column()) + " >= " + std::to_string(span->first) + " AND " +
         std::string(row_column()) + " < " + std::to_string(span->last);
}

std::string typed(const EncodedColumn& column, const std::string& quoted) {
  const std::string value = from_text(column.native, quoted);
  return column.domain.empty() ? value : "(" + value + ")::" + column.domain;
}

std::size_t row_of(const std::optional<std::string>& text) {
  std::size_t row = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), row);
  return row;
}

}  // namespace

bool BatchTable::has_texts() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const EncodedColumn& column) { return !column.native.empty(); });
}

std::string_view row_column() {
  return "tidemark_row";
}

std::vector<std::string> names_of(const std::vector<EncodedColumn>& columns) {
  std::vector<std::string> names;
  for (const EncodedColumn& column : columns)
    names.push_back(column.name);
  return names;
}

BatchTable make_batch_table(Connection& connection, BatchUse use, const TableName& like,
                            const std::vector<EncodedColumn>& columns,
                            const std::vector<std::string>& not_null) {
  BatchTable table{.name = use == BatchUse::rows ? "tidemark_rows" : "tidemark_keys",
                   .columns = columns};
  std::string select;
  for (const EncodedColumn& column : columns) {
    const std::string quoted = dialect().quote(column.name);
    select +=
        (select.empty() ? "" : ", ") + (column.native.empty() ? quoted : "NULL::text AS " + quoted);
  }
  select += ", 0 AS " + std::string(row_column());
  connection.execute("DROP TABLE IF EXISTS " + in_temp(table.name));
  connection.execute_for("CREATE TEMPORARY TABLE " + dialect().quote(table.name) +
                             " ON COMMIT DELETE ROWS AS SELECT " + select + " FROM " +
                             dialect().table(like) + " WITH NO DATA",
                         like.display());
  std::string changes;
  for (const std::string& column : not_null)
    changes += (changes.empty() ? " ALTER COLUMN " : ", ALTER COLUMN ") + dialect().quote(column) +
               " SET NOT NULL";
  if (!changes.empty()) connection.execute("ALTER TABLE " + in_temp(table.name) + changes);
  return table;
}

void fill(Connection& connection, BatchTable& table, const Batch& batch, const std::string& shown) {
  if (std::exchange(table.filled, true)) connection.execute("TRUNCATE " + in_temp(table.name));
  copy_batch(connection, batch, table.columns, true, in_temp(table.name), table.name, shown);
  table.rows = batch.rows();
}

std::uint64_t copy_batch(Connection& connection, const Batch& batch,
                         const std::vector<EncodedColumn>& columns, bool numbered,
                         const std::string& into, const std::string& relation,
                         const std::string& shown) {
  std::vector<std::string> names = names_of(columns);
  if (numbered) names.emplace_back(row_column());
  connection.copy_in("COPY " + into + " (" + dialect().list(names) + ") FROM STDIN (FORMAT binary)",
                     relation, shown);
  CopyEncoder encoder(columns, numbered);
  std::string bytes;
  bytes.reserve(chunk_bytes + chunk_bytes / 4);
  CopyEncoder::header(bytes);
  try {
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      encoder.row(batch, row, bytes);
      if (bytes.size() < chunk_bytes) continue;
      connection.put(bytes);
      bytes.clear();
    }
  } catch (const Error& error) {
    if (error.kind() == FailureKind::conversion) connection.fail_copy();
    throw;
  }
  CopyEncoder::trailer(bytes);
  connection.put(bytes);
  return connection.finish_copy();
}

std::string typed_rows(const BatchTable& table, const std::optional<RowSpan>& span) {
  std::string select;
  for (const EncodedColumn& column : table.columns) {
    const std::string quoted = dialect().quote(column.name);
    select += (select.empty() ? "" : ", ") +
              (column.native.empty() ? quoted : typed(column, quoted) + " AS " + quoted);
  }
  select += ", " + std::string(row_column());
  return "SELECT " + select + " FROM " + in_temp(table.name) + where_span(span);
}

void check_texts(Connection& connection, const BatchTable& table, const std::string& shown,
                 const std::optional<RowSpan>& span) {
  std::string compared;
  std::string differs;
  for (const EncodedColumn& column : table.columns) {
    if (column.native.empty() || column.lossy == Lossy::allow) continue;
    const std::string quoted = dialect().quote(column.name);
    const std::string back = to_text(column.native, from_text(column.native, quoted));
    const std::string different = back + " IS DISTINCT FROM " + quoted;
    compared += ", " + different;
    differs += (differs.empty() ? "" : " OR ") + different;
  }
  if (differs.empty()) return;
  const std::string where = where_span(span);
  const sql::Result found = connection.execute_for(
      "SELECT " + std::string(row_column()) + compared + " FROM " + in_temp(table.name) +
          (where.empty() ? " WHERE " : where + " AND ") + "(" + differs + ") ORDER BY 1 LIMIT 1",
      shown);
  if (found.rows.empty()) return;
  const auto& row = found.rows.front();
  std::size_t place = 1;
  for (const EncodedColumn& column : table.columns) {
    if (column.native.empty() || column.lossy == Lossy::allow) continue;
    if (row.at(place++) != "t") continue;
    throw Error({.kind = FailureKind::conversion,
                 .message = "a value does not fit " + column.native +
                            ": the server would write it in another form",
                 .operation = "write",
                 .table = shown,
                 .column = column.name,
                 .hint = "Set the column's `lossy: allow` to let the server write its own form.",
                 .row = row_of(row.front())});
  }
}

}  // namespace tidemark::postgres
