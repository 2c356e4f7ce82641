#include "connector/sql/target_planner.h"

#include <catch2/catch.hpp>

#include "test_dialect.h"

using namespace tidemark;
using namespace tidemark::sql;

namespace {

const TestDialect dialect;

WriteSpec spec_of() {
  WriteSpec spec{.table = {"s", "orders"}, .columns = {}, .key = {"id"}};
  spec.columns.push_back({.column = {"id", make_type(TypeKind::int64), false}});
  spec.columns.push_back({.column = {"name", text_type(20)}});
  return spec;
}

ExistingTable table_of() {
  ExistingTable table;
  table.description.columns = {{"id", make_type(TypeKind::int64), false, "bigint"},
                               {"name", text_type(20), true, "varchar(20)"}};
  table.description.primary_key = {"id"};
  table.unique_indexes = {{"id"}};
  return table;
}

std::string only_problem(const WriteSpec& spec, const std::optional<ExistingTable>& table) {
  const TargetPlan plan = plan_target(spec, table, dialect);
  REQUIRE(plan.problems.size() == 1);
  return plan.problems.front();
}

}  // namespace

TEST_CASE("a missing table is created with its key", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.columns[1].native_type = "citext";
  const TargetPlan plan = plan_target(spec, std::nullopt, dialect);
  CHECK(plan.problems.empty());
  CHECK(plan.statements == std::vector<std::string>{"CREATE TABLE \"s\".\"orders\" (\n"
                                                    "  \"id\" int64 NOT NULL,\n"
                                                    "  \"name\" citext,\n"
                                                    "  PRIMARY KEY (\"id\")\n)"});
  REQUIRE(plan.columns.size() == 2);
  CHECK(plan.columns[1].target_type == "citext");
}

TEST_CASE("hostile names are quoted in DDL", "[sql][planner]") {
  WriteSpec spec{.table = {"", "a\"; --"}, .columns = {}};
  spec.write = WriteMode::append;
  spec.columns.push_back({.column = {"c\" int); --", text_type()}});
  CHECK(plan_target(spec, std::nullopt, dialect).statements.front() ==
        "CREATE TABLE \"a\"\"; --\" (\n  \"c\"\" int); --\" text\n)");
}

TEST_CASE("a table that must not be created is a problem", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.create = CreatePolicy::never;
  CHECK(only_problem(spec, std::nullopt) ==
        "target s.orders: the table does not exist: create it, or set target.create: auto");
}

TEST_CASE("a fitting table needs nothing", "[sql][planner]") {
  const TargetPlan plan = plan_target(spec_of(), table_of(), dialect);
  CHECK(plan.problems.empty());
  CHECK(plan.statements.empty());
  CHECK(plan.drift.empty());
  CHECK(plan.columns.size() == 2);
}

TEST_CASE("a missing column follows schema_changes", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.columns.push_back({.column = {"note", text_type(), false}});
  TargetPlan plan = plan_target(spec, table_of(), dialect);
  CHECK(plan.ignored_columns == std::vector<std::string>{"note"});
  CHECK(plan.drift.size() == 1);
  CHECK(written_columns(spec, plan).size() == 2);

  spec.schema_changes = SchemaChanges::fail;
  CHECK(only_problem(spec, table_of()).find("has no column note") != std::string::npos);

  spec.schema_changes = SchemaChanges::add;
  plan = plan_target(spec, table_of(), dialect);
  CHECK(plan.statements ==
        std::vector<std::string>{"ALTER TABLE \"s\".\"orders\" ADD COLUMN \"note\" text"});
  CHECK(plan.added_columns == std::vector<std::string>{"note"});
  CHECK(written_columns(spec, plan).size() == 3);
}

TEST_CASE("a missing key column can't be added", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.schema_changes = SchemaChanges::add;
  ExistingTable table = table_of();
  table.description.columns.erase(table.description.columns.begin());
  table.unique_indexes = {};
  const TargetPlan plan = plan_target(spec, table, dialect);
  CHECK(plan.statements.empty());
  CHECK(plan.problems.front() ==
        "target s.orders has no column id, which belongs to the key: add it, or correct `key`");
}

TEST_CASE("names that differ in case only are asked about", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.schema_changes = SchemaChanges::add;
  spec.columns[1].column.name = "Name";
  CHECK(only_problem(spec, table_of()).find("differ in case only") != std::string::npos);
}

TEST_CASE("losing data needs the user's word, and the impossible stays so", "[sql][planner]") {
  WriteSpec spec = spec_of();
  ExistingTable table = table_of();
  table.description.columns[0].type = make_type(TypeKind::int16);
  table.description.columns[0].native_type = "smallint";
  CHECK(only_problem(spec, table) ==
        "target s.orders, column id: int64 into smallint would lose data (large numbers do not "
        "fit): set columns.id.lossy: allow if that is what you want, choose the type with .type or "
        ".native_type, or exclude it");
  spec.columns[0].lossy = Lossy::allow;
  CHECK(plan_target(spec, table, dialect).problems.empty());
  table.description.columns[0].type = text_type();
  CHECK(only_problem(spec, table).find("is not possible") != std::string::npos);
}

TEST_CASE("evolve widens a column, and only where nothing is lost", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.schema_changes = SchemaChanges::evolve;
  ExistingTable table = table_of();
  table.description.columns[0].type = make_type(TypeKind::int16);
  table.description.columns[0].native_type = "smallint";
  const TargetPlan plan = plan_target(spec, table, dialect);
  CHECK(plan.problems.empty());
  CHECK(plan.statements ==
        std::vector<std::string>{"ALTER TABLE \"s\".\"orders\" ALTER \"id\" TYPE int64"});
  CHECK(plan.notes.size() == 1);
  // A text column does not become a number.
  table.description.columns[0].type = text_type();
  CHECK(plan_target(spec, table, dialect).statements.empty());
  CHECK(plan_target(spec, table, dialect).problems.size() == 1);
}

TEST_CASE("upsert needs a unique index over exactly the key", "[sql][planner]") {
  WriteSpec spec = spec_of();
  ExistingTable table = table_of();
  table.unique_indexes = {{"id", "name"}};
  CHECK(only_problem(spec, table).find("no unique index over exactly the key (id)") !=
        std::string::npos);
  spec.write = WriteMode::replace;
  const TargetPlan plan = plan_target(spec, table, dialect);
  CHECK(plan.problems.empty());
  CHECK(plan.notes.size() == 1);
  spec.key = {"name", "id"};
  CHECK(is_unique_key(table, spec.key));
  CHECK_FALSE(has_other_unique_index(table, spec.key));
  CHECK(has_other_unique_index(table, {"id"}));
  spec.key.clear();
  spec.write = WriteMode::upsert;
  CHECK(only_problem(spec, table).find("upsert needs a key") != std::string::npos);
}

TEST_CASE("key and scope must be among the written columns", "[sql][planner]") {
  WriteSpec spec = spec_of();
  spec.key = {"other"};
  CHECK(only_problem(spec, std::nullopt).find("belongs to the key, but the job does not write") !=
        std::string::npos);
  spec = spec_of();
  spec.scope = {{"tenant", "x"}};
  CHECK(only_problem(spec, table_of()).find("target.scope names it") != std::string::npos);
}

TEST_CASE("a column that nobody fills is a problem", "[sql][planner]") {
  ExistingTable table = table_of();
  table.description.columns.push_back({"must", text_type(), false, "text"});
  CHECK(only_problem(spec_of(), table).find("column must: it is NOT NULL without a default") !=
        std::string::npos);
  table.defaulted = {"must"};
  CHECK(plan_target(spec_of(), table, dialect).problems.empty());
}

TEST_CASE("a computed column can't be written", "[sql][planner]") {
  ExistingTable table = table_of();
  table.generated = {"name"};
  CHECK(only_problem(spec_of(), table).find("column name: the target computes it itself") !=
        std::string::npos);
}
