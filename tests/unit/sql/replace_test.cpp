#include "connector/sql/replace.h"

#include <catch2/catch.hpp>

#include "test_dialect.h"

using namespace tidemark;
using namespace tidemark::sql;

namespace {

Replacement replacement_of() {
  return {.table = {"s", "t"},
          .staging = {"m", "stage"},
          .columns = {{"id", make_type(TypeKind::int64), false}, {"v", text_type()}},
          .key = {"id"}};
}

}  // namespace

TEST_CASE("a keyed replacement deletes, updates and inserts the difference", "[sql][replace]") {
  const ReplaceStatements statements = replace_statements(replacement_of(), TestDialect());
  CHECK(statements.erase ==
        "DELETE FROM \"s\".\"t\" WHERE NOT EXISTS (SELECT 1 FROM \"m\".\"stage\" AS tidemark_new "
        "WHERE \"s\".\"t\".\"id\" = tidemark_new.\"id\")");
  CHECK(statements.update ==
        "UPDATE \"s\".\"t\" SET \"v\" = tidemark_new.\"v\" FROM \"m\".\"stage\" AS tidemark_new "
        "WHERE \"s\".\"t\".\"id\" = tidemark_new.\"id\" AND (\"s\".\"t\".\"v\" IS NOT "
        "tidemark_new.\"v\")");
  CHECK(statements.insert ==
        "INSERT INTO \"s\".\"t\" (\"id\", \"v\") SELECT tidemark_new.\"id\", tidemark_new.\"v\" "
        "FROM \"m\".\"stage\" AS tidemark_new WHERE NOT EXISTS (SELECT 1 FROM \"s\".\"t\" WHERE "
        "\"s\".\"t\".\"id\" = tidemark_new.\"id\")");
}

TEST_CASE("where an UPDATE joins, it names its table", "[sql][replace]") {
  TestDialect mysql;
  mysql.join_ = UpdateJoin::join_clause;
  CHECK(replace_statements(replacement_of(), mysql).update ==
        "UPDATE \"s\".\"t\" JOIN \"m\".\"stage\" AS tidemark_new ON \"s\".\"t\".\"id\" = "
        "tidemark_new.\"id\" SET \"s\".\"t\".\"v\" = tidemark_new.\"v\" WHERE "
        "(\"s\".\"t\".\"v\" IS NOT tidemark_new.\"v\")");
}

TEST_CASE("the scope bounds every statement, and a foreign key row collides", "[sql][replace]") {
  Replacement replacement = replacement_of();
  replacement.scope = {{"v", "it's"}};
  const TestDialect dialect;
  const ReplaceStatements statements = replace_statements(replacement, dialect);
  CHECK(statements.erase.starts_with(
      "DELETE FROM \"s\".\"t\" WHERE \"s\".\"t\".\"v\" = 'it''s' AND NOT EXISTS ("));
  CHECK(statements.update.ends_with(" AND \"s\".\"t\".\"v\" = 'it''s'"));
  CHECK(statements.insert.ends_with("= tidemark_new.\"id\" AND \"s\".\"t\".\"v\" = 'it''s')"));
  CHECK(outside_scope_query(replacement, dialect) ==
        "SELECT 1 FROM \"m\".\"stage\" AS tidemark_new WHERE tidemark_new.\"v\" IS NULL OR NOT "
        "(tidemark_new.\"v\" = 'it''s') LIMIT 1");
  replacement.scope = {{"id", "7"}};
  CHECK(scope_predicate(replacement.scope, replacement.columns, "x", dialect) == "x.\"id\" = 7");
}

TEST_CASE("without a key all rows of the scope go and come", "[sql][replace]") {
  Replacement replacement = replacement_of();
  replacement.key.clear();
  const TestDialect dialect;
  ReplaceStatements statements = replace_statements(replacement, dialect);
  CHECK(statements.erase == "DELETE FROM \"s\".\"t\"");
  CHECK(statements.update.empty());
  CHECK(statements.insert ==
        "INSERT INTO \"s\".\"t\" (\"id\", \"v\") SELECT tidemark_new.\"id\", tidemark_new.\"v\" "
        "FROM \"m\".\"stage\" AS tidemark_new");
  replacement.scope = {{"v", "x"}};
  CHECK(replace_statements(replacement, dialect).erase ==
        "DELETE FROM \"s\".\"t\" WHERE \"s\".\"t\".\"v\" = 'x'");
  CHECK(duplicate_key_query(replacement, dialect).empty());
}

TEST_CASE("a table of nothing but its key has nothing to update", "[sql][replace]") {
  Replacement replacement = replacement_of();
  replacement.columns.pop_back();
  CHECK(replace_statements(replacement, TestDialect()).update.empty());
}

TEST_CASE("a key that comes twice is found in staging", "[sql][replace]") {
  Replacement replacement = replacement_of();
  replacement.key = {"id", "v\""};
  CHECK(duplicate_key_query(replacement, TestDialect()) ==
        "SELECT 1 FROM \"m\".\"stage\" GROUP BY \"id\", \"v\"\"\" HAVING COUNT(*) > 1 LIMIT 1");
}

TEST_CASE("a job's staging table has one name of its own, short enough everywhere",
          "[sql][replace]") {
  const JobKey job{"prod", JobName(std::string(64, 'x'))};
  const TableName name = staging_table(job, "meta");
  CHECK(name.schema == "meta");
  CHECK(name.name.size() <= 63);
  CHECK(name == staging_table(job, "meta"));
  CHECK(name != staging_table({"prod", JobName(std::string(63, 'x'))}, "meta"));
  CHECK(name != staging_table({"test", job.job}, "meta"));
}
