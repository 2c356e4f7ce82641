// Every type there and back on a real server, compared by the server itself.
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "connector/mysql/target.h"
#include "connector/mysql/type_samples.h"
#include "core/error.h"
#include "on_server.h"

using namespace tidemark;
using namespace tidemark::test;
using mysql::MysqlTarget;
using mysql::native_type;

namespace {

std::string ask(const std::string& statements) {
  return shared_mariadb().sql(statements);
}

struct Case {
  const char* type;
  std::vector<const char*> values;  ///< as SQL
  const char* random = "NULL";      ///< an expression over `seq`, for 60 rows more
};

/// Geometries of every kind share their values' columns with `geometry`.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"tinyint(4)", {"-128", "127", "0"}, "seq % 256 - 128"},
      {"tinyint(1)", {"-128", "127", "2"}, "seq % 3"},
      {"tinyint(3) unsigned", {"0", "255"}, "seq % 256"},
      {"smallint(6)", {"-32768", "32767"}, "seq * 991 % 65536 - 32768"},
      {"mediumint(9)", {"-8388608", "8388607"}, "seq * 99991 % 8388608"},
      {"mediumint(8) unsigned", {"16777215", "0"}, "seq * 99991 % 16777216"},
      {"int(10) unsigned zerofill", {"4294967295", "7"}, "seq * 99999989 % 4294967296"},
      {"bigint(20)", {"-9223372036854775808", "9223372036854775807"}, "-seq * 99999999999989"},
      {"bigint(20) unsigned", {"18446744073709551615", "9223372036854775808"}, "~0 - seq"},
      {"decimal(65,30)",
       {"99999999999999999999999999999999999.999999999999999999999999999999",
        "-0.000000000000000000000000000001", "0", "1e-30"},
       "RAND(seq) * 1e30 + 1e-30"},
      {"decimal(12,2) unsigned", {"9999999999.99", "0.01"}, "seq / 7"},
      {"float",
       {"16777217", "1e-45", "3.4028234663852886e38", "-1.17549e-38", "0.1"},
       "(RAND(seq) - 0.5) * POW(10, seq - 30)"},
      {"double",
       {"0.1", "5e-324", "1.7976931348623157e308", "-2.2250738585072014e-308", "1e15"},
       "(RAND(seq) - 0.5) * POW(10, seq * 5 - 150)"},
      {"bit(1)", {"b'0'", "b'1'"}, "seq % 2"},
      {"bit(9)", {"b'0'", "b'111111111'", "b'100000000'"}, "seq * 37 % 512"},
      {"bit(64)", {"0", "~0", "1", "1 << 63"}, "CAST(seq AS UNSIGNED) * 307445734561825860"},
      {"year(4)", {"0", "1901", "2155", "2000"}, "1901 + seq"},
      {"date", {"'0001-01-01'", "'9999-12-31'", "'2024-02-29'"}, "'2000-01-01' + INTERVAL seq DAY"},
      {"time(6)",
       {"'-838:59:59.999999'", "'838:59:59.999999'", "'-00:00:00.000001'", "0"},
       "SEC_TO_TIME(seq * 12345.678901)"},
      {"time", {"'-838:59:59'", "'24:00:00'"}, "SEC_TO_TIME(-seq * 777)"},
      {"datetime(6)",
       {"'0001-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'"},
       "'2000-01-01' + INTERVAL seq * 1000003 MICROSECOND"},
      {"datetime", {"'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'"}, "NOW() - INTERVAL seq DAY"},
      {"timestamp(6) NULL",
       {"'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"},
       "FROM_UNIXTIME(seq * 31536000.123456)"},
      {"char(10)", {"''", "'ab'", "' x'", "'鸡🐔'", "'0123456789'"}, "CONV(seq * 99991, 10, 36)"},
      {"varchar(10)", {"''", "'x  '", "'\\0a'", "'ÄÖ鸡🐔'"}, "CHAR(seq USING utf8mb4)"},
      {"varchar(10) character set latin1",
       {"'Käse €'", "X'818D8F909D'"},
       "CHAR(160 + seq USING latin1)"},
      {"varchar(10) character set utf8mb3", {"'鸡'", "'é'"}, "CHAR(seq USING utf8mb3)"},
      {"varchar(10) character set utf16", {"'🐔鸡'", "'x'"}, "CHAR(seq USING utf8mb4)"},
      {"varchar(10) character set gbk", {"'鸡汤'", "'a'"}, "CONV(seq, 10, 36)"},
      {"tinytext", {"''", "REPEAT('鸡', 85)"}, "REPEAT('a', seq)"},
      {"text", {"''", "REPEAT('b', 65535)"}, "REPEAT('é', seq)"},
      {"mediumtext", {"''", "REPEAT('🐔', 70000)"}, "REPEAT('c', seq)"},
      {"longtext", {"''", "REPEAT('d', 300000)"}, "REPEAT('e', seq)"},
      {"binary(4)", {"''", "X'00'", "X'01000000'", "X'FFFFFFFF'"}, "UNHEX(LPAD(HEX(seq), 8, '0'))"},
      {"varbinary(10)", {"''", "X'00FF00'", "X'2020'"}, "UNHEX(LPAD(HEX(seq), 4, '0'))"},
      {"tinyblob", {"''", "X'00'"}, "UNHEX(MD5(seq))"},
      {"blob", {"''", "REPEAT(X'00', 65535)"}, "UNHEX(MD5(seq))"},
      {"mediumblob", {"''", "REPEAT(X'FF', 70000)"}, "UNHEX(MD5(seq))"},
      {"longblob", {"''", "REPEAT(X'0A', 300000)"}, "UNHEX(MD5(seq))"},
      {"varchar(200) compressed", {"''", "REPEAT('z', 200)"}, "REPEAT('y', seq)"},
      {"blob compressed", {"''", "REPEAT(X'00', 5000)"}, "UNHEX(MD5(seq))"},
      {"enum('small','Smalls','it''s','1','鸡','a,b')",
       {"1", "3", "'1'", "'鸡'", "'a,b'"},
       "seq % 6 + 1"},
      {"enum('x','y') character set latin1", {"'x'", "'y'"}, "seq % 2 + 1"},
      {"set('a','b','c d','É')", {"0", "'a,b'", "15", "'É'"}, "seq % 16"},
      {"json",
       {"'{\"b\": 1, \"a\": [1.50, 1e400], \"b\": \"\\\\u0000\"}'", "'[]'", "'null'"},
       "CONCAT('{\"n\": ', seq, '}')"},
      {"uuid",
       {"'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffff00'"},
       "UUID()"},
      {"inet4", {"'0.0.0.0'", "'255.255.255.255'"}, "INET_NTOA(seq * 71582788)"},
      {"inet6",
       {"'::'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "'::ffff:1.2.3.4'", "'::1.2.3.4'"},
       "CONCAT('2001:db8::', HEX(seq))"},
      {"geometry",
       {"ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')",
        "ST_GeomFromText('MULTIPOLYGON(((0 0, 0 1, 1 1, 0 0)))', 3857)"},
       "POINT(seq, -seq / 3)"},
      {"point", {"POINT(-1.5, 1e-300)"}, "POINT(seq, 1e300)"},
      {"linestring", {"ST_GeomFromText('LINESTRING(0 0, 1 1)')"}},
      {"polygon", {"ST_GeomFromText('POLYGON((0 0, 0 3, 3 3, 0 0))', 7)"}},
      {"multipoint", {"ST_GeomFromText('MULTIPOINT(0 0, 1 1)')"}},
      {"multilinestring", {"ST_GeomFromText('MULTILINESTRING((0 0, 1 1))')"}},
      {"multipolygon", {"ST_GeomFromText('MULTIPOLYGON(((0 0, 0 1, 1 1, 0 0)))')"}},
      {"geometrycollection", {"ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))')"}},
  };
  return all;
}

std::string column_name(std::size_t at) {
  return "c" + std::to_string(at);
}

constexpr std::size_t edges = 6;

/// A row of NULLs, a row for each edge value, and random rows.
void make_zoo() {
  std::string table = "CREATE TABLE zoo (id INT PRIMARY KEY";
  for (std::size_t at = 0; at < cases().size(); ++at)
    table += ", " + column_name(at) + " " + cases()[at].type;
  std::string rows = "INSERT INTO zoo (id) VALUES (0);";
  for (std::size_t edge = 0; edge < edges; ++edge) {
    std::string values;
    for (const Case& one : cases())
      values += std::string(", ") + (edge < one.values.size() ? one.values[edge] : "NULL");
    rows += "INSERT INTO zoo VALUES (" + std::to_string(edge + 1) + values + ");";
  }
  std::string random;
  for (const Case& one : cases())
    random += std::string(", ") + one.random;
  rows += "INSERT INTO zoo SELECT 100 + seq" + random +
          " FROM (SELECT CAST(seq AS SIGNED) AS seq FROM seq_1_to_60) AS numbers";
  remake("zoo", "SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO';" + table +
                    ") CHARACTER SET utf8mb4;" + rows);
}

Batch read_all(Source& source, const ReadPlan& plan) {
  Batch batch(std::make_shared<const Schema>(plan.columns));
  const auto reader = source.read(plan);
  REQUIRE(reader->next(batch));
  return batch;
}

/// Rows of `zoo` whose column is not the same, byte for byte, in the other table. Where the two are
/// declared otherwise (character set, ZEROFILL), the value's own bytes count.
std::size_t different(const std::string& column, const std::string& type,
                      const std::string& other) {
  std::string before = "BINARY ";
  std::string behind;
  if (type.find("character set") != std::string::npos) {
    before = "BINARY CONVERT(";
    behind = " USING utf8mb4)";
  } else if (type == "float" || type == "double" || type == "year(4)" || type.ends_with("fill")) {
    before.clear();
  }
  const std::string found =
      ask("SET time_zone = '+00:00'; SELECT COUNT(*) FROM zoo a LEFT JOIN " + other +
          " b ON a.id = b.id WHERE b.id IS NULL OR NOT (" + before + "a." + column + behind +
          " <=> " + before + "b." + column + behind + ")");
  return std::stoul(found);
}

void check_zoo(const std::string& copy) {
  for (std::size_t at = 0; at < cases().size(); ++at) {
    CAPTURE(cases()[at].type, copy);
    CHECK(different(column_name(at), cases()[at].type, copy) == 0);
  }
}

}  // namespace

TEST_CASE("TYP every type comes back bit for bit", "[mysql][server][types]") {
  make_zoo();
  const auto source = connect_to_shared()->open_source();
  ReadPlan plan = whole_table(*source, "zoo", {"id"});
  plan.batch_bytes = 64 << 20;
  REQUIRE(plan.columns.size() == cases().size() + 1);
  const Batch batch = read_all(*source, plan);
  REQUIRE(batch.rows() == 67);
  for (const bool bulk : {true, false}) {
    for (const bool made : {true, false}) {
      CAPTURE(bulk, made);
      ask("DROP TABLE IF EXISTS zoo_copy");
      if (!made) ask("CREATE TABLE zoo_copy LIKE zoo");
      MysqlTarget target(shared_mariadb().settings(), bulk);
      const WriteSpec spec = upsert_into("zoo_copy", plan.columns, {"id"});
      CHECK(target.plan(spec).problems.empty());
      CHECK(write_once(target, spec, batch) == WriteCounts{.inserted = batch.rows()});
      CHECK(write_once(target, spec, batch) == WriteCounts{.unchanged = batch.rows()});
      check_zoo("zoo_copy");
      // Through the staging table of an upsert that can't go straight in.
      ask("DELETE FROM zoo_copy; ALTER TABLE zoo_copy ADD extra INT UNIQUE");
      CHECK(write_once(target, spec, batch) == WriteCounts{.inserted = batch.rows()});
      CHECK(write_once(target, spec, batch) == WriteCounts{.unchanged = batch.rows()});
      check_zoo("zoo_copy");
    }
  }
}

TEST_CASE("TYP every type of the catalogue has a verdict", "[mysql][server][types]") {
  std::string columns;
  std::size_t count = 0;
  for (const TypeSample& sample : mysql::type_samples())
    columns += ", c" + std::to_string(++count) + " " + sample.column.native_type +
               (sample.column.native_type.starts_with("timestamp") ? " NULL" : "");
  remake("samples", "CREATE TABLE samples (id INT PRIMARY KEY" + columns + ")");
  const auto source = connect_to_shared()->open_source();
  const auto described = source->describe({.table = TableName{"test", "samples"}});
  CHECK(described.unsupported.empty());
  REQUIRE(described.columns.size() == count + 1);
  std::set<std::string> sampled;
  for (std::size_t at = 0; at < count; ++at) {
    const TypeSample sample = mysql::type_samples()[at];
    CAPTURE(sample.column.native_type);
    CHECK(described.columns[at + 1].type.kind == sample.column.type.kind);
    sampled.insert(
        sample.column.native_type.substr(0, sample.column.native_type.find_first_of("( ")));
  }
  // What the server's own tables use, and what its plugins add, is among the samples.
  std::istringstream names(
      ask("SELECT DISTINCT LOWER(DATA_TYPE) FROM information_schema.COLUMNS UNION SELECT "
          "LOWER(PLUGIN_NAME) FROM information_schema.PLUGINS WHERE PLUGIN_TYPE = 'DATA TYPE'"));
  for (std::string name; std::getline(names, name);) {
    CAPTURE(name);
    CHECK(sampled.contains(name));
  }
}

TEST_CASE("TYP-01 zero and partial dates are carried as texts and come back",
          "[mysql][server][types]") {
  remake("zeros",
         "SET sql_mode = 'ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'; CREATE "
         "TABLE zeros (id INT PRIMARY KEY, d DATE, t DATETIME(3), s TIMESTAMP(6) NULL, y YEAR); "
         "INSERT INTO zeros VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00', 0), (2, "
         "'2024-00-00', '2024-05-00 01:02:03.004', '2024-01-01 00:00:00.000001', 2024), (3, "
         "'2024-02-31', '0000-05-01', NULL, NULL), (4, NULL, NULL, NULL, 1901)");
  const auto source = connect_to_shared()->open_source();
  const auto connector = connect_to_shared();
  for (const bool text : {true, false}) {
    CAPTURE(text);
    ReadPlan plan = whole_table(*source, "zeros", {"id"});
    for (std::size_t at = 1; at < plan.columns.size(); ++at) {
      Column& column = plan.columns[at];
      const Type wanted = text ? text_type() : native_type(column.native_type);
      REQUIRE(source->can_read_as(column, wanted));
      column.type = wanted;
    }
    const Batch batch = read_all(*source, plan);
    CHECK(batch.column(1).bytes_at(0) == "0000-00-00");
    CHECK(batch.column(1).bytes_at(2) == "2024-02-31");
    CHECK(batch.column(2).bytes_at(1) == "2024-05-00 01:02:03.004");
    CHECK(batch.column(3).bytes_at(0) == "0000-00-00 00:00:00.000000");
    CHECK(batch.column(4).bytes_at(0) == "0000");
    ask("DROP TABLE IF EXISTS zeros_copy; CREATE TABLE zeros_copy LIKE zeros");
    const auto target = connector->open_target();
    CHECK(write_once(*target, upsert_into("zeros_copy", plan.columns, {"id"}), batch) ==
          WriteCounts{.inserted = 4});
    CHECK(ask("SELECT COUNT(*) FROM zeros a JOIN zeros_copy b ON a.id = b.id AND BINARY a.d <=> "
              "BINARY b.d AND BINARY a.t <=> BINARY b.t AND BINARY a.s <=> BINARY b.s AND a.y <=> "
              "b.y") == "4\n");
    // A table that the target makes: the user's word decides between a text and a date.
    ask("DROP TABLE zeros_copy");
    CHECK(write_once(*target, upsert_into("zeros_copy", plan.columns, {"id"}), batch) ==
          WriteCounts{.inserted = 4});
    CHECK(ask("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_NAME = 'zeros_copy' "
              "AND COLUMN_NAME = 'd'") == (text ? "longtext\n" : "date\n"));
    CHECK(ask("SELECT COUNT(*) FROM zeros a JOIN zeros_copy b ON a.id = b.id AND BINARY a.d <=> "
              "BINARY b.d") == "4\n");
  }
}

TEST_CASE("TYP-08 the error value of an ENUM is carried, and no other is let through",
          "[mysql][server][types]") {
  remake(
      "mistakes",
      "SET sql_mode = ''; CREATE TABLE mistakes (id INT PRIMARY KEY, e ENUM('a', 'b'), s "
      "VARCHAR(3)); INSERT INTO mistakes VALUES (1, 'b', 'x'), (2, 'zzz', 'y'), (3, NULL, NULL)");
  const auto source = connect_to_shared()->open_source();
  const ReadPlan plan = whole_table(*source, "mistakes", {"id"});
  const Batch batch = read_all(*source, plan);
  for (const bool bulk : {true, false}) {
    CAPTURE(bulk);
    ask("DROP TABLE IF EXISTS mistakes_copy; CREATE TABLE mistakes_copy LIKE mistakes");
    MysqlTarget target(shared_mariadb().settings(), bulk);
    const WriteSpec spec = upsert_into("mistakes_copy", plan.columns, {"id"});
    CHECK(write_once(target, spec, batch) == WriteCounts{.inserted = 3});
    CHECK(write_once(target, spec, batch) == WriteCounts{.unchanged = 3});
    CHECK(ask("SELECT IFNULL(e + 0, 'null') FROM mistakes_copy ORDER BY id") == "2\n0\nnull\n");
    // The same statement would cut a text without an error, where nothing is strict.
    ask("DELETE FROM mistakes_copy; ALTER TABLE mistakes_copy MODIFY s VARCHAR(3) NOT NULL");
    const Batch other = batch_from(plan.columns, {{"9", "", nullptr}});
    const Error error = thrown_by([&] { write_once(target, spec, other); });
    CHECK(error.error_class() == ErrorClass::data);
    CHECK(error.fields().row == 0U);
  }
}

TEST_CASE("TYP-08 labels are not guessed", "[mysql][server][types]") {
  remake("labels", "CREATE TABLE labels (id INT PRIMARY KEY, e ENUM('a', 'b'), s SET('x', 'y'))");
  const Schema schema{
      {"id", make_type(TypeKind::int32), false}, {"e", text_type()}, {"s", text_type()}};
  const auto target = connect_to_shared()->open_target();
  WriteSpec spec = upsert_into("labels", schema, {"id"});
  CHECK(target->plan(spec).problems.size() == 2);
  for (TargetColumn& column : spec.columns)
    column.lossy = Lossy::allow;
  for (const char* label : {"1", "A", "c", "a "}) {
    CAPTURE(label);
    const Error error = thrown_by([&] {
      write_once(*target, spec, batch_from(schema, {{"1", label, nullptr}}));
    });
    CHECK(error.error_class() == ErrorClass::data);
    CHECK(error.fields().column == "e");
    CHECK(std::string(error.what()).find(label + std::string("'")) == std::string::npos);
  }
  CHECK(thrown_by([&] {
          write_once(*target, spec, batch_from(schema, {{"1", "a", "y,x"}}));
        })
            .fields()
            .column == "s");
  CHECK(write_once(*target, spec, batch_from(schema, {{"1", "a", "x,y"}})) ==
        WriteCounts{.inserted = 1});
}

TEST_CASE("TYP-09 characters that Unicode does not have are located errors",
          "[mysql][server][types]") {
  remake("odd",
         "CREATE TABLE odd (id INT PRIMARY KEY, g VARCHAR(10) CHARACTER SET gbk, c VARCHAR(10) "
         "CHARACTER SET cp1257, q VARCHAR(10) CHARACTER SET sjis); INSERT INTO odd VALUES (1, '?', "
         "'?', 'ﾆ?'), (2, NULL, NULL, NULL)");
  const auto source = connect_to_shared()->open_source();
  CHECK(rows_of(*source, "odd", {"id"}) == std::vector<std::string>{"1|?|?|ﾆ?", "2|∅|∅|∅"});
  ask("UPDATE odd SET g = _gbk X'A2AB' WHERE id = 2");
  Error error = thrown_by([&] { rows_of(*source, "odd", {"id"}); });
  CHECK(error.error_class() == ErrorClass::data);
  CHECK(error.fields().column == "g");
  CHECK(error.fields().row == 1U);
  ask("UPDATE odd SET g = NULL, c = _cp1257 X'A1' WHERE id = 2");
  error = thrown_by([&] { rows_of(*source, "odd", {"id"}); });
  CHECK(error.fields().column == "c");
}

TEST_CASE("TYP computed, hidden and versioned columns are read", "[mysql][server][types]") {
  remake(
      "versions",
      "CREATE TABLE versions (id INT PRIMARY KEY, a INT, v INT AS (a + 1) VIRTUAL, p INT AS (a "
      "+ 2) PERSISTENT, h INT INVISIBLE DEFAULT 5, rs TIMESTAMP(6) GENERATED ALWAYS AS ROW "
      "START, re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re)) WITH "
      "SYSTEM VERSIONING; INSERT INTO versions (id, a) VALUES (1, 10); UPDATE versions SET a = "
      "20");
  const auto source = connect_to_shared()->open_source();
  ReadPlan plan = whole_table(*source, "versions", {"id"});
  REQUIRE(plan.columns.size() == 7);
  const auto rows = rows_of(*source, "versions", {"id"});
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].starts_with("1|20|21|22|5|"));
  // As a target: what the server computes is named, the rest is written.
  const auto target = connect_to_shared()->open_target();
  CHECK(target->plan(upsert_into("versions", plan.columns, {"id"})).problems.size() == 4);
  plan.columns.resize(2);
  const Batch batch = batch_from(plan.columns, {{"1", "30"}, {"2", "40"}});
  CHECK(write_once(*target, upsert_into("versions", plan.columns, {"id"}), batch) ==
        WriteCounts{.inserted = 1, .updated = 1});
  CHECK(rows_of(*source, "versions", {"id"}).size() == 2);
}

TEST_CASE("TYP a sequence is refused by name", "[mysql][server][types]") {
  ask("DROP SEQUENCE IF EXISTS numbers; CREATE SEQUENCE numbers");
  const auto source = connect_to_shared()->open_source();
  const Error error = thrown_by([&] { source->describe({.table = TableName{"test", "numbers"}}); });
  CHECK(error.error_class() == ErrorClass::config);
  CHECK(error.fields().table == "test.numbers");
  CHECK(std::string(error.what()).find("sequence") != std::string::npos);
  ask("DROP SEQUENCE numbers");
}

TEST_CASE("TYP-08 a page over an ENUM key goes on where the one before ended",
          "[mysql][server][types]") {
  remake("sizes",
         "CREATE TABLE sizes (e ENUM('small', 'large', 'medium') NOT NULL, b BIT(4) NOT NULL, "
         "PRIMARY KEY (e, b)); INSERT INTO sizes VALUES (1, 1), (1, 9), (2, 3), (2, 10), (3, 0)");
  const auto source = connect_to_shared()->open_source();
  ReadPlan plan = whole_table(*source, "sizes", {"e", "b"});
  std::vector<std::string> seen;
  plan.max_rows = 1;
  for (int page = 0; page < 7; ++page) {
    const auto reader = source->read(plan);
    Batch batch(std::make_shared<const Schema>(plan.columns));
    if (!reader->next(batch)) break;
    seen.push_back(text_of(batch.column(0), 0) + " " + text_of(batch.column(1), 0));
    plan.after = Position{.cursor = Value{},
                          .key = {value_at(batch.column(0), 0), value_at(batch.column(1), 0)}};
  }
  CHECK(seen == std::vector<std::string>{"small 0001", "small 1001", "large 0011", "large 1010",
                                         "medium 0000"});
}
