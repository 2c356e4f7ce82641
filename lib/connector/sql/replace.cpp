#include "connector/sql/replace.h"

#include <algorithm>

namespace tidemark::sql {
namespace {

constexpr std::string_view fresh = "tidemark_new";

class Builder {
 public:
  Builder(const Replacement& replacement, const Dialect& dialect)
      : replacement_(replacement),
        dialect_(dialect),
        table_(dialect.table(replacement.table)),
        staging_(dialect.table(replacement.staging) + " AS " + std::string(fresh)) {}

  ReplaceStatements build() const { return {erase(), update(), insert()}; }

 private:
  std::string of_table(const std::string& column) const {
    return table_ + "." + dialect_.quote(column);
  }
  std::string of_staging(const std::string& column) const {
    return std::string(fresh) + "." + dialect_.quote(column);
  }
  std::string same_key() const {
    std::string result;
    for (const std::string& column : replacement_.key)
      result += (result.empty() ? "" : " AND ") + of_table(column) + " = " + of_staging(column);
    return result;
  }
  std::string scope() const {
    return scope_predicate(replacement_.scope, replacement_.columns, table_, dialect_);
  }
  std::string and_scope() const {
    const std::string predicate = scope();
    return predicate.empty() ? "" : " AND " + predicate;
  }
  bool is_key(const std::string& column) const {
    return std::find(replacement_.key.begin(), replacement_.key.end(), column) !=
           replacement_.key.end();
  }

  std::string erase() const {
    std::string conditions = scope();
    if (!replacement_.key.empty()) {
      if (!conditions.empty()) conditions += " AND ";
      conditions += "NOT EXISTS (SELECT 1 FROM " + staging_ + " WHERE " + same_key() + ")";
    }
    return "DELETE FROM " + table_ + (conditions.empty() ? "" : " WHERE " + conditions);
  }

  std::string update() const {
    if (replacement_.key.empty()) return {};
    const bool join = dialect_.update_join() == UpdateJoin::join_clause;
    std::vector<std::string> rest;
    std::string assignments;
    for (const Column& column : replacement_.columns) {
      if (is_key(column.name)) continue;
      rest.push_back(column.name);
      // Where the clause has a join, a bare name on the left would be ambiguous.
      assignments += (assignments.empty() ? "" : ", ") +
                     (join ? of_table(column.name) : dialect_.quote(column.name)) + " = " +
                     of_staging(column.name);
    }
    if (rest.empty()) return {};
    const std::string differs = "(" + dialect_.differs(table_, fresh, rest) + ")";
    if (join)
      return "UPDATE " + table_ + " JOIN " + staging_ + " ON " + same_key() + " SET " +
             assignments + " WHERE " + differs + and_scope();
    return "UPDATE " + table_ + " SET " + assignments + " FROM " + staging_ + " WHERE " +
           same_key() + " AND " + differs + and_scope();
  }

  std::string insert() const {
    std::string names;
    std::string values;
    for (const Column& column : replacement_.columns) {
      names += (names.empty() ? "" : ", ") + dialect_.quote(column.name);
      values += (values.empty() ? "" : ", ") + of_staging(column.name);
    }
    std::string statement =
        "INSERT INTO " + table_ + " (" + names + ") SELECT " + values + " FROM " + staging_;
    // The scope stands inside: a key that another scope owns must collide, not be left out.
    if (!replacement_.key.empty())
      statement +=
          " WHERE NOT EXISTS (SELECT 1 FROM " + table_ + " WHERE " + same_key() + and_scope() + ")";
    return statement;
  }

  const Replacement& replacement_;
  const Dialect& dialect_;
  std::string table_;
  std::string staging_;
};

/// FNV-1a: names need to be stable across versions, which std::hash does not promise.
std::uint64_t stable_hash(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325U) {
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

}  // namespace

ReplaceStatements replace_statements(const Replacement& replacement, const Dialect& dialect) {
  return Builder(replacement, dialect).build();
}

std::string duplicate_key_query(const Replacement& replacement, const Dialect& dialect) {
  if (replacement.key.empty()) return {};
  std::string list;
  for (const std::string& column : replacement.key)
    list += (list.empty() ? "" : ", ") + dialect.quote(column);
  return "SELECT 1 FROM " + dialect.table(replacement.staging) + " GROUP BY " + list +
         " HAVING COUNT(*) > 1 LIMIT 1";
}

std::string outside_scope_query(const Replacement& replacement, const Dialect& dialect) {
  if (replacement.scope.empty()) return {};
  std::string conditions;
  for (const auto& [column, constant] : replacement.scope) {
    const std::string one =
        scope_predicate({{column, constant}}, replacement.columns, fresh, dialect);
    const std::string name = std::string(fresh) + "." + dialect.quote(column);
    conditions += (conditions.empty() ? "" : " OR ") + name + " IS NULL OR NOT (" + one + ")";
  }
  return "SELECT 1 FROM " + dialect.table(replacement.staging) + " AS " + std::string(fresh) +
         " WHERE " + conditions + " LIMIT 1";
}

std::string scope_predicate(const std::map<std::string, std::string>& scope, const Schema& columns,
                            std::string_view qualifier, const Dialect& dialect) {
  std::string result;
  for (const auto& [column, constant] : scope) {
    const std::size_t index = find_column(columns, column);
    const Type type = index == npos ? text_type() : columns[index].type;
    result += (result.empty() ? "" : " AND ") + std::string(qualifier) + "." +
              dialect.quote(column) + " = " + dialect.literal(Value::of(type, constant));
  }
  return result;
}

TableName staging_table(const JobKey& job, const std::string& metadata_schema) {
  const std::uint64_t hash = stable_hash(job.job.text, stable_hash(job.instance) + 1);
  std::string tail;
  for (int shift = 60; shift >= 0; shift -= 4)
    tail += "0123456789abcdef"[(hash >> shift) & 15];
  return {metadata_schema, "tidemark_stage_" + job.job.text.substr(0, 31) + "_" + tail};
}

}  // namespace tidemark::sql
