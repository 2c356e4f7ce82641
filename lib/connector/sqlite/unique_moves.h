#pragma once

#include <string>
#include <vector>

#include "connector/sqlite/connection.h"
#include "connector/sqlite/dialect.h"
#include "core/error.h"
#include "core/names.h"

namespace tidemark::sqlite {

/// Rows that exchange values of a secondary unique index: `a` and `b` swapped, or passed round.
/// SQLite checks uniqueness at each row, so the first of them fails although the end would be
/// right. Rows that are about to be written and leave their unique value have it replaced by one
/// that nobody has (NULL, or random) before any takes its new one, in the same transaction. Rows
/// that are not written are never touched: meeting one stays an error.
///
/// Worker thread, within a write transaction.
class UniqueMoves {
 public:
  /// Looks the table up. `columns`: those that are written.
  UniqueMoves(Connection& connection, const SqliteDialect& dialect, const TableName& table,
              const std::vector<std::string>& columns, const std::vector<std::string>& key);

  /// Whether `error` says that two rows met anywhere but in a constraint of another kind.
  static bool met(const Error& error);
  /// The columns that give their place free; none where rows can't be moved: another table's
  /// foreign key acts on their change, or they meet in an expression.
  const std::vector<std::string>& columns() const noexcept { return moved_; }
  /// Moves one row out of the way; parameters: the key's values, then those of `columns`.
  std::string row_statement() const;
  /// Moves all rows of `staging` that lie in `scope` (a predicate, or empty).
  std::string all_statement(const TableName& staging, const std::string& scope) const;

 private:
  std::string assignments() const;
  std::string leaves(const std::vector<std::string>& arriving) const;

  const SqliteDialect& dialect_;
  TableName table_;
  std::vector<std::string> key_;
  std::vector<std::string> moved_;
  std::vector<std::string> substitutes_;  ///< SQL, by column
};

/// While it lives, what stands in a row between its two values is not looked at: no CHECK, and
/// foreign keys only at the end of the transaction.
class Moving {
 public:
  explicit Moving(Connection& connection);
  ~Moving();
  Moving(const Moving&) = delete;
  Moving& operator=(const Moving&) = delete;

 private:
  Connection& connection_;
};

}  // namespace tidemark::sqlite
