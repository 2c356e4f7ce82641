#include "core/value.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <random>

#include "core/error.h"

using namespace tidemark;

namespace {

std::string through(const Type& type, std::string_view text) {
  ColumnData column(type);
  push_text(column, text);
  return text_of(column, 0);
}

}  // namespace

TEST_CASE("canonical text survives the way into a column and back", "[unit][value]") {
  CHECK(through(make_type(TypeKind::uint64), "18446744073709551615") == "18446744073709551615");
  CHECK(through(make_type(TypeKind::int64), "-9223372036854775808") == "-9223372036854775808");
  CHECK(through(make_type(TypeKind::boolean), "t") == "true");
  CHECK(through(decimal_type(0, 0), "+001.50") == "1.50");
  CHECK(through(make_type(TypeKind::uuid), "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}") ==
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  CHECK(through(bytes_type(), "00ff") == "00ff");
  CHECK(through(text_type(), "鸡🐔") == "鸡🐔");
  CHECK(through(make_type(TypeKind::interval), R"({"months":1,"days":-2,"micros":3})") ==
        R"({"months":1,"days":-2,"micros":3})");
}

TEST_CASE("values that do not fit are conversion errors and are not quoted", "[unit][value]") {
  const auto refused = [](const Type& type, std::string_view text) {
    ColumnData column(type);
    try {
      push_text(column, text);
    } catch (const Error& error) {
      CHECK(error.kind() == FailureKind::conversion);
      CHECK(std::string(error.what()).find(text) == std::string::npos);
      CHECK(column.size() == 0);
      return true;
    }
    return false;
  };
  CHECK(refused(make_type(TypeKind::uint8), "256"));
  CHECK(refused(make_type(TypeKind::uint8), "-1"));
  CHECK(refused(make_type(TypeKind::int32), "2147483648"));
  CHECK(refused(make_type(TypeKind::int32), "12x"));
  CHECK(refused(text_type(), "\xff"));
  CHECK(refused(text_type(), "\xed\xa0\x80"));
  CHECK(refused(make_type(TypeKind::uuid), "1234"));
  CHECK(refused(decimal_type(5, 2), "12.3.4"));
  CHECK(refused(make_type(TypeKind::float64), "1e999"));
}

TEST_CASE("floats come back to the same bits", "[unit][value]") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t bits = random();
    double value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isnan(value)) continue;
    ColumnData column(make_type(TypeKind::float64));
    push_text(column, format_float(value));
    const double back = column.at<double>(0);
    REQUIRE(std::memcmp(&back, &value, sizeof(value)) == 0);
  }
  CHECK(through(make_type(TypeKind::float32), "16777216") == "16777216");
  CHECK(through(make_type(TypeKind::float64), "-0") == "-0");
  CHECK(through(make_type(TypeKind::float64), "nan") == "NaN");
}

TEST_CASE("decimals are normalised but keep their scale", "[unit][value]") {
  CHECK(canonical_decimal("1.50") == "1.50");
  CHECK(canonical_decimal("-.5") == "-0.5");
  CHECK(canonical_decimal("-0.00") == "0.00");
  CHECK(canonical_decimal("1e3") == "1000");
  CHECK(canonical_decimal("12.5E-2") == "0.125");
  CHECK(canonical_decimal("123.45e1") == "1234.5");
  CHECK(canonical_decimal("123.45e-5") == "0.0012345");
  CHECK(canonical_decimal("0.001e2") == "0.1");
  CHECK(canonical_decimal(".00e-2") == "0.0000");
  // In one step, however far the point moves.
  CHECK(canonical_decimal("1e-200000") == "0." + std::string(199'999, '0') + "1");
  CHECK(canonical_decimal("1e200000") == "1" + std::string(200'000, '0'));
  CHECK(canonical_decimal("NaN") == "NaN");
  CHECK_THROWS_AS(canonical_decimal(""), Error);
  CHECK_THROWS_AS(canonical_decimal("."), Error);
}

TEST_CASE("cursor order is numeric and chronological, not alphabetical", "[unit][value]") {
  const auto number = [](std::string text) {
    return Value::of(make_type(TypeKind::int64), std::move(text));
  };
  CHECK((compare_cursor(number("9"), number("10")) < 0));
  CHECK((compare_cursor(number("-9"), number("-10")) > 0));
  CHECK((compare_cursor(number("-1"), number("1")) < 0));
  CHECK((compare_cursor(number("18446744073709551615"), number("9223372036854775807")) > 0));
  const auto moment = [](std::string text) {
    return Value::of(make_type(TypeKind::timestamp), std::move(text));
  };
  CHECK((compare_cursor(moment("2024-01-01 00:00:00"), moment("2024-01-01 00:00:00.1")) < 0));
  CHECK((compare_cursor(moment("0001-01-01 00:00:00 BC"), moment("0001-01-01 00:00:00")) < 0));
}

TEST_CASE("a column remembers nulls, pops rows and counts its bytes", "[unit][batch]") {
  ColumnData column(text_type());
  for (int row = 0; row < 20; ++row) {
    if (row % 3 == 0)
      column.push_null();
    else
      column.push_bytes(std::string(static_cast<std::size_t>(row), 'x'));
  }
  CHECK(column.null_count() == 7);
  CHECK(column.is_null(18));
  CHECK(column.bytes_at(19).size() == 19);
  column.pop();
  column.pop();
  CHECK(column.size() == 18);
  CHECK(column.null_count() == 6);
  column.push_bytes("end");
  CHECK(column.bytes_at(18) == "end");
  CHECK_FALSE(column.is_null(18));
  const std::size_t full = column.bytes();
  column.clear();
  CHECK(column.size() == 0);
  CHECK(column.bytes() < full);
}

TEST_CASE("a slice holds the rows asked for", "[unit][batch]") {
  auto schema = std::make_shared<const Schema>(
      Schema{{"id", make_type(TypeKind::int32)}, {"name", text_type()}});
  Batch batch(schema);
  for (std::int32_t row = 0; row < 10; ++row) {
    batch.column(0).push(row);
    batch.column(1).push_bytes("n" + std::to_string(row));
  }
  const Batch part = batch.slice(3, 4);
  CHECK(part.rows() == 4);
  CHECK(part.column(0).at<std::int32_t>(0) == 3);
  CHECK(part.column(1).bytes_at(3) == "n6");
}

TEST_CASE("a fault in UTF-8 is found wherever it stands", "[unit][value]") {
  // Whole groups of ASCII are skipped at a time: what follows one, and what is in its midst,
  // counts.
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string plain(before, 'a');
    for (const std::string& after : {std::string(), std::string("b"), std::string(17, 'b')}) {
      CHECK(is_valid_utf8(plain + after));
      for (const char* good : {"\u00e9", "\u4e2d", "\U0001F642"})
        CHECK(is_valid_utf8(plain + good + after));
      for (const char* bad :
           {"\x80", "\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"})
        CHECK_FALSE(is_valid_utf8(plain + bad + after));
    }
  }
}

TEST_CASE("type names go both ways", "[unit][type]") {
  for (const char* name : {"boolean", "int8", "uint64", "float32", "decimal(12,2)", "decimal",
                           "varchar(20)", "char(3)", "text", "bytes", "binary(16)", "timestamp(3)",
                           "timestamptz", "time", "uuid", "json", "interval"})
    CHECK(to_string(parse_type(name)) == name);
  CHECK(parse_type("bigint unsigned") == make_type(TypeKind::uint64));
  CHECK(parse_type("datetime(6)") == make_type(TypeKind::timestamp));
  CHECK(parse_type("numeric ( 10 , 3 )") == decimal_type(10, 3));
  for (const char* name : {"varchr(3)", "int(", "decimal(0)", "timestamp(7)", "text(3,4)", ""})
    CHECK_THROWS_AS(parse_type(name), Error);
}
