// Writing: counts, keys, refused rows, replacement, who holds a job.
#include <catch2/catch.hpp>

#include "connector/mysql/target.h"
#include "core/error.h"
#include "on_server.h"

using namespace tidemark;
using namespace tidemark::test;
using mysql::MysqlTarget;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false},
                    {"code", text_type(20)},
                    {"v", make_type(TypeKind::int64)}};

std::string ask(const std::string& statements) {
  return shared_mariadb().sql(statements);
}

std::string content(const std::string& table) {
  return ask(
      "SELECT GROUP_CONCAT(CONCAT_WS(':', id, IFNULL(code, '-'), IFNULL(v, '-')) ORDER BY id "
      "SEPARATOR ' ') FROM " +
      table);
}

void make_plain(const std::string& table, const std::string& more = "") {
  remake(table,
         "CREATE TABLE " + table + " (id INT PRIMARY KEY, code VARCHAR(20), v BIGINT" + more + ")");
}

}  // namespace

TEST_CASE("both ways to write count alike", "[mysql][server][target]") {
  // Bulk binds as MariaDB has them, VALUES lists as MySQL needs them; one unique index, then two.
  for (const bool bulk : {true, false}) {
    for (const char* more : {"", ", UNIQUE KEY (code)"}) {
      CAPTURE(bulk, more);
      make_plain("counts", more);
      MysqlTarget target(shared_mariadb().settings(), bulk);
      const WriteSpec spec = upsert_into("counts", schema, {"id"});
      const Batch first =
          batch_from(schema, {{"1", "a", "1"}, {"2", "b", nullptr}, {"0", "c", "3"}});
      CHECK(write_once(target, spec, first) == WriteCounts{.inserted = 3});
      CHECK(write_once(target, spec, first) == WriteCounts{.unchanged = 3});
      const Batch second = batch_from(
          schema, {{"1", "a", "9"}, {"2", "b", nullptr}, {"5", "e", "5"}, {"1", "A ", "10"}});
      CHECK(write_once(target, spec, second) ==
            WriteCounts{.inserted = 1, .updated = 1, .unchanged = 1});
      CHECK(content("counts") == "0:c:3 1:A :10 2:b:- 5:e:5\n");
    }
  }
}

TEST_CASE("a large batch goes in pieces and counts to the row", "[mysql][server][target]") {
  make_plain("large");
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("large", schema, {"id"});
  Batch batch(std::make_shared<const Schema>(schema));
  for (std::int32_t row = 0; row < 25'000; ++row) {
    batch.column(0).push(row);
    batch.column(1).push_bytes("code " + std::to_string(row));
    batch.column(2).push(static_cast<std::int64_t>(row));
  }
  CHECK(write_once(*target, spec, batch) == WriteCounts{.inserted = 25'000});
  ask("UPDATE large SET v = 0 WHERE id < 1000; DELETE FROM large WHERE id >= 24000");
  CHECK(write_once(*target, spec, batch) ==
        WriteCounts{.inserted = 1000, .updated = 999, .unchanged = 23'001});
}

TEST_CASE("a refused row is named by its number, its column and nothing of its content",
          "[mysql][server][target]") {
  for (const bool bulk : {true, false}) {
    for (const char* more : {"", ", UNIQUE KEY (code)"}) {
      CAPTURE(bulk, more);
      make_plain("refused", std::string(", CHECK (v < 1000)") + more);
      MysqlTarget target(shared_mariadb().settings(), bulk);
      const WriteSpec spec = upsert_into("refused", schema, {"id"});
      Batch batch(std::make_shared<const Schema>(schema));
      for (std::int32_t row = 0; row < 100; ++row) {
        batch.column(0).push(row);
        batch.column(1).push_bytes("c" + std::to_string(row));
        batch.column(2).push(static_cast<std::int64_t>(row == 77 ? 123'456'789 : row));
      }
      const Error error = thrown_by([&] { write_once(target, spec, batch); });
      CHECK(error.kind() == FailureKind::constraint);
      CHECK(error.fields().row == 77U);
      CHECK(std::string(error.what()).find("123456789") == std::string::npos);
      CHECK(ask("SELECT COUNT(*) FROM refused") == "0\n");
    }
  }
}

TEST_CASE("an appended row that is refused leaves nothing and is named",
          "[mysql][server][target]") {
  make_plain("appended");
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("appended", schema, {}, WriteMode::append);
  const Batch batch = batch_from(
      schema,
      {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", "3"}, {"2", "d", "4"}, {"5", "e", "5"}});
  const Error error = thrown_by([&] { write_once(*target, spec, batch); });
  CHECK(error.kind() == FailureKind::constraint);
  CHECK(error.fields().row == 3U);
  CHECK(ask("SELECT COUNT(*) FROM appended") == "0\n");
}

TEST_CASE("values that the server would change silently are refused before",
          "[mysql][server][target]") {
  remake("silent",
         "CREATE TABLE silent (id INT PRIMARY KEY, n DECIMAL(8,2), t DATETIME(3), v VARCHAR(3), f "
         "DOUBLE, s TIME, c CHAR(4))");
  const auto target = connect_to_shared()->open_target();
  const auto refused = [&](const char* name, const Type& type, const char* value,
                           Lossy lossy = Lossy::error) {
    CAPTURE(name, value);
    const Schema columns{{"id", make_type(TypeKind::int32), false}, {name, type}};
    WriteSpec spec = upsert_into("silent", columns, {"id"});
    spec.columns[1].lossy = lossy;
    const Error error = thrown_by([&] {
      write_once(*target, spec, batch_from(columns, {{"1", value}}));
    });
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(error.fields().column == name);
    CHECK(error.fields().row == 0U);
  };
  refused("v", text_type(), "abc ", Lossy::allow);
  refused("f", make_type(TypeKind::float64), "NaN");
  refused("f", make_type(TypeKind::float64), "-Infinity");
  refused("n", decimal_type(0, 0), "NaN", Lossy::allow);
  refused("t", time_type(TypeKind::timestamp, 3), "infinity");
  refused("t", time_type(TypeKind::timestamp, 3), "10000-01-01 00:00:00");
  refused("t", time_type(TypeKind::timestamp, 3), "0044-03-15 00:00:00 BC");
  refused("s", time_type(TypeKind::time, 0), "839:00:00");
  CHECK(ask("SELECT COUNT(*) FROM silent") == "0\n");
  // With `lossy: allow` the fraction is cut towards the past, not rounded.
  const Schema columns{{"id", make_type(TypeKind::int32), false},
                       {"t", make_type(TypeKind::timestamp)}};
  WriteSpec spec = upsert_into("silent", columns, {"id"});
  CHECK_FALSE(target->plan(spec).problems.empty());
  spec.columns[1].lossy = Lossy::allow;
  write_once(*target, spec, batch_from(columns, {{"1", "2024-01-01 00:00:00.999999"}}));
  CHECK(ask("SELECT t FROM silent") == "2024-01-01 00:00:00.999\n");
}

TEST_CASE("keys that the collation takes for one are an error, not a merge",
          "[mysql][server][target]") {
  const Schema keyed{{"k", text_type(20), false}, {"v", make_type(TypeKind::int64)}};
  for (const char* collation : {"utf8mb4_general_ci", "utf8mb4_bin"}) {
    CAPTURE(collation);
    remake("keyed", std::string("CREATE TABLE keyed (k VARCHAR(20) COLLATE ") + collation +
                        " PRIMARY KEY, v BIGINT)");
    const auto target = connect_to_shared()->open_target();
    const WriteSpec spec = upsert_into("keyed", keyed, {"k"});
    const char* other = std::string(collation).ends_with("_ci") ? "ABC" : "abc ";
    const Error error = thrown_by([&] {
      write_once(*target, spec, batch_from(keyed, {{"abc", "1"}, {other, "2"}}));
    });
    CHECK(error.kind() == FailureKind::constraint);
    CHECK(error.fields().row == 1U);
    CHECK(write_once(*target, spec, batch_from(keyed, {{"abc", "1"}, {"x", "2"}})).inserted == 2);
  }
  // In two batches too, where the collation ignores more than trailing blanks.
  remake("keyed",
         "CREATE TABLE keyed (k VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v BIGINT)");
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("keyed", keyed, {"k"});
  write_once(*target, spec, batch_from(keyed, {{"abc", "1"}}));
  CHECK(thrown_by([&] {
          write_once(*target, spec, batch_from(keyed, {{"y", "1"}, {"Abc", "2"}}));
        })
            .fields()
            .row == 1U);
  CHECK(write_once(*target, spec, batch_from(keyed, {{"abc", "5"}})).updated == 1);
}

TEST_CASE("a target without transactions is refused at plan", "[mysql][server][target]") {
  remake("isam",
         "CREATE TABLE isam (id INT PRIMARY KEY, code VARCHAR(20), v BIGINT) ENGINE=MyISAM");
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("isam", schema, {"id"});
  REQUIRE(target->plan(spec).problems.size() == 1);
  CHECK(thrown_by([&] { target->prepare(spec); }).kind() == FailureKind::schema);
}

TEST_CASE("generated columns are left to the server", "[mysql][server][target]") {
  make_plain("generated", ", twice BIGINT AS (v * 2) STORED");
  const auto target = connect_to_shared()->open_target();
  write_once(*target, upsert_into("generated", schema, {"id"}),
             batch_from(schema, {{"1", "a", "4"}}));
  CHECK(ask("SELECT twice FROM generated") == "8\n");
  Schema all = schema;
  all.push_back({"twice", make_type(TypeKind::int64)});
  CHECK_FALSE(target->plan(upsert_into("generated", all, {"id"})).problems.empty());
}

TEST_CASE("a swap is refused with its reason, whether the table is there or not",
          "[mysql][server][target]") {
  make_plain("swapped");
  const auto target = connect_to_shared()->open_target();
  for (const char* table : {"swapped", "not_there"}) {
    WriteSpec spec = upsert_into(table, schema, {"id"});
    spec.write = WriteMode::replace;
    spec.replace = ReplaceMethod::swap;
    const TargetPlan plan = target->plan(spec);
    REQUIRE(plan.problems.size() == 1);
    CHECK(plan.problems.front().find("Use transaction") != std::string::npos);
  }
}

TEST_CASE("a plan says how rows go in, and why not the short way", "[mysql][server][target]") {
  ask("DROP TABLE IF EXISTS short_way, long_way; CREATE TABLE short_way (id INT PRIMARY KEY, v "
      "BIGINT); CREATE TABLE long_way (id INT PRIMARY KEY, v BIGINT, UNIQUE (v))");
  const auto target = connect_to_shared()->open_target();
  const auto path = [&](const char* table) {
    return target->plan(upsert_into(table, schema, {"id"})).write_path.usual;
  };
  CHECK(path("short_way") == "bulk binds of INSERT … ON DUPLICATE KEY UPDATE");
  CHECK(path("not_there") == path("short_way"));
  CHECK(path("long_way") ==
        "bulk binds of INSERT into a temporary table, then UPDATE and INSERT by key: the table has "
        "another unique index");
}

TEST_CASE("a replacement keeps indexes, grants, views and references", "[mysql][server][target]") {
  ask("DROP VIEW IF EXISTS board_view; DROP TABLE IF EXISTS board_child, board; CREATE TABLE board "
      "(id INT PRIMARY KEY, code VARCHAR(20), v BIGINT, extra INT DEFAULT 7, KEY code_index "
      "(code)) "
      "COMMENT 'kept'; CREATE TABLE board_child (id INT, FOREIGN KEY (id) REFERENCES board (id)); "
      "CREATE VIEW board_view AS SELECT id, v FROM board; INSERT INTO board (id, code, v) VALUES "
      "(1, 'a', 1), (2, 'b', 2), (3, 'c', 3); UPDATE board SET extra = 9; INSERT INTO board_child "
      "VALUES (2); DROP USER IF EXISTS reader@localhost; CREATE USER reader@localhost; GRANT "
      "SELECT "
      "ON test.board TO reader@localhost");
  const std::string before = ask("SHOW CREATE TABLE board; SHOW GRANTS FOR reader@localhost");
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("board", schema, {"id"}, WriteMode::replace);
  CHECK(write_once(*target, spec,
                   batch_from(schema, {{"2", "b", "2"}, {"3", "c", "33"}, {"4", "d", "4"}})) ==
        WriteCounts{.inserted = 1, .updated = 1, .deleted = 1, .unchanged = 1});
  CHECK(ask("SELECT GROUP_CONCAT(CONCAT_WS(':', id, v, extra) ORDER BY id) FROM board") ==
        "2:2:9,3:33:9,4:4:7\n");
  CHECK(ask("SELECT COUNT(*) FROM board_view") == "3\n");
  CHECK(ask("SHOW CREATE TABLE board; SHOW GRANTS FOR reader@localhost") == before);
  CHECK(ask("SHOW TABLES LIKE 'tidemark_stage%'").empty());
  // A row that another still refers to is a data error, and nothing has changed.
  const Error error = thrown_by([&] {
    write_once(*target, spec, batch_from(schema, {{"3", "c", "0"}}));
  });
  CHECK(error.kind() == FailureKind::constraint);
  CHECK(ask("SELECT COUNT(*) FROM board WHERE v <> 0") == "3\n");
  // A key that comes twice is named where it comes again.
  const Error twice = thrown_by([&] {
    write_once(*target, spec,
               batch_from(schema, {{"2", "b", "1"}, {"3", "x", "1"}, {"2", "c", "2"}}));
  });
  CHECK(twice.kind() == FailureKind::constraint);
  CHECK(twice.fields().row == 2U);
}

TEST_CASE("erase deletes by key and counts", "[mysql][server][target]") {
  for (const bool bulk : {true, false}) {
    CAPTURE(bulk);
    make_plain("erased");
    ask("INSERT INTO erased VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
    MysqlTarget target(shared_mariadb().settings(), bulk);
    const WriteSpec spec = upsert_into("erased", schema, {"id"});
    target.prepare(spec);
    const auto load = target.begin(load_spec(target, spec));
    const Schema key{{"id", make_type(TypeKind::int32), false}};
    load->erase(batch_from(key, {{"1"}, {"3"}, {"9"}, {"3"}}));
    CHECK(load->commit() == WriteCounts{.deleted = 2});
    CHECK(content("erased") == "2:b:2\n");
  }
}

TEST_CASE("recovery ends the session that may still commit", "[mysql][server][target]") {
  make_plain("doubt");
  const auto connector = connect_to_shared();
  const auto first = connector->open_target();
  const WriteSpec spec = upsert_into("doubt", schema, {"id"});
  first->prepare(spec);
  const LoadSpec load = load_spec(*first, spec);
  const auto open = first->begin(load);
  open->upsert(batch_from(schema, {{"1", "a", "1"}}));
  open->save({.definition = "d", .revision = 1});
  // The row of the job is locked by `open` now; without the KILL this would wait for it.
  const auto second = connector->open_target();
  const Acquired after =
      second->recover(load.job, {.host = "localhost", .pid = 1, .process = "unit"}, spec.table,
                      std::chrono::seconds(60));
  CHECK(after.granted);
  CHECK(after.fence > load.fence);
  CHECK_FALSE(after.checkpoint);
  const Error lost = thrown_by([&] { open->commit(); });
  CHECK(lost.in_doubt());
  CHECK_FALSE(first->usable());
  CHECK(ask("SELECT COUNT(*) FROM doubt") == "0\n");
}

TEST_CASE("a writer that falls asleep loses its transaction with its lease",
          "[mysql][server][target]") {
  make_plain("asleep");
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("asleep", schema, {"id"});
  target->prepare(spec);
  LoadSpec load = load_spec(*target, spec);
  load.lease = std::chrono::seconds(1);
  const auto open = target->begin(load);
  open->upsert(batch_from(schema, {{"1", "a", "1"}}));
  wait_until("the server to end the idle transaction", [&] {
    return ask("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'tidemark' AND "
               "COMMAND = 'Sleep'") == "0\n";
  });
  CHECK(thrown_by([&] { open->save({.definition = "d"}); }).kind() == FailureKind::connect);
}

TEST_CASE("tables of ours go where metadata_schema says", "[mysql][server][target]") {
  make_plain("elsewhere");
  ask("DROP DATABASE IF EXISTS tidemark_meta");
  ConnectionSettings settings = shared_mariadb().settings();
  settings.metadata_schema = "tidemark_meta";
  const auto target = connect_to(settings)->open_target();
  const WriteSpec spec = upsert_into("elsewhere", schema, {"id"});
  write_once(*target, spec, batch_from(schema, {{"1", "a", "1"}}));
  CHECK(ask("SELECT COUNT(*) FROM tidemark_meta.tidemark_checkpoint") == "1\n");
  ask("DROP DATABASE tidemark_meta");
}

TEST_CASE("a hook has its own transaction and its time", "[mysql][server][target]") {
  make_plain("hooked");
  const auto target = connect_to_shared()->open_target();
  target->run_hook("INSERT INTO hooked VALUES (1, 'h', 1)", std::chrono::seconds(5));
  CHECK(content("hooked") == "1:h:1\n");
  const Error error = thrown_by([&] {
    target->run_hook("INSERT INTO hooked SELECT 2, 'x', BENCHMARK(100000000000, SHA2('x', 512))",
                     std::chrono::milliseconds(300));
  });
  CHECK(error.kind() == FailureKind::timeout);
  CHECK(content("hooked") == "1:h:1\n");
  CHECK(thrown_by([&] { target->run_hook("NOT SQL", std::chrono::seconds(5)); }).kind() ==
        FailureKind::internal);
  // Nothing of the late one was left open for the next transaction to commit.
  CHECK(content("hooked") == "1:h:1\n");
}

TEST_CASE("a column is widened in place when that loses nothing", "[mysql][server][target]") {
  remake("narrow",
         "CREATE TABLE narrow (id INT PRIMARY KEY, code VARCHAR(5) NOT NULL COMMENT "
         "'it''s', v INT)");
  ask("INSERT INTO narrow VALUES (1, 'a', 1)");
  const auto target = connect_to_shared()->open_target();
  WriteSpec spec = upsert_into("narrow", schema, {"id"});
  CHECK(target->plan(spec).problems.size() == 2);
  spec.schema_changes = SchemaChanges::evolve;
  CHECK(target->prepare(spec).statements.size() == 2);
  CHECK(ask("SELECT COLUMN_TYPE, IS_NULLABLE, COLUMN_COMMENT FROM information_schema.COLUMNS WHERE "
            "TABLE_SCHEMA = 'test' AND TABLE_NAME = 'narrow' ORDER BY ORDINAL_POSITION") ==
        "int(11)\tNO\t\nvarchar(20)\tNO\tit's\nbigint(20)\tYES\t\n");
}
