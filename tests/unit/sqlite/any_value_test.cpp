// Values of any storage class: their literals, the user's word for a column, and affinities.
#include "connector/sqlite/any_value.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "connector/sqlite/dialect.h"
#include "core/value.h"
#include "database.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// Reads column `v` of `t` in the order of its rows, as the user's `type`, "" for its own.
std::vector<std::string> read_as(Database& database, const std::string& type) {
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "t");
  Column& column = plan.columns[0];
  REQUIRE(column.name == "v");
  if (!type.empty()) {
    REQUIRE(source->can_read_as(column, parse_type(type)));
    column.type = parse_type(type);
    plan.named = {"v"};
  }
  return read_all(*source, plan);
}

Error refused_as(const std::string& declared, const std::string& value, const std::string& type) {
  CAPTURE(declared, value, type);
  Database database("CREATE TABLE t (v " + declared + ");\nINSERT INTO t VALUES (" + value + ")");
  return error_of([&] { read_as(database, type); });
}

/// Random bytes, more often of an ugly kind than not.
std::string random_bytes(std::mt19937& random) {
  static const std::string alphabet("a'\\\"%\0\xff\xc3\xa9\x80 0", 12);
  std::string bytes;
  for (auto left = random() % 12; left > 0; --left)
    bytes += alphabet[random() % alphabet.size()];
  return bytes;
}

double random_double(std::mt19937_64& random) {
  for (;;) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (value == value) return value;  // SQLite has no NaN
  }
}

}  // namespace

TEST_CASE("a value of any class travels as the literal that names it", "[sqlite][any]") {
  Database database(
      "CREATE TABLE t (v);\n"
      "INSERT INTO t VALUES (12), (1.0), (1e300), (9e999), (-9e999), ('it''s'), ('12'), (''), "
      "(x''), "
      "(x'00ff'), (CAST(x'6100' AS TEXT)), (CAST(x'ff' AS TEXT)), (NULL), (-9223372036854775808)");
  CHECK(read_as(database, "") ==
        std::vector<std::string>{"12", "1.0", "1e+300", "9e999", "-9e999", "'it''s'", "'12'", "''",
                                 "X''", "X'00FF'", "CAST(X'6100' AS TEXT)", "CAST(X'FF' AS TEXT)",
                                 "NULL", "-9223372036854775808"});
  // SQLite itself reads each as the value that it stands for.
  for (const std::string& literal : read_as(database, "")) {
    CAPTURE(literal);
    CHECK(database.sql("SELECT count(*) FROM t WHERE v IS " + literal + " AND typeof(v) = typeof(" +
                       literal + ")") == std::vector<std::string>{"1"});
  }
}

TEST_CASE("literals read back to the same bytes in the same class", "[sqlite][any]") {
  constexpr std::uint32_t seed = 20'261'121;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::mt19937_64 wide(seed);
  Database database;
  sqlite::Connection connection(database.settings().path, sqlite::Connection::Opening::create,
                                std::chrono::seconds(10));
  connection.execute("CREATE TABLE t (v)");
  sqlite::Statement insert(connection, "INSERT INTO t VALUES (?1)");
  sqlite::Statement same(connection, "SELECT count(*), max(typeof(v) || hex(v)) FROM t WHERE " +
                                         std::string(sqlite::differs_function) + "(v, ?1) = 0");
  for (int round = 0; round < 500; ++round) {
    connection.execute("DELETE FROM t");
    const std::string bytes = random_bytes(random);
    switch (round % 4) {
      case 0:
        insert.bind(1, static_cast<std::int64_t>(wide()));
        break;
      case 1:
        insert.bind(1, random_double(wide));
        break;
      case 2:
        insert.bind_copy(1, bytes);
        break;
      default:
        insert.bind_blob(1, bytes);
        break;
    }
    insert.run();
    sqlite::Statement select(connection, "SELECT v FROM t");
    REQUIRE(select.step());
    const std::string literal = sqlite::literal_of(select, 0);
    select.reset();
    CAPTURE(to_hex(literal));
    CHECK(is_valid_utf8(literal));
    REQUIRE(sqlite::bind_literal(same, 1, literal));
    REQUIRE(same.step());
    CHECK(same.text(0) == "1");
    same.reset();
  }
}

TEST_CASE("nothing but a literal is taken for one", "[sqlite][any]") {
  for (const char* text :
       {"", "abc", "'a", "a'", "'a'b'", "X'0'", "X'0g'", "1; DROP TABLE t", "nan", "inf", "0x10",
        "NULL", "1e", "--1", "CAST(X'00' AS BLOB)", " 1"}) {
    CAPTURE(text);
    CHECK_FALSE(sqlite::is_literal(text));
  }
}

TEST_CASE("a text is taken for a number exactly where SQLite takes it", "[sqlite][any]") {
  constexpr std::uint32_t seed = 20'261'121;
  CAPTURE(seed);
  std::mt19937 random(seed);
  Database database("CREATE TABLE t (v NUMERIC)");
  sqlite::Connection connection(database.settings().path, sqlite::Connection::Opening::read_write,
                                std::chrono::seconds(10));
  sqlite::Statement probe(connection, "INSERT INTO t VALUES (?1) RETURNING typeof(v) <> 'text'");
  std::vector<std::string> texts{"12",   "012", " 1",    "1 ",    "+1",    "-.5",
                                 "5.",   "1e5", "1e",    "e5",    ".",     "",
                                 "0x1",  "1_0", "inf",   "nan",   "1.5.2", "--1",
                                 "1e+5", "- 1", "12abc", "\t7\n", "1e999", "9223372036854775808"};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (auto left = 1 + random() % 5; left > 0; --left)
      text += "0123456789.eE+- x"[random() % 17];
    texts.push_back(text);
  }
  for (const std::string& text : texts) {
    CAPTURE(text);
    probe.bind_copy(1, text);
    REQUIRE(probe.step());
    CHECK(sqlite::looks_numeric(text) == (probe.text(0) == "1"));
    probe.reset();
  }
}

TEST_CASE("the user's word takes what a declared type does not", "[sqlite][any]") {
  Database database(
      "CREATE TABLE t (v INTEGER);\n"
      "INSERT INTO t VALUES (12), ('abc'), (1.5), (x'00'), (NULL)");
  CHECK(read_as(database, "sqlite:any") ==
        std::vector<std::string>{"12", "'abc'", "1.5", "X'00'", "NULL"});
  database.sql("DELETE FROM t WHERE typeof(v) = 'blob'");
  CHECK(read_as(database, "text") == std::vector<std::string>{"12", "abc", "1.5", "NULL"});
  const Error error = refused_as("INTEGER", "x'00'", "text");
  CHECK(error.kind() == FailureKind::conversion);
  CHECK(error.fields().column == "v");
  CHECK(error.fields().hint.find("sqlite:any") != std::string::npos);
}

TEST_CASE("numbers are times where the user says so", "[sqlite][any]") {
  const auto read = [](const std::string& declared, const std::string& values,
                       const std::string& type) {
    Database database("CREATE TABLE t (v " + declared + ");\nINSERT INTO t VALUES " + values);
    return read_as(database, type);
  };
  CHECK(read("INTEGER", "(0), (1700000000), (-1)", "timestamptz") ==
        std::vector<std::string>{"1970-01-01 00:00:00+00", "2023-11-14 22:13:20+00",
                                 "1969-12-31 23:59:59+00"});
  CHECK(read("REAL", "(2451544.5), (2440587.75)", "timestamp") ==
        std::vector<std::string>{"2000-01-01 00:00:00", "1970-01-01 06:00:00"});
  CHECK(read("DATETIME", "(1700000000), ('2024-02-29 12:00:00')", "timestamp") ==
        std::vector<std::string>{"2023-11-14 22:13:20", "2024-02-29 12:00:00"});
  CHECK(read("DATE", "(86400), (2440587.5), ('2024-02-29')", "date") ==
        std::vector<std::string>{"1970-01-02", "1970-01-01", "2024-02-29"});
  CHECK(refused_as("DATE", "1", "date").kind() == FailureKind::conversion);
  // Milliseconds are years beyond 9999.
  CHECK(refused_as("INTEGER", "1700000000000", "timestamptz").kind() == FailureKind::conversion);
  CHECK(refused_as("REAL", "6000000.5", "timestamp").kind() == FailureKind::conversion);
  // SQLite's own functions say the same.
  Database database(
      "CREATE TABLE t (v REAL);\nINSERT INTO t VALUES (julianday('2024-02-29 13:14:15.678'))");
  CHECK(read_as(database, "timestamp") == std::vector<std::string>{"2024-02-29 13:14:15.678"});
}

TEST_CASE("a STRICT table's ANY converts nothing, any other's does", "[sqlite][any]") {
  Database database(
      "CREATE TABLE t (v ANY) STRICT;\n"
      "INSERT INTO t VALUES ('012'), (12);\n"
      "CREATE TABLE loose (v ANY);\n"
      "INSERT INTO loose VALUES ('012')");
  CHECK(read_as(database, "") == std::vector<std::string>{"'012'", "12"});
  const auto source = database.connector()->open_source();
  CHECK(to_string(source->describe({.table = TableName{"", "t"}}).columns[0].type) == "sqlite:any");
  CHECK(read_all(*source, plan_of(*source, "loose")) == std::vector<std::string>{"12"});
}
