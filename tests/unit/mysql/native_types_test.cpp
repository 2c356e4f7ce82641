// Types without a logical kind: their texts, and what becomes of them elsewhere. No server.
#include <catch2/catch.hpp>

#include "connector/mysql/cell_form.h"
#include "connector/mysql/dialect.h"
#include "connector/mysql/native_type.h"
#include "connector/mysql/type_samples.h"
#include "core/error.h"

using namespace tidemark;
using namespace tidemark::mysql;

namespace {

const MysqlDialect mariadb(Flavor{.mariadb = true, .version = 101119});
const MysqlDialect mysql8(Flavor{.mariadb = false, .version = 80036});

ColumnVerdict fit(const Type& from, std::string_view into, const std::string& from_name = {}) {
  const NativeColumn native = column_of_type(into);
  return mariadb.fits(
      {.name = "v", .type = from, .native_type = from_name},
      {.name = "v", .type = *logical_type(native), .native_type = native.column_type});
}

}  // namespace

TEST_CASE("labels are read as information_schema writes them", "[unit][mysql]") {
  const auto type = parse_native(R"(enum('a','it''s','back\\slash','x,y','','A'))");
  REQUIRE(type);
  CHECK(type->labels == std::vector<std::string>{"a", "it's", "back\\slash", "x,y", "", "A"});
  CHECK(label_number(*type, "it's") == 2);
  CHECK(label_number(*type, "A") == 6);
  CHECK(label_number(*type, "") == 5);
  CHECK_THROWS_AS(label_number(*type, "b"), Error);
  // Not the first label, which the server would take '1' for.
  CHECK_THROWS_AS(label_number(*type, "1"), Error);
  CHECK(label_number(*parse_native("enum('a')"), "") == 0);
}

TEST_CASE("the labels of a set have one order", "[unit][mysql]") {
  const auto type = parse_native("set('a','b','c d')");
  CHECK(label_mask(*type, "") == 0);
  CHECK(label_mask(*type, "a,c d") == 5);
  CHECK_THROWS_AS(label_mask(*type, "c d,a"), Error);
  CHECK_THROWS_AS(label_mask(*type, "a,a"), Error);
  CHECK_THROWS_AS(label_mask(*type, "x"), Error);
  std::string list;
  std::string all;
  for (int label = 0; label < 64; ++label) {
    list += (label == 0 ? "'l" : ",'l") + std::to_string(label) + "'";
    all += (label == 0 ? "l" : ",l") + std::to_string(label);
  }
  CHECK(label_mask(*parse_native("set(" + list + ")"), all) == UINT64_MAX);
  CHECK_THROWS_AS(label_mask(*parse_native("set(" + list + ",'more')"), "more"), Error);
}

TEST_CASE("a type with more digits than the server has is none", "[unit][mysql]") {
  CHECK(parse_native("bit(64)"));
  CHECK_FALSE(parse_native("bit(65)"));
  CHECK_FALSE(parse_native("time(1587198207)"));
}

TEST_CASE("bits are digits, as many as the type has", "[unit][mysql]") {
  CHECK(bit_digits(std::string("\x01\x05", 2), 9) == "100000101");
  CHECK(bit_digits(std::string("\x00", 1), 1) == "0");
  CHECK(bits_from_digits("100000101") == 261);
  CHECK(bits_from_digits(std::string(64, '1')) == UINT64_MAX);
  CHECK_THROWS_AS(bits_from_digits("12"), Error);
}

TEST_CASE("only the server's own form of a date goes into a date column as a text",
          "[unit][mysql]") {
  const auto fits = [](std::string_view type, std::string_view text) {
    try {
      check_own_form(*parse_native(type), text);
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  CHECK(fits("date", "0000-00-00"));
  CHECK(fits("date", "2024-00-31"));
  CHECK_FALSE(fits("date", "24-1-1"));
  CHECK_FALSE(fits("date", "2024-01-01 00:00:00"));
  CHECK(fits("datetime(3)", "0000-00-00 00:00:00.000"));
  CHECK_FALSE(fits("datetime(3)", "2024-01-01 00:00:00"));
  CHECK_FALSE(fits("datetime", "2024-01-01 00:00:00.5"));
  CHECK(fits("time(6)", "-838:59:59.999999"));
  CHECK(fits("time", "00:00:01"));
  CHECK_FALSE(fits("time", "001:00:00"));
  CHECK(fits("year(4)", "0000"));
  CHECK_FALSE(fits("year(4)", "70"));
}

TEST_CASE("own types are made as they were, others are texts", "[unit][mysql]") {
  const auto made = [](const MysqlDialect& dialect, const std::string& origin) {
    Type type = make_type(TypeKind::native);
    type.origin = origin;
    return dialect.column_type({.name = "v", .type = type}, false).target_type;
  };
  CHECK(made(mariadb, "mysql:bit(9)") == "BIT(9)");
  CHECK(made(mariadb, "postgres:bit(9)") == "BIT(9)");
  CHECK(made(mariadb, "postgres:bit(65)").starts_with("LONGTEXT"));
  CHECK(made(mariadb, "mysql:enum('a','B')").starts_with("ENUM('a','B') CHARACTER SET utf8mb4"));
  CHECK(made(mariadb, "mysql:inet6") == "INET6");
  CHECK(made(mysql8, "mysql:inet6").starts_with("LONGTEXT"));
  CHECK(made(mariadb, "mysql:datetime(3)") == "DATETIME(3)");
  CHECK(made(mariadb, "mysql:point") == "POINT");
  CHECK(made(mariadb, "postgres:inet").starts_with("LONGTEXT"));
  CHECK(made(mariadb, "postgres:integer[]").starts_with("LONGTEXT"));
  CHECK(mariadb.column_type({.name = "v", .type = make_type(TypeKind::interval)}, false)
            .target_type.starts_with("VARCHAR(80)"));
}

TEST_CASE("verdicts on columns of native types", "[unit][mysql]") {
  const auto fidelity = [](const Type& from, std::string_view into, const std::string& name = {}) {
    return fit(from, into, name).fidelity;
  };
  using enum Fidelity;
  CHECK(fidelity(native_type("bit(9)"), "bit(9)") == lossless);
  CHECK(fidelity(native_type("bit(9)"), "bit(10)") == lossy);
  CHECK(fidelity(make_type(TypeKind::boolean), "bit(1)") == lossless);
  CHECK(fidelity(make_type(TypeKind::uint32), "bit(32)") == lossless);
  CHECK(fidelity(make_type(TypeKind::uint32), "bit(31)") == lossy);
  CHECK(fidelity(make_type(TypeKind::int32), "bit(64)") == lossy);
  CHECK(fidelity(make_type(TypeKind::int16), "year(4)", "year(4)") == lossless);
  CHECK(fidelity(make_type(TypeKind::int16), "year(4)", "smallint(6)") == lossy);
  CHECK(fidelity(native_type("enum('a')"), "enum('b','a')") == lossless);
  CHECK(fidelity(native_type("enum('a','c')"), "enum('b','a')") == lossy);
  CHECK(fidelity(native_type("set('a','b')"), "set('a','x','b')") == lossless);
  CHECK(fidelity(native_type("set('a','b')"), "set('b','a')") == lossy);
  CHECK(fidelity(text_type(), "enum('a')") == lossy);
  CHECK(fidelity(native_type("enum('abc')"), "varchar(3)") == lossless);
  CHECK(fidelity(native_type("enum('abc')"), "varchar(2)") == lossy);
  CHECK(fidelity(native_type("inet6"), "inet6") == lossless);
  CHECK(fidelity(text_type(), "inet6") == lossy);
  CHECK(fidelity(native_type("point"), "geometry") == lossless);
  CHECK(fidelity(native_type("geometry"), "point") == lossy);
  CHECK(fidelity(native_type("date"), "date") == lossless);
  CHECK(fidelity(text_type(), "date", "date") == lossless);
  CHECK(fidelity(text_type(), "date", "varchar(10)") == lossy);
  CHECK(fidelity(make_type(TypeKind::date), "date") == lossless);
  CHECK(fidelity(make_type(TypeKind::bytes), "point") == impossible);
}

TEST_CASE("keys compare by number where the server sorts by number", "[unit][mysql]") {
  CHECK(mariadb.literal(Value::of(native_type("enum('b','a')"), "a")) == "2");
  CHECK(mariadb.literal(Value::of(native_type("set('b','a')"), "b,a")) == "3");
  CHECK(mariadb.literal(Value::of(native_type("bit(4)"), "1010")) == "10");
  CHECK(mariadb.literal(Value::of(native_type("inet4"), "1.2.3.4")).starts_with("_utf8mb4 X'"));
}

TEST_CASE("a column is read as text, or as a number, where the user says so", "[unit][mysql]") {
  const auto reads = [](const std::string& native, const Type& type) {
    return can_read_as({.name = "v", .type = {}, .native_type = native}, type);
  };
  CHECK(reads("date", text_type()));
  CHECK(reads("datetime(6)", native_type("datetime(6)")));
  CHECK(reads("datetime(6)", native_type("DATETIME")));
  CHECK_FALSE(reads("datetime(6)", native_type("date")));
  CHECK_FALSE(reads("date", text_type(5)));
  CHECK_FALSE(reads("varchar(5)", text_type()));
  CHECK(reads("bit(1)", make_type(TypeKind::boolean)));
  CHECK(reads("bit(9)", make_type(TypeKind::uint16)));
  CHECK_FALSE(reads("int(11)", make_type(TypeKind::boolean)));
}

TEST_CASE("every sample of a type has a kind and a column", "[unit][mysql]") {
  for (const TypeSample& sample : type_samples()) {
    CAPTURE(sample.column.native_type);
    CHECK(logical_type(column_of_type(sample.column.native_type)));
    CHECK(mariadb.column_type(sample.column, false).fidelity == Fidelity::lossless);
    CHECK(mysql8.column_type(sample.column, false).fidelity == Fidelity::lossless);
  }
}
