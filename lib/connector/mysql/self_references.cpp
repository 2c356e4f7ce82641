#include "connector/mysql/self_references.h"

#include <algorithm>

#include "connector/mysql/key_condition.h"
#include "connector/mysql/references_off.h"
#include "core/error.h"

namespace tidemark::mysql {
namespace {

[[noreturn]] void no_parent(const std::string& column, std::optional<std::size_t> row) {
  throw Error({.kind = FailureKind::constraint,
               .message = "a parent row is missing",
               .code = "1452",
               .operation = "write",
               .column = column,
               .row = row});
}

}  // namespace

SelfReferences::SelfReferences(Session& session, const MysqlDialect& dialect,
                               const TableName& table, const std::vector<WrittenColumn>& key)
    : session_(session), dialect_(dialect), table_(table), key_(key) {}

const std::vector<SelfReferences::ForeignKey>& SelfReferences::keys() {
  if (asked_) return keys_;
  const auto text = [&](const std::string& name) {
    return dialect_.literal(Value::of(text_type(), name));
  };
  const auto rows = session_
                        .execute(
                            "SELECT k.CONSTRAINT_NAME, k.COLUMN_NAME, k.REFERENCED_TABLE_SCHEMA, "
                            "k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, c.IS_NULLABLE FROM "
                            "information_schema.KEY_COLUMN_USAGE AS k JOIN "
                            "information_schema.COLUMNS AS c USING (TABLE_SCHEMA, TABLE_NAME, "
                            "COLUMN_NAME) WHERE k.TABLE_SCHEMA = " +
                            text(table_.schema) + " AND k.TABLE_NAME = " + text(table_.name) +
                            " AND k.REFERENCED_TABLE_NAME IS NOT NULL "
                            "ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION")
                        .rows;
  for (const auto& row : rows) {
    const std::string name = row[0].value_or("");
    if (keys_.empty() || keys_.back().name != name)
      keys_.push_back({.name = name,
                       .parent = {row[2].value_or(""), row[3].value_or("")},
                       .columns = {},
                       .parent_columns = {}});
    keys_.back().columns.push_back(row[1].value_or(""));
    keys_.back().parent_columns.push_back(row[4].value_or(""));
    keys_.back().nullable = keys_.back().nullable && row[5] == "YES";
  }
  asked_ = true;
  return keys_;
}

bool SelfReferences::any() {
  return !key_.empty() && std::any_of(keys().begin(), keys().end(),
                                      [this](const auto& one) { return one.parent == table_; });
}

/// The first foreign key that a row of `staged` with `condition` does not keep.
const SelfReferences::ForeignKey* SelfReferences::orphaned(const std::string& staged,
                                                           const std::string& condition) {
  for (const ForeignKey& one : keys()) {
    std::string parent;
    std::string given;
    for (std::size_t at = 0; at < one.columns.size(); ++at) {
      const std::string child = "t." + dialect_.quote(one.columns[at]);
      parent +=
          (at == 0 ? "p." : " AND p.") + dialect_.quote(one.parent_columns[at]) + " = " + child;
      given += child + " IS NOT NULL AND ";
    }
    // Locked: nobody may delete a parent between this look and our commit.
    const auto found = session_.execute(
        "SELECT 1 FROM " + staged + " AS s JOIN " + dialect_.table(table_) + " AS t ON " +
        same(dialect_, names_of(key_), "t", "s") + " LEFT JOIN " + dialect_.table(one.parent) +
        " AS p ON " + parent + " WHERE " + given + "p." +
        dialect_.quote(one.parent_columns.front()) + " IS NULL" +
        (condition.empty() ? "" : " AND (" + condition + ")") + " LIMIT 1 LOCK IN SHARE MODE");
    if (!found.rows.empty()) return &one;
  }
  return nullptr;
}

std::uint64_t SelfReferences::insert(const std::string& staged, const std::optional<Rows>& rows,
                                     const std::function<std::uint64_t()>& insert) {
  std::uint64_t inserted = 0;
  {
    const ReferencesOff off(session_);
    inserted = insert();
  }
  const ForeignKey* broken = orphaned(staged, "");
  if (broken == nullptr) return inserted;
  if (!rows) no_parent(broken->columns.front(), std::nullopt);
  const std::uint32_t first = first_of(rows->rows, [&](std::span<const std::uint32_t> some) {
    const ForeignKey* found = orphaned(staged, any_of(dialect_, key_, rows->batch, some));
    if (found != nullptr) broken = found;
    return found != nullptr;
  });
  no_parent(broken->columns.front(), first);
}

bool SelfReferences::let_go(const std::string& staged) {
  std::string nothing;
  for (const ForeignKey& one : keys()) {
    if (one.parent != table_) continue;
    if (!one.nullable) return false;
    for (const std::string& column : one.columns)
      nothing += (nothing.empty() ? "t." : ", t.") + dialect_.quote(column) + " = NULL";
  }
  session_.execute("UPDATE " + dialect_.table(table_) + " AS t LEFT JOIN " + staged + " AS s ON " +
                   same(dialect_, names_of(key_), "t", "s") + " SET " + nothing + " WHERE s." +
                   dialect_.quote(key_.front().name) + " IS NULL");
  return true;
}

}  // namespace tidemark::mysql
