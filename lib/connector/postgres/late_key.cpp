#include "connector/postgres/late_key.h"

#include "connector/postgres/catalogue.h"
#include "connector/postgres/errors.h"
#include "connector/sql/target_planner.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

std::string comment(const TableName& table, const std::string& text) {
  return "COMMENT ON TABLE " + dialect().table(table) + " IS " + text;
}

void build(Connection& connection, const WriteSpec& spec) {
  connection.execute_long("ALTER TABLE " + dialect().table(spec.table) + " ADD PRIMARY KEY (" +
                              dialect().list(spec.key) + ")",
                          spec.table.display());
}

void keep_one_of_each(Connection& connection, const WriteSpec& spec) {
  const std::string table = dialect().table(spec.table);
  connection.execute_long("DELETE FROM " + table +
                              " AS target USING (SELECT ctid AS at, row_number() OVER (PARTITION "
                              "BY " +
                              dialect().list(spec.key) + " ORDER BY ctid DESC) AS place FROM " +
                              table +
                              ") AS ranked WHERE ranked.place > 1 AND target.ctid = ranked.at",
                          spec.table.display());
}

}  // namespace

std::string_view late_key_mark() {
  return "tidemark: a first load is under way; the primary key is built at its end";
}

std::vector<std::string> make_without_key(const WriteSpec& spec, const PostgresDialect& dialect) {
  return {sql::create_table(spec.table, spec.columns, spec.key, dialect, sql::KeyMade::later),
          comment(spec.table, PostgresDialect::quote_text(late_key_mark()))};
}

void add_late_key(Connection& connection, const WriteSpec& spec) {
  if (!require_table(connection, spec.table).key_pending) return;
  // Another load may be at it.
  connection.execute_for("LOCK TABLE " + dialect().table(spec.table), spec.table.display());
  const TableFacts facts = require_table(connection, spec.table);
  if (!facts.key_pending) return;
  if (!sql::is_unique_key(existing_table(facts, spec), spec.key)) {
    connection.execute("SAVEPOINT tidemark_key");
    try {
      build(connection, spec);
    } catch (const Error& error) {
      if (error.fields().code != unique_violation || !connection.usable()) throw;
      connection.execute("ROLLBACK TO SAVEPOINT tidemark_key");
      keep_one_of_each(connection, spec);
      build(connection, spec);
    }
    connection.execute("RELEASE SAVEPOINT tidemark_key");
  }
  connection.execute(comment(spec.table, "NULL"));
}

}  // namespace tidemark::postgres
