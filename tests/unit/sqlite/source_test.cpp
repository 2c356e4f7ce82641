#include <catch2/catch.hpp>
#include <filesystem>

#include "database.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const Relation events{.table = TableName{"", "e"}};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> lines;
  for (int number = 1; number <= count; ++number)
    lines.push_back(std::to_string(number));
  return lines;
}

}  // namespace

TEST_CASE("a table is described with its key, its order and what each column means", "[sqlite]") {
  Database database(
      "CREATE TABLE t (b TEXT NOT NULL, a INTEGER, x GEOMETRY, y, "
      "d DECIMAL(9,2), g INT AS (a + 1), PRIMARY KEY (a, b))");
  const auto source = database.connector()->open_source();
  const SourceDescription found = source->describe({.table = TableName{"main", "T"}});
  REQUIRE(found.columns.size() == 6);
  CHECK(found.columns[0].name == "b");
  CHECK_FALSE(found.columns[0].nullable);
  CHECK(found.columns[1].nullable);  // SQLite lets NULL into such a primary key
  CHECK(to_string(found.columns[2].type) == "sqlite:GEOMETRY");
  CHECK(to_string(found.columns[3].type) == "sqlite:any");
  CHECK(found.columns[3].native_type == "any");
  CHECK(found.columns[4].native_type == "DECIMAL(9,2)");
  CHECK(found.columns[5].name == "g");
  CHECK(found.primary_key == std::vector<std::string>{"a", "b"});
  CHECK(found.unsupported.empty());
  CHECK(error_of([&] {
          source->describe({.table = TableName{"other", "t"}});
        }).kind() == FailureKind::schema);
}

TEST_CASE("a query's types come from declared types and casts, never from data", "[sqlite]") {
  Database database(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, d DATETIME);\n"
      "INSERT INTO t VALUES (1, '2024-01-01 00:00:00')");
  const auto source = database.connector()->open_source();
  const SourceDescription found = source->describe(
      {.query = "SELECT t.id AS n, d, CAST(count(*) AS INTEGER) AS c, CAST(d AS TEXT) AS s, "
                "upper(d) AS u FROM t WHERE {{cursor}} GROUP BY 1, 2"});
  REQUIRE(found.columns.size() == 5);
  CHECK(found.columns[0].type.kind == TypeKind::int64);
  CHECK(found.columns[1].type.kind == TypeKind::timestamp);
  CHECK(found.columns[2].type.kind == TypeKind::int64);
  CHECK(found.columns[3].type.kind == TypeKind::text);
  CHECK(to_string(found.columns[4].type) == "sqlite:any");
  // Describing left the session read-only.
  CHECK(error_of([&] { source->describe({.query = "SELECT nothing FROM t"}); }).kind() ==
        FailureKind::schema);
  CHECK(database.sql("SELECT name FROM sqlite_master") == std::vector<std::string>{"t"});
}

TEST_CASE("a value of another storage class is a located data error", "[sqlite]") {
  const auto refused = [](const std::string& declared, const std::string& value) {
    CAPTURE(declared, value);
    Database database("CREATE TABLE t (id INTEGER PRIMARY KEY, v " + declared +
                      ");\nINSERT INTO t VALUES (1, NULL);\nINSERT INTO t VALUES (2, " + value +
                      ")");
    const auto source = database.connector()->open_source();
    const Error error = error_of([&] { read_all(*source, plan_of(*source, "t", "id")); });
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(error.fields().column == "v");
    CHECK(error.fields().row == 1U);
    CHECK(error.fields().table == "t");
    CHECK(std::string(error.what()).find("secretvalue") == std::string::npos);
  };
  refused("INTEGER", "'secretvalue'");
  refused("INTEGER", "1.5");
  refused("SMALLINT", "40000");
  refused("BOOLEAN", "2");
  refused("BIGINT UNSIGNED", "-1");
  refused("REAL", "'secretvalue'");
  refused("FLOAT_BLOB", "0.1");
  refused("DECIMAL(5,2)", "0.125");
  refused("DECIMAL(5,2)", "'secretvalue'");
  refused("VARCHAR(5)", "'secretvalue'");
  refused("VARBINARY(2)", "x'010203'");
  refused("DOUBLE_BLOB", "9007199254740993");
  refused("BIGINT", "9223372036854775808");
  refused("TEXT", "x'00'");
  refused("TEXT", "CAST(x'ff' AS TEXT)");
  refused("BLOB", "'secretvalue'");
  refused("DATE", "'2024-02-30'");
  refused("DATETIME", "1700000000");
  refused("TIMESTAMPTZ", "'yesterday'");
  refused("UUID", "'secretvalue'");
}

TEST_CASE("numbers in a DECIMAL column are read exactly", "[sqlite]") {
  Database database(
      "CREATE TABLE t (v DECIMAL(12,2));\n"
      "INSERT INTO t VALUES (12), (0.1), ('1234567890.25'), (NULL)");
  const auto source = database.connector()->open_source();
  CHECK(read_all(*source, plan_of(*source, "t")) ==
        std::vector<std::string>{"12.00", "0.10", "1234567890.25", "NULL"});
}

TEST_CASE("pages of a read meet without gap or overlap", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY AUTOINCREMENT, c INTEGER NOT NULL, "
      "v TEXT);\n"
      "INSERT INTO e (c, v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM n WHERE i < 1000) SELECT i / 7, hex(zeroblob(i % 50)) FROM n");
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "e", "id", "c");
  plan.columns.resize(2);
  const std::vector<std::string> whole = read_all(*source, plan);
  REQUIRE(whole.size() == 1000);
  plan.batch_rows = 13;
  for (const bool indexed : {false, true}) {
    if (indexed) database.sql("CREATE INDEX e_c ON e (c, id)");
    CHECK(read_all(*source, plan) == whole);
  }
  plan.max_rows = 500;
  CHECK(read_all(*source, plan).size() == 500);
  plan = plan_of(*source, "e", "id", "c");
  plan.batch_bytes = 300;
  CHECK(read_all(*source, plan).size() == 1000);
}

TEST_CASE("no read transaction stays open between two batches of an indexed read", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY AUTOINCREMENT, c INTEGER NOT NULL);\n"
      "INSERT INTO e (c) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
      "FROM n WHERE i < 100) SELECT i FROM n;\nCREATE INDEX e_c ON e (c, id)");
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "e", "id", "c");
  plan.batch_rows = 10;
  const auto reader = source->read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  REQUIRE(reader->next(batch));
  // A checkpoint that may reset the log needs every reader to have gone.
  CHECK(database.sql("INSERT INTO e (c) VALUES (101);\nPRAGMA wal_checkpoint(TRUNCATE)") ==
        std::vector<std::string>{"0|0|0"});
  std::size_t rows = batch.rows();
  while (reader->next(batch))
    rows += batch.rows();
  CHECK(rows == 101);
}

TEST_CASE("a read without a cursor is one snapshot", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY);\n"
      "INSERT INTO e WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 100) SELECT i FROM n");
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "e", "id");
  plan.batch_rows = 10;
  const auto reader = source->read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  REQUIRE(reader->next(batch));
  database.sql("DELETE FROM e WHERE id > 50");
  std::size_t rows = batch.rows();
  while (reader->next(batch))
    rows += batch.rows();
  CHECK(rows == 100);
}

TEST_CASE("a key that is not unique is told where pages meet", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER, c INTEGER NOT NULL);\n"
      "INSERT INTO e VALUES (1, 1), (1, 1), (1, 1), (1, 1)");
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "e", "id", "c");
  plan.batch_rows = 2;
  const Error error = error_of([&] { read_all(*source, plan); });
  CHECK(error.kind() == FailureKind::constraint);
  CHECK(std::string(error.what()).find("the key is not unique") != std::string::npos);
}

TEST_CASE("a cursor in any one form of ISO text resumes exactly", "[sqlite]") {
  for (const std::string format :
       {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%f", "%Y-%m-%dT%H:%M:%fZ"}) {
    CAPTURE(format);
    Database database("CREATE TABLE e (id INTEGER PRIMARY KEY, c " +
                      std::string(format.ends_with("Z") ? "TIMESTAMPTZ" : "DATETIME") +
                      " NOT NULL);\nINSERT INTO e WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                      "SELECT i + 1 FROM n WHERE i < 60) SELECT i, strftime('" +
                      format + "', 2460000.5 + i * 0.25 / 86400) FROM n");
    const auto source = database.connector()->open_source();
    ReadPlan plan = plan_of(*source, "e", "id", "c");
    const std::vector<std::string> whole = read_all(*source, plan);
    REQUIRE(whole.size() == 60);
    std::vector<std::string> pieces;
    plan.max_rows = 1;
    for (;;) {
      const auto reader = source->read(plan);
      Batch batch(std::make_shared<const Schema>(plan.columns));
      if (!reader->next(batch)) break;
      pieces.push_back(lines_of(batch).front());
      REQUIRE(pieces.size() <= 60);
      plan.after = Position{value_at(batch.column(1), 0), {value_at(batch.column(0), 0)}};
    }
    CHECK(pieces == whole);
  }
}

TEST_CASE("cursor texts that do not sort by time are refused, not passed over", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY, c DATETIME NOT NULL);\n"
      "INSERT INTO e VALUES (1, '2024-01-01 12:00:00'), (2, '2024-01-01T11:00:00')");
  const auto source = database.connector()->open_source();
  const Error error = error_of([&] { read_all(*source, plan_of(*source, "e", "id", "c")); });
  CHECK(error.kind() == FailureKind::conversion);
  CHECK(error.fields().column == "c");
}

TEST_CASE("the catalogue shows how a cursor gets its values", "[sqlite]") {
  Database database(
      "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, r INTEGER, "
      "u DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, "
      "l DATETIME DEFAULT (datetime('now', 'localtime')), p DATETIME, t TEXT);\n"
      "CREATE TABLE b (id INTEGER PRIMARY KEY);\n"
      "CREATE TRIGGER a_touch AFTER UPDATE ON a BEGIN UPDATE a SET u = CURRENT_TIMESTAMP WHERE id "
      "= NEW.id; END;\n"
      "CREATE TRIGGER a_some AFTER UPDATE OF r ON a BEGIN UPDATE a SET p = CURRENT_TIMESTAMP WHERE "
      "id = NEW.id; END");
  const auto source = database.connector()->open_source();
  const auto inspect = [&](const std::string& table, const std::string& column) {
    return source->inspect({.table = TableName{"", table}}, {column, column});
  };
  const CursorEvidence id = inspect("a", "id");
  CHECK(id.proof == ProofKind::single_writer);
  CHECK((id.server_assigned && id.not_null && id.inserts_only));
  CHECK(inspect("b", "id").proof == ProofKind::lookback);
  CHECK(inspect("b", "id").obstacles.front().find("AUTOINCREMENT") != std::string::npos);
  CHECK(inspect("a", "r").proof == ProofKind::lookback);
  const CursorEvidence u = inspect("a", "u");
  CHECK(u.proof == ProofKind::single_writer);
  CHECK((u.server_assigned && u.moves_on_write && u.not_null && u.single_timezone));
  const CursorEvidence l = inspect("a", "l");
  CHECK(l.server_assigned);
  CHECK_FALSE(l.single_timezone);
  CHECK_FALSE(l.not_null);
  const CursorEvidence p = inspect("a", "p");
  CHECK_FALSE(p.server_assigned);
  CHECK_FALSE(p.moves_on_write);  // UPDATE OF r is not every update
  CHECK_FALSE(inspect("a", "t").obstacles.empty());
  const CursorEvidence joined = source->inspect(
      {.query = "SELECT a.u AS changed FROM a JOIN b ON b.id = a.id"}, {"changed", "a.u"});
  CHECK(joined.server_assigned);
  CHECK_FALSE(
      source->inspect({.query = "SELECT max(u) AS m FROM a"}, {"m", "u"}).obstacles.empty());
}

TEST_CASE("the mark of ids is behind the highest one that is visible", "[sqlite]") {
  Database database("CREATE TABLE e (id INTEGER PRIMARY KEY AUTOINCREMENT, v INT)");
  const auto source = database.connector()->open_source();
  CHECK(source->horizon(events, {"id", "id"}, ProofKind::single_writer).mark.null);
  database.sql("INSERT INTO e (v) VALUES (1), (2)");
  sqlite::Connection writer(database.settings().path, sqlite::Connection::Opening::read_write,
                            std::chrono::seconds(1));
  writer.execute("BEGIN IMMEDIATE");
  writer.execute("INSERT INTO e (v) VALUES (3)");
  const HorizonToken token = source->horizon(events, {"id", "id"}, ProofKind::single_writer);
  CHECK(token.mark.text == "3");
  CHECK(source->settled(token).settled);
  writer.execute("COMMIT");
  CHECK(source->horizon(events, {"id", "id"}, ProofKind::single_writer).mark.text == "4");
}

TEST_CASE("a time mark never passes what a writer still holds", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY, "
      "c DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);\n"
      "INSERT INTO e VALUES (1, '2024-01-01 00:00:00')");
  const auto source = database.connector()->open_source();
  const CursorRef cursor{"c", "c"};
  sqlite::Connection writer(database.settings().path, sqlite::Connection::Opening::read_write,
                            std::chrono::seconds(1));
  writer.execute("BEGIN IMMEDIATE");
  writer.execute("INSERT INTO e (id) VALUES (2)");
  CHECK(source->horizon(events, cursor, ProofKind::single_writer).mark.text ==
        "2024-01-01 00:00:00");
  writer.execute("ROLLBACK");
  // Nobody writes: the mark may pass the newest row, or that would never settle.
  const Value free = source->horizon(events, cursor, ProofKind::single_writer).mark;
  CHECK((compare_cursor(free, Value::of(free.type, "2024-01-01 00:00:00")) > 0));
  database.settings().access = Access::read;
  const auto reader = database.connector()->open_source();
  CHECK(reader->horizon(events, cursor, ProofKind::single_writer).mark.text ==
        "2024-01-01 00:00:00");
}

TEST_CASE("a row from the future does not carry the mark away", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY, "
      "c DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP);\n"
      "INSERT INTO e VALUES (1, '2024-01-01T00:00:00'), (2, '2099-01-01T00:00:00')");
  database.settings().access = Access::read;
  const auto source = database.connector()->open_source();
  for (const ProofKind proof : {ProofKind::single_writer, ProofKind::lookback})
    CHECK(source->horizon(events, {"c", "c"}, proof).mark.text == "2024-01-01 00:00:00");
}

TEST_CASE("another file in the same place is another source", "[sqlite]") {
  Database database("CREATE TABLE e (id INTEGER PRIMARY KEY AUTOINCREMENT)");
  const auto source = database.connector()->open_source();
  const HorizonToken token = source->horizon(events, {"id", "id"}, ProofKind::single_writer);
  std::filesystem::rename(database.settings().path, database.settings().path + ".old");
  database.sql("CREATE TABLE e (id INTEGER PRIMARY KEY AUTOINCREMENT)");
  CHECK(source->settled(token).lost);
}

TEST_CASE("a large table is split at its key", "[sqlite]") {
  Database database(
      "CREATE TABLE e (id INTEGER PRIMARY KEY);\n"
      "INSERT INTO e WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 20000) SELECT i FROM n");
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "e", "id");
  const auto ranges = source->split(plan.relation, plan.key, 4);
  REQUIRE(ranges.size() == 4);
  CHECK(ranges.front().lower.empty());
  CHECK(ranges.back().upper.empty());
  std::vector<std::string> pieces;
  for (const KeyRange& range : ranges) {
    plan.range = range;
    const auto part = read_all(*source, plan);
    CHECK(part.size() >= 4999);
    pieces.insert(pieces.end(), part.begin(), part.end());
  }
  CHECK(pieces == numbers(20000));
}

TEST_CASE("a source can't write, not even through a query", "[sqlite]") {
  Database database("CREATE TABLE e (id INTEGER PRIMARY KEY)");
  for (const Access access : {Access::write, Access::read}) {
    database.settings().access = access;
    const auto source = database.connector()->open_source();
    ReadPlan plan;
    plan.relation.query = "WITH x AS (SELECT 1) DELETE FROM e";
    plan.columns = {{"id", make_type(TypeKind::int64)}};
    CHECK_THROWS_AS(source->read(plan), Error);
  }
}
