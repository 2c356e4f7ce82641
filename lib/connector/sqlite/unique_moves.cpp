#include "connector/sqlite/unique_moves.h"

#include <algorithm>
#include <set>

#include "connector/sqlite/catalog.h"

namespace tidemark::sqlite {
namespace {

constexpr std::string_view fresh = "tidemark_new";

/// Of the rows' own order and any number of columns: compared as sets.
using Names = std::set<std::string>;

std::string text(const SqliteDialect& dialect, const std::string& name) {
  return dialect.literal(Value::of(make_type(TypeKind::text), name));
}

/// The columns of each unique index and of the primary key; an expression has no name.
std::vector<Names> unique_places(Connection& connection, const SqliteDialect& dialect,
                                 const CatalogTable& table) {
  std::vector<Names> places;
  const sql::Result rows = connection.execute(
      "SELECT l.seq, i.name FROM pragma_index_list(" + text(dialect, table.name.name) +
      ") AS l, pragma_index_info(l.name) AS i WHERE l.\"unique\" ORDER BY l.seq, i.seqno");
  std::string index;
  for (const auto& row : rows.rows) {
    if (places.empty() || row[0].value_or("") != index) places.emplace_back();
    index = row[0].value_or("");
    if (row[1]) places.back().insert(*row[1]);
  }
  const std::vector<std::string> primary = table.primary_key();
  places.emplace_back(primary.begin(), primary.end());
  return places;
}

/// Columns whose change another table's foreign key follows: it would follow the substitute too.
Names followed(Connection& connection, const SqliteDialect& dialect, const CatalogTable& table) {
  Names columns;
  const sql::Result rows = connection.execute(
      "SELECT f.\"to\" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f WHERE m.type "
      "= 'table' AND f.on_update NOT IN ('NO ACTION', 'RESTRICT') AND lower(f.\"table\") = lower(" +
      text(dialect, table.name.name) + ")");
  for (const auto& row : rows.rows) {
    if (row[0]) {
      columns.insert(*row[0]);
      continue;
    }
    const std::vector<std::string> primary = table.primary_key();
    columns.insert(primary.begin(), primary.end());
  }
  return columns;
}

/// SQL for a value that no row has, of a type that the column takes.
std::string substitute_for(const CatalogTable& table, const CatalogColumn& column) {
  if (column.name == table.rowid_alias()) return "random()";
  if (!column.not_null && column.key_position == 0) return "NULL";
  if (table.strict) {
    const std::string& type = column.declared;
    if (type.starts_with("INT")) return "random()";
    if (type == "REAL") return "CAST(random() AS REAL)";
    if (type == "TEXT") return "hex(randomblob(16))";
  }
  return "randomblob(16)";
}

}  // namespace

UniqueMoves::UniqueMoves(Connection& connection, const SqliteDialect& dialect,
                         const TableName& table, const std::vector<std::string>& columns,
                         const std::vector<std::string>& key)
    : dialect_(dialect), table_(table), key_(key) {
  const auto facts = find_table(connection, table);
  if (!facts) return;
  Names moving;
  for (const Names& place : unique_places(connection, dialect, *facts))
    if (place != Names(key.begin(), key.end())) moving.insert(place.begin(), place.end());
  const Names fixed = followed(connection, dialect, *facts);
  for (const std::string& column : columns) {
    const CatalogColumn* known = facts->column(column);
    const bool in_key = std::find(key.begin(), key.end(), column) != key.end();
    if (known == nullptr || in_key || !moving.contains(known->name)) continue;
    if (fixed.contains(known->name)) {
      moved_.clear();
      return;
    }
    moved_.push_back(column);
    substitutes_.push_back(substitute_for(*facts, *known));
  }
}

bool UniqueMoves::met(const Error& error) {
  const std::string& code = error.fields().code;
  return code == "SQLITE_CONSTRAINT_UNIQUE" || code == "SQLITE_CONSTRAINT_PRIMARYKEY" ||
         code == "SQLITE_CONSTRAINT_ROWID";
}

std::string UniqueMoves::assignments() const {
  std::string list;
  for (std::size_t at = 0; at < moved_.size(); ++at)
    list += (at == 0 ? "" : ", ") + dialect_.quote(moved_[at]) + " = " + substitutes_[at];
  return list;
}

/// That a row does not keep all its values of the columns that move.
std::string UniqueMoves::leaves(const std::vector<std::string>& arriving) const {
  std::string condition;
  for (std::size_t at = 0; at < moved_.size(); ++at)
    condition += (at == 0 ? "(" : " OR ") + dialect_.table(table_) + "." +
                 dialect_.quote(moved_[at]) + " IS NOT " + arriving[at];
  return condition + ")";
}

std::string UniqueMoves::row_statement() const {
  std::string statement = "UPDATE " + dialect_.table(table_) + " SET " + assignments() + " WHERE ";
  std::size_t parameter = 0;
  for (const std::string& column : key_)
    statement += dialect_.quote(column) + " = ?" + std::to_string(++parameter) + " AND ";
  std::vector<std::string> arriving;
  for (std::size_t at = 0; at < moved_.size(); ++at)
    arriving.push_back("?" + std::to_string(++parameter));
  return statement + leaves(arriving);
}

std::string UniqueMoves::all_statement(const TableName& staging, const std::string& scope) const {
  const std::string from = std::string(fresh) + ".";
  std::string statement = "UPDATE " + dialect_.table(table_) + " SET " + assignments() + " FROM " +
                          dialect_.table(staging) + " AS " + std::string(fresh) + " WHERE ";
  for (const std::string& column : key_)
    statement += dialect_.table(table_) + "." + dialect_.quote(column) + " = " + from +
                 dialect_.quote(column) + " AND ";
  std::vector<std::string> arriving;
  for (const std::string& column : moved_)
    arriving.push_back(from + dialect_.quote(column));
  return statement + leaves(arriving) + (scope.empty() ? "" : " AND " + scope);
}

Moving::Moving(Connection& connection) : connection_(connection) {
  // Within a transaction this one can't be switched off, but it can be put off until its end.
  connection_.execute("PRAGMA defer_foreign_keys = ON");
  connection_.execute("PRAGMA ignore_check_constraints = ON");
}

Moving::~Moving() {
  try {
    connection_.execute("PRAGMA ignore_check_constraints = OFF");
  } catch (const std::exception&) {
    // Only a lost database refuses it, and then nothing more is written through this connection.
  }
}

}  // namespace tidemark::sqlite
