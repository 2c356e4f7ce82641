#include "core/type.h"

#include <catch2/catch.hpp>

#include "core/error.h"

using namespace tidemark;

TEST_CASE("a type reads back as it was written", "[core][type]") {
  for (const char* text : {"decimal(12,2)", "decimal", "varchar(20)", "char(1)", "binary(16)",
                           "timestamptz(3)", "timestamptz", "time(0)", "postgres:bit(8)"}) {
    CAPTURE(text);
    const Type type = parse_type(text);
    CHECK(to_string(type) == text);
    CHECK(parse_type(to_string(type)) == type);
  }
}

TEST_CASE("a length of nothing is refused and does not mean without limit", "[core][type]") {
  for (const char* text : {"varchar(0)", "char(00)", "binary(0)", "varbinary(0)", "decimal(0,0)"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_type(text), Error);
  }
}
