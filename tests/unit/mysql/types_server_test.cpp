// Every everyday type, read from a table that the server's own client made.
#include <catch2/catch.hpp>

#include "on_server.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

Error reading_error(const std::string& table) {
  const auto source = connect_to_shared()->open_source();
  return thrown_by([&] { rows_of(*source, table, {"id"}); });
}

}  // namespace

TEST_CASE("integers are read to their bounds", "[mysql][server]") {
  remake("ints",
         "CREATE TABLE ints (id INT PRIMARY KEY, a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d "
         "SMALLINT UNSIGNED, e MEDIUMINT, f MEDIUMINT UNSIGNED, g INT UNSIGNED, h BIGINT, i BIGINT "
         "UNSIGNED, j TINYINT(1), z INT(8) UNSIGNED ZEROFILL);"
         "INSERT INTO ints VALUES (-2147483648, -128, 0, -32768, 0, -8388608, 0, 0, "
         "-9223372036854775808, 0, 7, 5), (2147483647, 127, 255, 32767, 65535, 8388607, 16777215, "
         "4294967295, 9223372036854775807, 18446744073709551615, -1, NULL)");
  const auto source = connect_to_shared()->open_source();
  CHECK(rows_of(*source, "ints", {"id"}) ==
        std::vector<std::string>{
            "-2147483648|-128|0|-32768|0|-8388608|0|0|-9223372036854775808|0|7|5",
            "2147483647|127|255|32767|65535|8388607|16777215|4294967295|9223372036854775807|"
            "18446744073709551615|-1|∅"});
}

TEST_CASE("floats are read with all their bits, decimals with all their digits",
          "[mysql][server]") {
  remake("floats",
         "CREATE TABLE floats (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(65,30), m "
         "DECIMAL(12,2) ZEROFILL, k DECIMAL(20,0));"
         "INSERT INTO floats VALUES (1, 16777215, 0.1, "
         "12345678901234567890123456789012345.123456789012345678901234567890, 1.5, "
         "99999999999999999999), (2, 1.4e-45, 1.7976931348623157e308, "
         "-0.000000000000000000000000000001, 0, -1), (3, 3.4028234663852886e38, 5e-324, 0, 0, 0)");
  const auto source = connect_to_shared()->open_source();
  CHECK(rows_of(*source, "floats", {"id"}) ==
        std::vector<std::string>{
            "1|16777215|0.1|12345678901234567890123456789012345.123456789012345678901234567890|"
            "1.50|99999999999999999999",
            "2|1e-45|1.7976931348623157e+308|-0.000000000000000000000000000001|0.00|-1",
            "3|3.4028235e+38|5e-324|0.000000000000000000000000000000|0.00|0"});
}

TEST_CASE("times are spans, and every fraction counts", "[mysql][server]") {
  remake("times",
         "CREATE TABLE times (id INT PRIMARY KEY, d DATE, t TIME(6), u TIME, dt DATETIME(6), ds "
         "DATETIME, ts TIMESTAMP(6) NULL, t3 DATETIME(3));"
         "SET time_zone = '+00:00';"
         "INSERT INTO times VALUES (1, '1000-01-01', '-838:59:59.999999', '838:59:59', "
         "'1000-01-01 00:00:00', '9999-12-31 23:59:59', '1970-01-01 00:00:01', "
         "'2024-02-29 12:00:00.123'), (2, '9999-12-31', '00:00:00.000001', '-00:00:01', "
         "'9999-12-31 23:59:59.999999', '2000-01-01', '2038-01-19 03:14:07.999999', NULL), "
         "(3, '0001-01-01', '-00:00:00.000001', '24:00:00', '0001-01-01 00:00:00', NULL, NULL, "
         "NULL)");
  const auto source = connect_to_shared()->open_source();
  CHECK(rows_of(*source, "times", {"id"}) ==
        std::vector<std::string>{
            "1|1000-01-01|-838:59:59.999999|838:59:59|1000-01-01 00:00:00|9999-12-31 23:59:59|"
            "1970-01-01 00:00:01+00|2024-02-29 12:00:00.123",
            "2|9999-12-31|00:00:00.000001|-00:00:01|9999-12-31 23:59:59.999999|2000-01-01 "
            "00:00:00|2038-01-19 03:14:07.999999+00|∅",
            "3|0001-01-01|-00:00:00.000001|24:00:00|0001-01-01 00:00:00|∅|∅|∅"});
  const auto description = source->describe({.table = TableName{"test", "times"}});
  CHECK(description.columns[6].type == time_type(TypeKind::instant, 6));
  CHECK(description.columns[7].type == time_type(TypeKind::timestamp, 3));
}

TEST_CASE("texts, bytes, JSON and UUID are read as they are", "[mysql][server]") {
  remake(
      "texts",
      "CREATE TABLE texts (id INT PRIMARY KEY, c CHAR(5), v VARCHAR(20), l1 VARCHAR(20) "
      "CHARACTER SET latin1, t MEDIUMTEXT, b BINARY(4), vb VARBINARY(9), bl LONGBLOB, j JSON, u "
      "UUID);"
      "INSERT INTO texts VALUES (1, 'ab', 'x  ', 'Käse', REPEAT('🐔', 70000), X'0100', X'00FF00', "
      "X'00', '{\"b\": 1, \"a\": [1.50]}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), (2, '', '', "
      "'', '', '', '', '', '[]', NULL)");
  const auto source = connect_to_shared()->open_source();
  const auto rows = rows_of(*source, "texts", {"id"});
  REQUIRE(rows.size() == 2);
  std::string chickens;
  for (int count = 0; count < 70'000; ++count)
    chickens += "🐔";
  CHECK(rows[0] == "1|ab|x  |Käse|" + chickens +
                       "|01000000|00ff00|00|{\"b\": 1, \"a\": [1.50]}|"
                       "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  CHECK(rows[1] == "2|||||00000000|||[]|∅");
  const auto description = source->describe({.table = TableName{"test", "texts"}});
  CHECK(description.columns[1].type.fixed);
  CHECK(description.columns[2].type == text_type(20));
  CHECK(description.columns[8].type == make_type(TypeKind::json));
  CHECK(description.primary_key == std::vector<std::string>{"id"});
}

TEST_CASE("a query's columns have the native types behind them", "[mysql][server]") {
  remake("others",
         "CREATE TABLE others (id INT PRIMARY KEY, b BIT(9), y YEAR, e ENUM('a','b'), s "
         "SET('a','b'), i INET6, g POINT)");
  const auto source = connect_to_shared()->open_source();
  const auto types = [&](const SourceDescription& description) {
    std::vector<std::string> names;
    for (const Column& column : description.columns)
      names.push_back(to_string(column.type));
    CHECK(description.unsupported.empty());
    return names;
  };
  const std::vector<std::string> all{
      "int32",       "mysql:bit(9)", "int16", "mysql:enum('a','b')", "mysql:set('a','b')",
      "mysql:inet6", "mysql:point"};
  CHECK(types(source->describe({.table = TableName{"test", "others"}})) == all);
  Relation query;
  query.query = "SELECT * FROM others WHERE {{cursor}}";
  CHECK(types(source->describe(query)) == all);
}

TEST_CASE("zero and partial dates are located data errors", "[mysql][server]") {
  for (const char* value : {"'0000-00-00'", "'2024-00-10'", "'2024-05-00'", "'0000-05-01'"}) {
    CAPTURE(value);
    remake("zeros", std::string("CREATE TABLE zeros (id INT PRIMARY KEY, d DATE, e DATETIME); SET "
                                "sql_mode = ''; INSERT INTO zeros VALUES (1, '2024-01-01', NULL), "
                                "(2, ") +
                        value + ", NULL)");
    const Error error = reading_error("zeros");
    CHECK(error.error_class() == ErrorClass::data);
    CHECK(error.fields().column == "d");
    CHECK(error.fields().row == 1U);
  }
  remake("zeros",
         "CREATE TABLE zeros (id INT PRIMARY KEY, e TIMESTAMP NOT NULL DEFAULT 0); SET sql_mode = "
         "''; INSERT INTO zeros VALUES (1, 0)");
  CHECK(reading_error("zeros").fields().column == "e");
}

TEST_CASE("a query's columns have the types of the tables behind them", "[mysql][server]") {
  remake("base",
         "CREATE TABLE base (id BIGINT UNSIGNED PRIMARY KEY, note VARCHAR(30) NOT NULL, amount "
         "DECIMAL(12,4), at DATETIME(3), doc JSON, u UUID, flag TINYINT(1), tx MEDIUMTEXT)");
  const auto source = connect_to_shared()->open_source();
  Relation query;
  query.query =
      "SELECT id, note AS remark, amount, at, doc, u, flag, tx, amount * 2 AS twice, id + 1 AS "
      "next, UPPER(note) AS loud, NOW(6) AS n FROM base WHERE {{cursor}}";
  const auto description = source->describe(query);
  CHECK(description.unsupported.empty());
  std::vector<std::string> types;
  for (const Column& column : description.columns)
    types.push_back(column.name + " " + to_string(column.type));
  CHECK(types ==
        std::vector<std::string>{
            "id " + to_string(make_type(TypeKind::uint64)), "remark " + to_string(text_type(30)),
            "amount " + to_string(decimal_type(12, 4)),
            "at " + to_string(time_type(TypeKind::timestamp, 3)),
            "doc " + to_string(make_type(TypeKind::json)),
            "u " + to_string(make_type(TypeKind::uuid)),
            "flag " + to_string(make_type(TypeKind::int8)), "tx " + to_string(text_type()),
            "twice " + to_string(decimal_type(13, 4)),
            "next " + to_string(make_type(TypeKind::uint64)), "loud " + to_string(text_type(30)),
            "n " + to_string(time_type(TypeKind::timestamp, 6))});
}

TEST_CASE("what is read goes back as it was, and is then unchanged", "[mysql][server]") {
  remake(
      "edge",
      "CREATE TABLE edge (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(65,30), t TIME(6), dt "
      "DATETIME(6), ts TIMESTAMP(6) NULL, v VARCHAR(50), b VARBINARY(50), j JSON, u UUID, da "
      "DATE, i BIGINT UNSIGNED); SET time_zone = '+00:00';"
      "INSERT INTO edge VALUES (0, 0.1, 0.1, 1e-30, '-838:59:59.999999', '9999-12-31 "
      "23:59:59.999999', '2037-12-31 23:59:59.999999', 'a\\tb''\\\\ 🐔  ', X'00FF27', '{\"a\": 1}', "
      "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '1000-01-01', 18446744073709551615), (2, NULL, "
      "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL); DROP TABLE IF EXISTS "
      "edge_copy; CREATE TABLE edge_copy LIKE edge");
  const auto connector = connect_to_shared();
  const auto source = connector->open_source();
  const auto target = connector->open_target();
  const ReadPlan plan = whole_table(*source, "edge", {"id"});
  Batch batch(std::make_shared<const Schema>(plan.columns));
  {
    const auto reader = source->read(plan);
    REQUIRE(reader->next(batch));
    REQUIRE(batch.rows() == 2);
  }
  const WriteSpec spec = upsert_into("edge_copy", plan.columns, {"id"});
  CHECK(write_once(*target, spec, batch) == WriteCounts{.inserted = 2});
  CHECK(write_once(*target, spec, batch) == WriteCounts{.unchanged = 2});
  CHECK(shared_mariadb().sql("CHECKSUM TABLE edge").substr(10) ==
        shared_mariadb().sql("CHECKSUM TABLE edge_copy").substr(15));
  // The server's own word for the types that a text protocol would round.
  CHECK(shared_mariadb().sql("SELECT COUNT(*) FROM edge a JOIN edge_copy b ON a.id = b.id AND a.f "
                             "<=> b.f AND a.d <=> b.d AND a.t <=> b.t AND a.ts <=> b.ts") == "2\n");
}
