#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connector/mysql/catalogue.h"
#include "connector/mysql/params.h"
#include "connector/mysql/session.h"
#include "core/batch.h"

namespace tidemark::mysql {

/// Rows that refer to rows of their own table: a child before its parent, or a circle. InnoDB looks
/// for the parent at each row and not at the statement's end, so one INSERT of all of them fails
/// although the end would be right. Such rows are inserted without checks, and then every foreign
/// key of theirs is looked up, the parents locked as the check would lock them. Only inserts: an
/// update or a deletion may have to be carried on to other tables, which the server leaves out
/// together with the checks.
///
/// Owned by the write plan; worker thread. Throws Error.
class SelfReferences {
 public:
  SelfReferences(Session& session, const MysqlDialect& dialect, const TableName& table,
                 const std::vector<WrittenColumn>& key);

  /// Whether the table has a foreign key to itself, and a key to find rows by. Asks once.
  bool any();

  struct Rows {
    const Batch& batch;
    std::span<const std::uint32_t> rows;
  };
  /// Runs `insert` without checks; then Error{constraint} where a row of `staged` (SQL) lacks a
  /// parent, with the first such of `rows`, all of which `staged` holds, if given.
  std::uint64_t insert(const std::string& staged, const std::optional<Rows>& rows,
                       const std::function<std::uint64_t()>& insert);
  /// Takes from the rows that `staged` does not hold what they refer to in this table, so that they
  /// can be deleted in any order; false where a column of that kind takes no NULL.
  bool let_go(const std::string& staged);

 private:
  struct ForeignKey {
    std::string name;
    TableName parent;
    std::vector<std::string> columns;
    std::vector<std::string> parent_columns;
    bool nullable = true;
  };
  const std::vector<ForeignKey>& keys();
  const ForeignKey* orphaned(const std::string& staged, const std::string& condition);

  Session& session_;
  const MysqlDialect& dialect_;
  TableName table_;
  std::vector<WrittenColumn> key_;
  std::vector<ForeignKey> keys_;
  bool asked_ = false;
};

}  // namespace tidemark::mysql
