#include "connector/sql/target_planner.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"

namespace tidemark::sql {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool equal_but_for_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(), [](unsigned char a, unsigned char b) {
           return std::tolower(a) == std::tolower(b);
         });
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ", ") + name;
  return list;
}

class Planner {
 public:
  Planner(const WriteSpec& spec, const Dialect& dialect)
      : spec_(spec), dialect_(dialect), table_(spec.table.display()) {}

  TargetPlan plan(const std::optional<ExistingTable>& existing) {
    check_key();
    check_scope();
    if (existing)
      plan_existing(*existing);
    else
      plan_new();
    return std::move(plan_);
  }

 private:
  void problem(const std::string& text) { plan_.problems.push_back("target " + table_ + text); }

  bool in_key(const std::string& column) const { return contains(spec_.key, column); }

  bool writes(const std::string& column) const {
    return std::any_of(spec_.columns.begin(), spec_.columns.end(),
                       [&](const TargetColumn& one) { return one.column.name == column; });
  }

  void check_key() {
    if (spec_.key.empty() && spec_.write == WriteMode::upsert)
      problem(": upsert needs a key: set `key`, or give the source table a primary key");
    for (const std::string& column : spec_.key)
      if (!writes(column))
        problem(", column " + column +
                ": it belongs to the key, but the job does not write it: take it out of `exclude`, "
                "or correct `key`");
  }

  void check_scope() {
    for (const auto& [column, constant] : spec_.scope)
      if (!writes(column))
        problem(", column " + column +
                ": target.scope names it, but the job does not write it: select the constant in "
                "source.query, or correct target.scope");
  }

  /// Takes a verdict into the plan; says whether the column can be written as it is.
  bool judge(const TargetColumn& column, const ColumnVerdict& verdict) {
    plan_.columns.push_back(verdict);
    const std::string place = ", column " + column.column.name + ": " +
                              to_string(column.column.type) + " into " + verdict.target_type;
    switch (verdict.fidelity) {
      case Fidelity::lossless:
        return true;
      case Fidelity::lossy:
        // Who writes native_type has chosen the column: a value that it can't hold is an error
        // then.
        if (column.lossy == Lossy::allow || column.native_type) return true;
        problem(place + " would lose data (" + verdict.reason + "): set columns." +
                column.column.name +
                ".lossy: allow if that is what you want, choose the type with .type or "
                ".native_type, or exclude it");
        return false;
      case Fidelity::impossible:
        problem(place + " is not possible (" + verdict.reason + "): set columns." +
                column.column.name + ".type, or exclude it");
        return false;
    }
    return false;
  }

  ColumnVerdict made_as(const TargetColumn& column) const {
    if (column.native_type)
      return {.column = column.column.name,
              .target_type = *column.native_type,
              .note = "by native_type: a value that it can't hold is an error"};
    ColumnVerdict verdict = dialect_.column_type(column.column, in_key(column.column.name));
    verdict.column = column.column.name;
    return verdict;
  }

  void plan_new() {
    if (spec_.create == CreatePolicy::never) {
      problem(": the table does not exist: create it, or set target.create: auto");
      return;
    }
    plan_.makes_table = true;
    if (spec_.columns.empty()) problem(": the job writes no column");
    for (const TargetColumn& column : spec_.columns)
      judge(column, made_as(column));
    if (plan_.problems.empty())
      plan_.statements.push_back(create_table(spec_.table, spec_.columns, spec_.key, dialect_));
  }

  void plan_existing(const ExistingTable& table) {
    const Schema& columns = table.description.columns;
    for (const TargetColumn& column : spec_.columns) {
      const std::size_t index = find_column(columns, column.column.name);
      if (index == npos)
        missing(column, columns);
      else if (table.generated.contains(column.column.name))
        problem(", column " + column.column.name +
                ": the target computes it itself: exclude it from the job");
      else
        present(column, columns[index]);
    }
    check_unique(table);
    check_unwritten(table);
  }

  void missing(const TargetColumn& column, const Schema& columns) {
    const std::string& name = column.column.name;
    for (const Column& other : columns) {
      if (!equal_but_for_case(other.name, name)) continue;
      problem(" has a column " + other.name + " where the job writes " + name +
              ": they differ in case only; rename it with columns." + other.name +
              ".from: " + name);
      return;
    }
    if (in_key(name)) {
      problem(" has no column " + name + ", which belongs to the key: add it, or correct `key`");
      return;
    }
    switch (spec_.schema_changes) {
      case SchemaChanges::fail:
        problem(" has no column " + name +
                ": add it, exclude it, or set target.schema_changes: add");
        return;
      case SchemaChanges::report:
        plan_.drift.push_back("target " + table_ + " has no column " + name +
                              ": it is not written (target.schema_changes: report)");
        plan_.ignored_columns.push_back(name);
        return;
      case SchemaChanges::add:
      case SchemaChanges::evolve:
        break;
    }
    const ColumnVerdict verdict = made_as(column);
    if (!judge(column, verdict)) return;
    plan_.statements.push_back("ALTER TABLE " + dialect_.table(spec_.table) + " ADD COLUMN " +
                               dialect_.quote(name) + " " + verdict.target_type);
    plan_.added_columns.push_back(name);
  }

  void present(const TargetColumn& column, const Column& existing) {
    ColumnVerdict verdict = dialect_.fits(column.column, existing);
    verdict.column = column.column.name;
    if (verdict.fidelity != Fidelity::lossless && column.lossy == Lossy::error &&
        spec_.schema_changes == SchemaChanges::evolve && widen(column, existing))
      return;
    judge(column, verdict);
  }

  /// Only where the wider type also holds all that the narrow one may hold by now.
  bool widen(const TargetColumn& column, const Column& existing) {
    const ColumnVerdict wider = made_as(column);
    if (wider.fidelity != Fidelity::lossless) return false;
    Column made = column.column;
    made.native_type = wider.target_type;
    if (dialect_.fits(existing, made).fidelity != Fidelity::lossless) return false;
    const auto statement = dialect_.widen(spec_.table, existing, wider.target_type);
    if (!statement) return false;
    plan_.statements.push_back(*statement);
    plan_.notes.push_back("target " + table_ + ", column " + existing.name + ": widened from " +
                          existing.native_type + " to " + wider.target_type);
    plan_.columns.push_back(wider);
    return true;
  }

  void check_unique(const ExistingTable& table) {
    if (spec_.key.empty() || is_unique_key(table, spec_.key)) return;
    if (spec_.write != WriteMode::replace)
      problem(" has no unique index over exactly the key (" + joined(spec_.key) +
              "): add one (a primary key is best), or correct `key`");
    else
      plan_.notes.push_back("target " + table_ + " has no unique index over the key (" +
                            joined(spec_.key) +
                            "): each replacement deletes and inserts all its rows");
  }

  void check_unwritten(const ExistingTable& table) {
    for (const Column& column : table.description.columns) {
      if (writes(column.name) || column.nullable || table.defaulted.contains(column.name) ||
          table.generated.contains(column.name))
        continue;
      problem(", column " + column.name +
              ": it is NOT NULL without a default, and the job does not write it: give it a "
              "default, or a value with columns." +
              column.name + ".from");
    }
  }

  const WriteSpec& spec_;
  const Dialect& dialect_;
  std::string table_;
  TargetPlan plan_;
};

}  // namespace

TargetPlan plan_target(const WriteSpec& spec, const std::optional<ExistingTable>& existing,
                       const Dialect& dialect) {
  return Planner(spec, dialect).plan(existing);
}

std::vector<TargetColumn> written_columns(const WriteSpec& spec, const TargetPlan& plan) {
  std::vector<TargetColumn> columns;
  for (const TargetColumn& column : spec.columns)
    if (!contains(plan.ignored_columns, column.column.name)) columns.push_back(column);
  return columns;
}

bool is_unique_key(const ExistingTable& table, const std::vector<std::string>& key) {
  return std::any_of(table.unique_indexes.begin(), table.unique_indexes.end(),
                     [&](const std::vector<std::string>& index) {
                       return std::is_permutation(index.begin(), index.end(), key.begin(),
                                                  key.end());
                     });
}

bool has_other_unique_index(const ExistingTable& table, const std::vector<std::string>& key) {
  return std::any_of(table.unique_indexes.begin(), table.unique_indexes.end(),
                     [&](const std::vector<std::string>& index) {
                       return !std::is_permutation(index.begin(), index.end(), key.begin(),
                                                   key.end());
                     });
}

std::string create_table(const TableName& name, const std::vector<TargetColumn>& columns,
                         const std::vector<std::string>& key, const Dialect& dialect,
                         KeyMade made) {
  std::string sql = "CREATE TABLE " + dialect.table(name) + " (";
  for (const TargetColumn& column : columns) {
    const bool in_key = contains(key, column.column.name);
    const std::string type =
        column.native_type.value_or(dialect.column_type(column.column, in_key).target_type);
    sql += (&column == &columns.front() ? "\n  " : ",\n  ") + dialect.quote(column.column.name) +
           " " + type + (in_key || !column.column.nullable ? " NOT NULL" : "");
  }
  if (!key.empty() && made == KeyMade::at_once) {
    std::string list;
    for (const std::string& column : key)
      list += (list.empty() ? "" : ", ") + dialect.quote(column);
    sql += ",\n  PRIMARY KEY (" + list + ")";
  }
  const std::string_view options = dialect.table_options();
  return sql + "\n)" + (options.empty() ? "" : " " + std::string(options));
}

}  // namespace tidemark::sql
