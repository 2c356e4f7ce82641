#include "connector/postgres/grants.h"

#include <algorithm>

#include "connector/postgres/dialect.h"

namespace tidemark::postgres {
namespace {

void add(std::vector<std::string>& statements, std::string statement) {
  if (std::find(statements.begin(), statements.end(), statement) == statements.end())
    statements.push_back(std::move(statement));
}

/// A table without a schema lies where search_path leads; for most that is public.
std::string schema_of(const std::string& schema) {
  return dialect().quote(schema.empty() ? "public" : schema);
}

}  // namespace

std::vector<std::string> grant_statements(const ConnectionSettings& settings,
                                          const GrantNeeds& needs) {
  const std::string role = dialect().quote(settings.user);
  const std::string database = dialect().quote(settings.database);
  std::vector<std::string> statements;
  add(statements, "GRANT CONNECT ON DATABASE " + database + " TO " + role);
  if (needs.source) {
    if (needs.source_table) {
      add(statements,
          "GRANT USAGE ON SCHEMA " + schema_of(needs.source_table->schema) + " TO " + role);
      add(statements, "GRANT SELECT ON " + dialect().table(*needs.source_table) + " TO " + role);
    }
    if (needs.proof == ProofKind::transactions)
      add(statements, "GRANT pg_read_all_stats TO " + role);
  }
  if (needs.target) {
    // Batches go through a temporary table.
    add(statements, "GRANT TEMPORARY ON DATABASE " + database + " TO " + role);
    const std::string table_schema = needs.target_table ? needs.target_table->schema : "";
    const std::string metadata =
        schema_of(settings.metadata_schema.empty() ? table_schema : settings.metadata_schema);
    if (!settings.metadata_schema.empty())
      add(statements, "CREATE SCHEMA IF NOT EXISTS " + metadata + " AUTHORIZATION " + role);
    add(statements, "GRANT USAGE, CREATE ON SCHEMA " + metadata + " TO " + role);
    if (needs.target_table) {
      const std::string schema = schema_of(table_schema);
      add(statements, std::string(needs.creates_table ? "GRANT USAGE, CREATE" : "GRANT USAGE") +
                          " ON SCHEMA " + schema + " TO " + role);
      if (!needs.creates_table)
        add(statements, "GRANT SELECT, INSERT, UPDATE, DELETE ON " +
                            dialect().table(*needs.target_table) + " TO " + role);
    }
  }
  return statements;
}

}  // namespace tidemark::postgres
