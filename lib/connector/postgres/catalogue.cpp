#include "connector/postgres/catalogue.h"

#include <algorithm>

#include "connector/postgres/dialect.h"
#include "connector/postgres/late_key.h"
#include "connector/postgres/natives.h"
#include "connector/postgres/snapshot_proof.h"
#include "connector/sql/select.h"

namespace tidemark::postgres {
namespace {

char first_char(const Cell& field) {
  const char* text = field.is_null() ? "" : field.c_str();
  return text[0];
}

std::vector<TableColumn> read_columns(Connection& connection, const std::string& oid) {
  const Rows rows = connection.query(
      "SELECT a.attname, below.typ::bigint, below.mod, format_type(a.atttypid, a.atttypmod), "
      "a.attnum, a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, "
      "format_type(below.typ, below.mod) "
      "FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
      // A domain's values are those of the type below it, with the limit that it gives.
      "CROSS JOIN LATERAL (WITH RECURSIVE layer(typ, mod, inner_typ, inner_mod) AS ("
      "SELECT t.oid, a.atttypmod, t.typbasetype, t.typtypmod FROM pg_type t WHERE t.oid = "
      "a.atttypid UNION ALL SELECT t.oid, layer.inner_mod, t.typbasetype, t.typtypmod FROM layer "
      "JOIN pg_type t ON t.oid = layer.inner_typ) "
      "SELECT typ, mod FROM layer WHERE inner_typ = 0) AS below "
      "WHERE a.attrelid = " +
      oid + " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum");
  std::vector<TableColumn> columns;
  for (const Row row : rows) {
    TableColumn column{.name = row[0].c_str(),
                       .wire = {row[1].as<Oid>(), row[2].as<int>()},
                       .native_name = row[3].c_str(),
                       .base_name = row[9].c_str(),
                       .attribute = row[4].as<int>(),
                       .not_null = row[5].as<bool>()};
    column.identity = first_char(row[7]);
    column.generated = first_char(row[8]);
    if (!row[6].is_null()) column.default_expression = row[6].c_str();
    columns.push_back(std::move(column));
  }
  return columns;
}

/// Unique indexes that an ON CONFLICT can name and that hold for every row.
void read_indexes(Connection& connection, const std::string& oid, TableFacts& facts) {
  const Rows rows = connection.query(
      "SELECT i.indexrelid::bigint, i.indisprimary, a.attname FROM pg_index i "
      "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place) "
      "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum "
      "WHERE i.indrelid = " +
      oid +
      " AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL "
      "AND i.indexprs IS NULL AND k.place <= i.indnkeyatts ORDER BY i.indexrelid, k.place");
  Oid last = 0;
  for (const Row row : rows) {
    const Oid index = row[0].as<Oid>();
    if (index != last) facts.unique_indexes.emplace_back();
    last = index;
    facts.unique_indexes.back().emplace_back(row[2].c_str());
    if (row[1].as<bool>()) facts.primary_key.emplace_back(row[2].c_str());
  }
}

std::optional<TableFacts> read_table(Connection& connection, const std::string& expression) {
  const Rows rows = connection.query(
      "SELECT c.oid::bigint, c.relkind, c.reltuples, (SELECT count(*) FROM pg_index i WHERE "
      "i.indrelid = c.oid AND i.indimmediate AND (i.indisunique OR i.indisexclusion)), "
      "coalesce(obj_description(c.oid, 'pg_class') = " +
      PostgresDialect::quote_text(late_key_mark()) +
      ", false) FROM pg_class c WHERE c.oid = " + expression);
  if (rows.empty()) return std::nullopt;
  TableFacts facts{.oid = rows[0][0].as<Oid>(), .kind = first_char(rows[0][1]), .columns = {}};
  facts.estimated_rows = rows[0][2].as<double>();
  facts.immediate_indexes = rows[0][3].as<std::size_t>();
  facts.key_pending = rows[0][4].as<bool>();
  const std::string oid = std::to_string(facts.oid);
  facts.columns = read_columns(connection, oid);
  read_indexes(connection, oid, facts);
  return facts;
}

/// The server reports the type below a domain for a column of a query.
SourceDescription describe_query(Connection& connection, const Relation& relation) {
  const std::vector<ResultColumn> described =
      connection.describe(sql::describe_relation(relation, dialect()));
  std::string names;
  for (const ResultColumn& column : described)
    names += (names.empty() ? "format_type(" : ", format_type(") + std::to_string(column.type) +
             ", " + std::to_string(column.modifier) + ")";
  SourceDescription description;
  const Rows named = names.empty() ? Rows() : connection.query("SELECT " + names);
  for (std::size_t index = 0; index < described.size(); ++index) {
    TableColumn column{.name = described[index].name,
                       .wire = {described[index].type, described[index].modifier},
                       .native_name = named[0][index].c_str(),
                       .base_name = named[0][index].c_str()};
    description.columns.push_back({.name = column.name,
                                   .type = type_of(column),
                                   .nullable = true,
                                   .native_type = column.native_name});
  }
  return description;
}

}  // namespace

const TableColumn* TableFacts::column(const std::string& name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const TableColumn& one) { return one.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::optional<TableFacts> find_table(Connection& connection, const TableName& name) {
  return read_table(connection,
                    "to_regclass(" + PostgresDialect::quote_text(dialect().table(name)) + ")");
}

std::optional<TableFacts> find_table(Connection& connection, Oid oid) {
  return read_table(connection, std::to_string(oid));
}

TableFacts require_table(Connection& connection, const TableName& name) {
  auto facts = find_table(connection, name);
  constexpr std::string_view readable = "rpvmf";
  if (facts && readable.find(facts->kind) != std::string_view::npos) return *std::move(facts);
  throw Error({.kind = FailureKind::schema,
               .message = facts ? "it is no table" : "there is no such table",
               .code = "42P01",
               .table = name.display(),
               .hint = "Check its name, its schema and search_path of the login."});
}

Type type_of(const TableColumn& column) {
  if (const auto type = logical_type(column.wire)) return *type;
  return native_of(column.base_name);
}

SourceDescription describe_relation(Connection& connection, const Relation& relation) {
  if (!relation.table) return describe_query(connection, relation);
  const TableFacts facts = require_table(connection, *relation.table);
  SourceDescription description;
  description.primary_key = facts.primary_key;
  for (const TableColumn& column : facts.columns)
    description.columns.push_back({.name = column.name,
                                   .type = type_of(column),
                                   .nullable = !column.not_null,
                                   .native_type = column.native_name});
  description.system_columns = system_columns(facts);
  return description;
}

Target::TableDescription describe_table(const TableFacts& facts) {
  Target::TableDescription description;
  description.primary_key = facts.primary_key;
  description.unique_keys = facts.unique_indexes;
  for (const TableColumn& column : facts.columns)
    description.columns.push_back({.name = column.name,
                                   .type = type_of(column),
                                   .nullable = !column.not_null,
                                   .native_type = column.native_name});
  return description;
}

sql::ExistingTable existing_table(const TableFacts& facts, const WriteSpec& spec) {
  sql::ExistingTable existing{.description = describe_table(facts),
                              .unique_indexes = facts.unique_indexes};
  for (const TableColumn& column : facts.columns) {
    if (!column.default_expression.empty() || column.identity != '\0')
      existing.defaulted.insert(column.name);
    const bool in_key = std::find(spec.key.begin(), spec.key.end(), column.name) != spec.key.end();
    const bool only_inserted =
        spec.write == WriteMode::append || (spec.write == WriteMode::upsert && in_key);
    if (column.generated != '\0' || (column.identity == 'a' && !only_inserted))
      existing.generated.insert(column.name);
  }
  return existing;
}

}  // namespace tidemark::postgres
