// Target traps: unique values that move, engines, triggers, keys that collide.
#include <catch2/catch.hpp>

#include "connector/mysql/target.h"
#include "core/error.h"
#include "on_server.h"

using namespace tidemark;
using namespace tidemark::test;
using mysql::MysqlTarget;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false},
                    {"code", text_type(20), false},
                    {"v", make_type(TypeKind::int32)}};

std::string ask(const std::string& statements) {
  return shared_mariadb().sql(statements);
}

std::string content(const std::string& table) {
  return ask(
      "SELECT GROUP_CONCAT(CONCAT_WS(':', id, code, IFNULL(v, '-')) ORDER BY id SEPARATOR "
      "' ') FROM " +
      table);
}

void make_codes(const std::string& more = "") {
  ask("DROP TABLE IF EXISTS code_children");
  remake("codes",
         "CREATE TABLE codes (id INT PRIMARY KEY, code VARCHAR(20) NOT NULL UNIQUE, v INT, "
         "extra VARCHAR(20) DEFAULT 'new'" +
             more + "); INSERT INTO codes VALUES (1, 'a', 1, 'x1'" +
             std::string(more.empty() ? "" : ", NULL") + "), (2, 'b', 2, 'x2'" +
             std::string(more.empty() ? "" : ", NULL") + "), (3, 'c', 3, 'x3'" +
             std::string(more.empty() ? "" : ", NULL") + "), (9, 'z', 9, 'x9'" +
             std::string(more.empty() ? "" : ", NULL") + ")");
}

}  // namespace

TEST_CASE("TGT-02 unique values are swapped and passed round within one batch",
          "[mysql][server][target][TGT-02]") {
  for (const bool bulk : {true, false}) {
    CAPTURE(bulk);
    make_codes();
    ask("CREATE TABLE code_children (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) "
        "REFERENCES codes (id) ON DELETE CASCADE); INSERT INTO code_children VALUES (1, 1), (2, "
        "2)");
    MysqlTarget target(shared_mariadb().settings(), bulk);
    const WriteSpec spec = upsert_into("codes", schema, {"id"});
    CHECK(write_once(target, spec, batch_from(schema, {{"1", "b", "1"}, {"2", "a", "2"}})) ==
          WriteCounts{.updated = 2});
    CHECK(content("codes") == "1:b:1 2:a:2 3:c:3 9:z:9\n");
    CHECK(write_once(target, spec,
                     batch_from(schema, {{"1", "a", "1"},
                                         {"2", "c", "2"},
                                         {"3", "b", "30"},
                                         {"4", "d", nullptr},
                                         {"9", "z", "9"}})) ==
          WriteCounts{.inserted = 1, .updated = 3, .unchanged = 1});
    CHECK(content("codes") == "1:a:1 2:c:2 3:b:30 4:d:- 9:z:9\n");
    // A value that a new row takes over from one that moves on.
    CHECK(write_once(target, spec, batch_from(schema, {{"5", "a", "5"}, {"1", "e", "1"}})) ==
          WriteCounts{.inserted = 1, .updated = 1});
    // Neither the columns of others nor the rows that refer to these have been touched.
    CHECK(ask("SELECT GROUP_CONCAT(extra ORDER BY id) FROM codes") == "x1,x2,x3,new,new,x9\n");
    CHECK(ask("SELECT COUNT(*) FROM code_children") == "2\n");
    CHECK(ask("SELECT @@foreign_key_checks") == "1\n");
  }
}

TEST_CASE("TGT-02 a replacement passes unique values round", "[mysql][server][target][TGT-02]") {
  make_codes();
  const auto target = connect_to_shared()->open_target();
  const WriteSpec spec = upsert_into("codes", schema, {"id"}, WriteMode::replace);
  CHECK(write_once(*target, spec,
                   batch_from(schema, {{"1", "b", "1"}, {"2", "a", "2"}, {"3", "z", "3"}})) ==
        WriteCounts{.updated = 3, .deleted = 1});
  CHECK(content("codes") == "1:b:1 2:a:2 3:z:3\n");
  CHECK(ask("SELECT GROUP_CONCAT(extra ORDER BY id) FROM codes") == "x1,x2,x3\n");
}

TEST_CASE("TGT-01 a row outside the batch is met and not changed, and the row is named",
          "[mysql][server][target][TGT-01]") {
  for (const bool bulk : {true, false}) {
    CAPTURE(bulk);
    make_codes();
    MysqlTarget target(shared_mariadb().settings(), bulk);
    const WriteSpec spec = upsert_into("codes", schema, {"id"});
    // Two rows that swap, which is right, and one that meets row 9, which is not.
    const Batch batch = batch_from(
        schema,
        {{"1", "b", "1"}, {"7", "y", "7"}, {"2", "a", "2"}, {"3", "z", "3"}, {"8", "w", "8"}});
    Error error = thrown_by([&] { write_once(target, spec, batch); });
    CHECK(error.kind() == FailureKind::constraint);
    CHECK(error.fields().row == 3U);
    CHECK(error.fields().table == "test.codes");
    CHECK(content("codes") == "1:a:1 2:b:2 3:c:3 9:z:9\n");
    // A new row that meets one.
    error = thrown_by([&] {
      write_once(target, spec, batch_from(schema, {{"5", "y", "5"}, {"6", "a", "6"}}));
    });
    CHECK(error.fields().row == 1U);
    // Two rows of the batch that meet each other.
    error = thrown_by([&] {
      write_once(target, spec, batch_from(schema, {{"5", "y", "5"}, {"6", "y", "6"}}));
    });
    CHECK(error.fields().row == 1U);
    CHECK(content("codes") == "1:a:1 2:b:2 3:c:3 9:z:9\n");
  }
}

TEST_CASE("TGT-04 triggers and ON UPDATE columns are reported", "[mysql][server][target][TGT-04]") {
  make_codes(", touched TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP");
  ask("CREATE TRIGGER codes_change BEFORE UPDATE ON codes FOR EACH ROW SET NEW.extra = 'changed'");
  const auto target = connect_to_shared()->open_target();
  WriteSpec spec = upsert_into("codes", schema, {"id"});
  const TargetPlan plan = target->plan(spec);
  CHECK(plan.problems.empty());
  REQUIRE(plan.notes.size() == 2);
  CHECK(plan.notes[0].find("codes_change") != std::string::npos);
  CHECK(plan.notes[1].find("touched") != std::string::npos);
  // A value that the job writes is the job's, whatever the column would do by itself.
  Schema with = schema;
  with.push_back({"touched", time_type(TypeKind::instant, 0)});
  spec = upsert_into("codes", with, {"id"});
  CHECK(target->plan(spec).notes.size() == 1);
  write_once(*target, spec, batch_from(with, {{"1", "a", "5", "2001-02-03 04:05:06+00"}}));
  CHECK(ask("SET time_zone = '+00:00'; SELECT touched FROM codes WHERE id = 1") ==
        "2001-02-03 04:05:06\n");
}

TEST_CASE("TGT-05 id 0 stays 0 and computed columns are refused by name",
          "[mysql][server][target][TGT-05]") {
  remake("zero",
         "CREATE TABLE zero (id INT AUTO_INCREMENT PRIMARY KEY, code VARCHAR(20) NOT NULL, v "
         "INT, twice INT AS (v * 2))");
  const auto target = connect_to_shared()->open_target();
  CHECK(write_once(*target, upsert_into("zero", schema, {"id"}),
                   batch_from(schema, {{"0", "a", "1"}, {"5", "b", "2"}})) ==
        WriteCounts{.inserted = 2});
  CHECK(content("zero") == "0:a:1 5:b:2\n");
  Schema with = schema;
  with.push_back({"twice", make_type(TypeKind::int32)});
  const auto problems = target->plan(upsert_into("zero", with, {"id"})).problems;
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].find("twice") != std::string::npos);
}

TEST_CASE("TGT-06 keys that only the collation takes for one are errors, and rows stay apart",
          "[mysql][server][target][TGT-06]") {
  const Schema words{{"word", text_type(20), false}, {"v", make_type(TypeKind::int32)}};
  for (const bool bulk : {true, false}) {
    for (const char* other : {"ABC", "abc ", "äbc"}) {
      CAPTURE(bulk, other);
      remake("words",
             "CREATE TABLE words (word VARCHAR(20) CHARACTER SET utf8mb4 COLLATE "
             "utf8mb4_general_ci PRIMARY KEY, v INT); INSERT INTO words VALUES ('abc', 1)");
      MysqlTarget target(shared_mariadb().settings(), bulk);
      const WriteSpec spec = upsert_into("words", words, {"word"});
      CHECK(thrown_by([&] {
              write_once(target, spec, batch_from(words, {{other, "2"}}));
            }).kind() == FailureKind::constraint);
      CHECK(thrown_by([&] {
              write_once(target, spec, batch_from(words, {{"new", "3"}, {"NEW", "4"}}));
            }).kind() == FailureKind::constraint);
      CHECK(ask("SELECT word, v FROM words") == "abc\t1\n");
      // The table that a target makes itself holds them all.
      ask("DROP TABLE words");
      CHECK(write_once(target, spec, batch_from(words, {{"abc", "1"}, {other, "2"}})) ==
            WriteCounts{.inserted = 2});
    }
  }
}

TEST_CASE("TGT-07 a server that is not strict is written to strictly",
          "[mysql][server][target][TGT-07]") {
  MariaDbServer server({"--sql-mode=", "--innodb-strict-mode=0"});
  server.start();
  server.sql(
      "CREATE TABLE loose (id INT PRIMARY KEY, code VARCHAR(3) NOT NULL, v TINYINT CHECK (v < "
      "100))");
  for (const bool bulk : {true, false}) {
    MysqlTarget target(server.settings(), bulk);
    WriteSpec spec = upsert_into("loose", schema, {"id"});
    for (TargetColumn& column : spec.columns)
      column.lossy = Lossy::allow;
    for (const auto& row : std::vector<std::vector<const char*>>{
             {"1", "long", "1"}, {"1", nullptr, "1"}, {"1", "a", "200"}, {"1", "a", "100"}}) {
      CAPTURE(bulk, row[1] == nullptr ? "NULL" : row[1], row[2]);
      const Error error = thrown_by([&] {
        write_once(target, spec, batch_from(schema, {{"7", "ok", "7"}, row}));
      });
      CHECK(error.error_class() == ErrorClass::data);
      CHECK(error.fields().row == 1U);
    }
    CHECK(server.sql("SELECT COUNT(*) FROM loose") == "0\n");
  }
}

TEST_CASE("TGT-09 an engine without transactions is refused", "[mysql][server][target][TGT-09]") {
  for (const char* engine : {"MyISAM", "Aria"}) {
    remake("flat", std::string("CREATE TABLE flat (id INT PRIMARY KEY, code VARCHAR(20), v INT) "
                               "ENGINE=") +
                       engine);
    const auto target = connect_to_shared()->open_target();
    const auto problems = target->plan(upsert_into("flat", schema, {"id"})).problems;
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].find(engine) != std::string::npos);
    CHECK(problems[0].find("InnoDB") != std::string::npos);
  }
}
