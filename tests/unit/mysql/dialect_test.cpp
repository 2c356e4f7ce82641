// Quoting, literals, the type map and what fits into what.
#include "connector/mysql/dialect.h"

#include <catch2/catch.hpp>

#include "connector/mysql/types.h"
#include "core/error.h"

using namespace tidemark;
using namespace tidemark::mysql;

namespace {

const MysqlDialect mariadb({.mariadb = true, .version = 101119});
const MysqlDialect mysql8({.mariadb = false, .version = 80036});

std::string literal(const Type& type, const char* text) {
  return mariadb.literal(Value::of(type, text));
}

Fidelity fit(const Type& from, const Type& into) {
  return mariadb.fits({.name = "c", .type = from}, {.name = "c", .type = into}).fidelity;
}

}  // namespace

TEST_CASE("names are quoted and refuse NUL", "[unit][mysql]") {
  CHECK(mariadb.quote("a`b") == "`a``b`");
  CHECK(mariadb.table({"s", "t"}) == "`s`.`t`");
  CHECK_THROWS_AS(mariadb.quote(std::string_view("a\0b", 3)), Error);
}

TEST_CASE("values are written typed, text and bytes as hex", "[unit][mysql]") {
  CHECK(literal(make_type(TypeKind::uint64), "18446744073709551615") == "18446744073709551615");
  CHECK(literal(make_type(TypeKind::boolean), "true") == "1");
  CHECK(literal(make_type(TypeKind::float64), "0.1") == "0.1e0");
  CHECK(literal(make_type(TypeKind::float64), "5e-324") == "5e-324");
  CHECK(literal(decimal_type(10, 2), "-1.50") == "-1.50");
  CHECK(literal(text_type(), "a'\\") == "_utf8mb4 X'61275c'");
  CHECK(literal(text_type(), "") == "_utf8mb4 X''");
  CHECK(literal(bytes_type(), "00ff") == "X'00ff'");
  CHECK(literal(make_type(TypeKind::date), "2024-02-29") == "DATE'2024-02-29'");
  CHECK(literal(make_type(TypeKind::time), "-838:59:59") == "TIME'-838:59:59'");
  CHECK(literal(make_type(TypeKind::instant), "2024-02-29 12:00:00.5+00") ==
        "TIMESTAMP'2024-02-29 12:00:00.5'");
  CHECK(mariadb.literal(Value::null_of(text_type())) == "NULL");
}

TEST_CASE("what is no value here is refused, and nothing gets past the types", "[unit][mysql]") {
  CHECK_THROWS_AS(literal(make_type(TypeKind::float64), "NaN"), Error);
  CHECK_THROWS_AS(literal(make_type(TypeKind::float64), "-Infinity"), Error);
  CHECK_THROWS_AS(literal(decimal_type(5, 0), "NaN"), Error);
  CHECK_THROWS_AS(literal(make_type(TypeKind::timestamp), "infinity"), Error);
  CHECK_THROWS_AS(literal(make_type(TypeKind::date), "0044-03-15 BC"), Error);
  CHECK_THROWS_AS(literal(make_type(TypeKind::int32), "1; DROP TABLE t"), Error);
  CHECK_THROWS_AS(literal(make_type(TypeKind::date), "2024-01-01' OR '1"), Error);
  CHECK_THROWS_AS(literal(bytes_type(), "zz"), Error);
}

TEST_CASE("every everyday type of the server has its logical type", "[unit][mysql]") {
  const auto type = [](const char* data, const char* column, std::uint32_t length = 0,
                       unsigned precision = 0, int scale = 0, unsigned fraction = 0) {
    return logical_type({.data_type = data,
                         .column_type = column,
                         .length = length,
                         .precision = precision,
                         .scale = scale,
                         .fraction = fraction,
                         .character_set = {},
                         .comment = {}});
  };
  CHECK(type("tinyint", "tinyint(1)") == make_type(TypeKind::int8));
  CHECK(type("tinyint", "tinyint(3) unsigned") == make_type(TypeKind::uint8));
  CHECK(type("mediumint", "mediumint(9)") == make_type(TypeKind::int32));
  CHECK(type("int", "int(10) unsigned zerofill") == make_type(TypeKind::uint32));
  CHECK(type("bigint", "bigint(20) unsigned") == make_type(TypeKind::uint64));
  CHECK(type("decimal", "decimal(65,30)", 0, 65, 30) == decimal_type(65, 30));
  CHECK(type("float", "float") == make_type(TypeKind::float32));
  CHECK(type("varchar", "varchar(20)", 20) == text_type(20));
  CHECK(type("char", "char(4)", 4)->fixed);
  CHECK(type("text", "text", 65535) == text_type());
  CHECK(type("varbinary", "varbinary(16)", 16) == bytes_type(16));
  CHECK(type("longblob", "longblob") == bytes_type());
  CHECK(type("time", "time(3)", 0, 0, 0, 3) == time_type(TypeKind::time, 3));
  CHECK(type("datetime", "datetime(6)", 0, 0, 0, 6) == time_type(TypeKind::timestamp, 6));
  CHECK(type("timestamp", "timestamp", 0, 0, 0, 0) == time_type(TypeKind::instant, 0));
  CHECK(type("uuid", "uuid") == make_type(TypeKind::uuid));
  CHECK(type("json", "json") == make_type(TypeKind::json));
  CHECK(type("year", "year(4)") == make_type(TypeKind::int16));
  for (const char* name : {"bit(9)", "enum('a')", "set('a')", "inet4", "inet6", "point"})
    CHECK(type(std::string(name).substr(0, std::string(name).find('(')).c_str(), name)->origin ==
          std::string("mysql:") + name);
  CHECK_FALSE(type("vector", "vector(3)"));
}

TEST_CASE("marks on columns made by us bring their type back", "[unit][mysql]") {
  NativeColumn column{.data_type = "datetime",
                      .column_type = "datetime(6)",
                      .fraction = 6,
                      .character_set = {},
                      .comment = std::string(instant_comment)};
  CHECK(logical_type(column) == time_type(TypeKind::instant, 6));
  column = {.data_type = "tinyint",
            .column_type = "tinyint(1)",
            .character_set = {},
            .comment = std::string(boolean_comment)};
  CHECK(logical_type(column) == make_type(TypeKind::boolean));
  column = {.data_type = "longtext",
            .column_type = "longtext",
            .character_set = {},
            .comment = {},
            .json_check = true};
  CHECK(logical_type(column) == make_type(TypeKind::json));
}

TEST_CASE("columns are made so that nothing is lost", "[unit][mysql]") {
  const auto made = [](const MysqlDialect& dialect, const Type& type, bool key = false) {
    return dialect.column_type({.name = "c", .type = type}, key);
  };
  CHECK(made(mariadb, text_type(20)).target_type ==
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");
  CHECK(made(mysql8, text_type(20)).target_type ==
        "VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin");
  CHECK(made(mariadb, text_type(5000)).target_type.starts_with("LONGTEXT"));
  CHECK(made(mariadb, text_type(), true).target_type.starts_with("VARCHAR(255)"));
  // What is held as it is has no reason to be told, but may have a bound worth a note.
  for (const ColumnVerdict& verdict :
       {made(mariadb, text_type(), true), made(mariadb, make_type(TypeKind::float64)),
        made(mariadb, decimal_type(0, 0)), made(mariadb, make_type(TypeKind::uuid)),
        made(mysql8, make_type(TypeKind::json))}) {
    CAPTURE(verdict.target_type);
    CHECK(verdict.fidelity == Fidelity::lossless);
    CHECK(verdict.reason.empty());
    CHECK_FALSE(verdict.note.empty());
  }
  CHECK(made(mysql8, make_type(TypeKind::uuid)).note.empty());
  CHECK(made(mariadb, make_type(TypeKind::instant)).target_type.starts_with("DATETIME(6)"));
  CHECK(made(mariadb, make_type(TypeKind::uuid)).target_type == "UUID");
  CHECK(made(mysql8, make_type(TypeKind::uuid)).target_type.starts_with("CHAR(36)"));
  CHECK(made(mariadb, decimal_type(0, 0)).target_type == "DECIMAL(65,30)");
  CHECK(made(mariadb, decimal_type(70, 2)).fidelity == Fidelity::impossible);
  CHECK(made(mariadb, make_type(TypeKind::interval)).fidelity == Fidelity::lossless);
}

TEST_CASE("a verdict tells what an existing column would lose", "[unit][mysql]") {
  const auto int16 = make_type(TypeKind::int16);
  const auto int32 = make_type(TypeKind::int32);
  const auto uint32 = make_type(TypeKind::uint32);
  const auto int64 = make_type(TypeKind::int64);
  const auto float64 = make_type(TypeKind::float64);
  CHECK(fit(int16, int32) == Fidelity::lossless);
  CHECK(fit(int32, int16) == Fidelity::lossy);
  CHECK(fit(uint32, int64) == Fidelity::lossless);
  CHECK(fit(uint32, int32) == Fidelity::lossy);
  CHECK(fit(int16, uint32) == Fidelity::lossy);
  CHECK(fit(int32, float64) == Fidelity::lossless);
  CHECK(fit(int64, float64) == Fidelity::lossy);
  CHECK(fit(int64, decimal_type(19, 0)) == Fidelity::lossless);
  CHECK(fit(decimal_type(18, 0), int64) == Fidelity::lossless);
  CHECK(fit(decimal_type(12, 4), decimal_type(12, 2)) == Fidelity::lossy);
  CHECK(fit(decimal_type(0, 0), decimal_type(65, 30)) == Fidelity::lossless);
  CHECK(fit(decimal_type(0, 0), decimal_type(20, 2)) == Fidelity::lossy);
  CHECK(fit(text_type(10), text_type(20)) == Fidelity::lossless);
  CHECK(fit(text_type(), text_type(20)) == Fidelity::lossy);
  CHECK(fit(text_type(10), bytes_type()) == Fidelity::impossible);
  CHECK(fit(make_type(TypeKind::instant), make_type(TypeKind::timestamp)) == Fidelity::lossy);
  CHECK(fit(make_type(TypeKind::timestamp), make_type(TypeKind::instant)) == Fidelity::impossible);
  CHECK(fit(time_type(TypeKind::timestamp, 6), time_type(TypeKind::timestamp, 0)) ==
        Fidelity::lossy);
  CHECK(fit(make_type(TypeKind::json), text_type()) == Fidelity::lossless);
  CHECK(fit(make_type(TypeKind::uuid), text_type(36)) == Fidelity::lossless);
}

TEST_CASE("a column is widened only where the catalogue's rest of it can be said again",
          "[unit][mysql]") {
  const MysqlDialect planning({}, {{"note", " NOT NULL"}});
  CHECK(planning.widen({"s", "t"}, {.name = "note", .type = text_type(5)}, "VARCHAR(9)") ==
        "ALTER TABLE `s`.`t` MODIFY COLUMN `note` VARCHAR(9) NOT NULL");
  CHECK_FALSE(planning.widen({"s", "t"}, {.name = "other", .type = text_type(5)}, "VARCHAR(9)"));
}
