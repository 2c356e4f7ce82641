#include "connector/postgres/row_finder.h"

#include <charconv>

#include "connector/postgres/dialect.h"
#include "connector/postgres/errors.h"
#include "connector/postgres/natives.h"

namespace tidemark::postgres {
namespace {

constexpr std::string_view foreign_key_violation = "23503";

std::string column_list(const std::vector<std::string>& names, const std::string& alias) {
  return dialect().list(names, alias + ".");
}

/// Rows looked for within a transaction of their own, which is always rolled back.
class Finder {
 public:
  using Attempt = std::function<void(const std::optional<RowSpan>&)>;
  Finder(Connection& connection, WrittenTable& table, const Attempt& attempt, const Error& error)
      : connection_(connection), table_(table), attempt_(attempt), error_(error) {}

  std::optional<std::size_t> find(std::size_t rows) {
    if (error_.fields().code == unique_violation)
      if (const auto row = met_row()) return row;
    if (error_.fields().code == foreign_key_violation && refers_to_itself()) return std::nullopt;
    std::size_t first = 0;
    std::size_t last = rows;
    while (last - first > 1) {
      const std::size_t middle = first + (last - first) / 2;
      if (fails({first, middle}))
        last = middle;
      else
        first = middle;
    }
    return fails({first, last}) ? std::optional(first) : std::nullopt;
  }

  /// The column whose text of this row the server does not take.
  std::string column_at(std::size_t row) {
    for (const EncodedColumn& column : table_.batch.columns) {
      if (column.native.empty()) continue;
      const std::string text = from_text(column.native, dialect().quote(column.name));
      if (undone([&] {
            connection_.execute("SELECT " + to_text(column.native, text) + " FROM pg_temp." +
                                dialect().quote(table_.batch.name) + " WHERE " +
                                std::string(row_column()) + " = " + std::to_string(row));
          }))
        return column.name;
    }
    return {};
  }

 private:
  /// True when `work` fails; whatever it did is undone.
  template <class Work>
  bool undone(const Work& work) {
    connection_.execute("SAVEPOINT tidemark_look");
    bool failed = false;
    try {
      work();
    } catch (const Error& error) {
      if (!connection_.usable()) throw;
      failed = true;
    }
    connection_.execute("ROLLBACK TO SAVEPOINT tidemark_look");
    return failed;
  }

  bool fails(const RowSpan& span) {
    return undone([&] { attempt_(span); });
  }

  /// A row of the batch that meets a row of the target, or a later row of the batch, in one of the
  /// unique indexes beside the key's.
  std::optional<std::size_t> met_row() {
    const std::string rows = "(" + typed_rows(table_.batch) + ")";
    const std::string row(row_column());
    for (const std::vector<std::string>& index : table_.other_unique) {
      std::string same;
      for (const std::string& name : index)
        same += (same.empty() ? "" : " AND ") + ("a." + dialect().quote(name)) + " = b." +
                dialect().quote(name);
      const std::string key = "(" + column_list(table_.spec.key, "a") + ")";
      const std::string other = "(" + column_list(table_.spec.key, "b") + ")";
      const sql::Result found = connection_.execute(
          "SELECT min(a." + row + ") FROM " + rows + " AS a WHERE EXISTS (SELECT 1 FROM " +
          dialect().table(table_.spec.table) + " AS b WHERE " + same + " AND " + key + " <> " +
          other + " AND NOT EXISTS (SELECT 1 FROM " + rows + " AS a WHERE " + key + " = " + other +
          ")) OR EXISTS (SELECT 1 FROM " + rows + " AS b WHERE " + same + " AND " + key + " <> " +
          other + " AND b." + row + " < a." + row + ")");
      const auto text = found.scalar();
      std::size_t place = 0;
      if (text &&
          std::from_chars(text->data(), text->data() + text->size(), place).ec == std::errc{})
        return place;
    }
    return std::nullopt;
  }

  bool refers_to_itself() {
    return !connection_
                .execute(
                    "SELECT 1 FROM pg_constraint WHERE contype = 'f' AND confrelid = conrelid "
                    "AND conrelid = to_regclass(" +
                    PostgresDialect::quote_text(dialect().table(table_.spec.table)) + ")")
                .rows.empty();
  }

  Connection& connection_;
  WrittenTable& table_;
  const Attempt& attempt_;
  const Error& error_;
};

}  // namespace

bool lacks_row(const Error& error) {
  return (error.kind() == FailureKind::conversion || error.kind() == FailureKind::constraint) &&
         !error.fields().row && !error.in_doubt();
}

Error with_row(Connection& connection, WrittenTable& table, const Batch& batch, const Error& error,
               const std::function<void(const std::optional<RowSpan>&)>& attempt) {
  if (!connection.usable() || table.batch.name.empty()) return error;
  Error::Fields fields = error.fields();
  connection.rollback();
  try {
    connection.execute(dialect().begin());
    table.batch.filled = false;
    fill(connection, table.batch, batch, fields.table);
    Finder finder(connection, table, attempt, error);
    fields.row = finder.find(batch.rows());
    if (fields.row && fields.column.empty()) fields.column = finder.column_at(*fields.row);
  } catch (const Error&) {
    fields.row.reset();
  }
  connection.rollback();
  table.batch.filled = false;
  return Error(fields);
}

}  // namespace tidemark::postgres
