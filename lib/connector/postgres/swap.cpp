#include "connector/postgres/swap.h"

#include "connector/postgres/dialect.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

constexpr std::string_view mark = "made by tidemark";
constexpr std::string_view key_name = "tidemark_new_key";

std::string regclass(const TableName& table) {
  return "to_regclass(" + PostgresDialect::quote_text(dialect().table(table)) + ")";
}

/// Of the table's primary key: its name, its columns as they stand in ADD PRIMARY KEY. Empty rows
/// where it has none.
Rows primary_key(Connection& connection, const TableName& table) {
  return connection.query(
      "SELECT quote_ident(k.conname), (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY "
      "c.place) FROM unnest(k.conkey) WITH ORDINALITY AS c(attnum, place) JOIN pg_attribute a ON "
      "a.attrelid = k.conrelid AND a.attnum = c.attnum) FROM pg_constraint k WHERE k.contype = 'p' "
      "AND k.conrelid = " +
      regclass(table));
}

}  // namespace

std::string mark_as_made(const TableName& table) {
  return "COMMENT ON TABLE " + dialect().table(table) + " IS " + PostgresDialect::quote_text(mark);
}

std::string swap_obstacle(Connection& connection, const TableName& table) {
  const Rows found = connection.query(
      "SELECT CASE "
      "WHEN obj_description(c.oid, 'pg_class') IS DISTINCT FROM " +
      PostgresDialect::quote_text(mark) +
      " THEN 'it was not made by tidemark for a replacement' "
      "WHEN c.relkind <> 'r' OR c.relispartition OR EXISTS (SELECT 1 FROM pg_inherits WHERE "
      "inhrelid = c.oid OR inhparent = c.oid) THEN 'it has partitions or heirs, or is one' "
      "WHEN NOT pg_has_role(c.relowner, 'USAGE') THEN 'it belongs to another role' "
      "WHEN c.relacl IS NOT NULL OR EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid "
      "AND a.attacl IS NOT NULL) THEN 'privileges on it were granted' "
      "WHEN c.relrowsecurity THEN 'it has row-level security' "
      "ELSE (SELECT pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on it' "
      "FROM pg_depend d WHERE d.deptype IN ('n', 'a', 'x') AND ("
      "d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid OR "
      "d.refclassid = 'pg_type'::regclass AND d.refobjid = c.reltype) "
      "AND NOT (d.classid = 'pg_constraint'::regclass AND EXISTS (SELECT 1 FROM pg_constraint k "
      "WHERE k.oid = d.objid AND k.conrelid = c.oid AND k.contype = 'p')) LIMIT 1) END "
      "FROM pg_class c WHERE c.oid = " +
      regclass(table));
  return found.empty() ? std::string() : found[0][0].c_str();
}

void make_swap_staging(Connection& connection, const TableName& table, const TableName& staging) {
  connection.execute_for("CREATE TABLE " + dialect().table(staging) + " (LIKE " +
                             dialect().table(table) + " INCLUDING ALL EXCLUDING INDEXES)",
                         table.display());
}

void add_primary_key(Connection& connection, const TableName& table, const TableName& staging) {
  const Rows key = primary_key(connection, table);
  if (key.empty()) return;
  connection.execute_for("ALTER TABLE " + dialect().table(staging) + " ADD CONSTRAINT " +
                             std::string(key_name) + " PRIMARY KEY (" + key[0][1].c_str() + ")",
                         table.display());
}

std::uint64_t swap_in(Connection& connection, const TableName& table, const TableName& staging) {
  const std::string name = dialect().table(table);
  const std::string shown = table.display();
  connection.execute_for("LOCK TABLE " + name + " IN ACCESS EXCLUSIVE MODE", shown);
  // What came to depend on it since the run began would be lost.
  if (const std::string obstacle = swap_obstacle(connection, table); !obstacle.empty())
    throw Error({.kind = FailureKind::schema,
                 .message = "target.replace: swap is not possible: " + obstacle,
                 .table = shown,
                 .hint = "Use `target.replace: transaction`."});
  const Rows old = connection.query(
      "SELECT (SELECT count(*) FROM " + name +
      "), (SELECT quote_ident(n.nspname) FROM pg_class c JOIN pg_namespace n ON n.oid = "
      "c.relnamespace WHERE c.oid = " +
      regclass(table) + ")");
  const Rows key = primary_key(connection, table);
  const std::string moved = std::string(old[0][1].c_str()) + "." + dialect().quote(staging.name);
  connection.execute_for("DROP TABLE " + name, shown);
  connection.execute("ALTER TABLE " + dialect().table(staging) + " SET SCHEMA " +
                     old[0][1].c_str());
  connection.execute("ALTER TABLE " + moved + " RENAME TO " + dialect().quote(table.name));
  if (!key.empty())
    connection.execute("ALTER TABLE " + name + " RENAME CONSTRAINT " + std::string(key_name) +
                       " TO " + key[0][0].c_str());
  connection.execute(mark_as_made(table));
  return old[0][0].as<std::uint64_t>();
}

}  // namespace tidemark::postgres
