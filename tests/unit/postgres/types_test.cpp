#include "connector/postgres/types.h"

#include <catch2/catch.hpp>

#include "connector/postgres/dialect.h"
#include "core/error.h"

using namespace tidemark;
using namespace tidemark::postgres;

TEST_CASE("native names and modifiers are read and written alike", "[postgres]") {
  for (const std::string name : {"boolean",
                                 "bytea",
                                 "bigint",
                                 "smallint",
                                 "integer",
                                 "text",
                                 "json",
                                 "real",
                                 "double precision",
                                 "character(7)",
                                 "character varying(20)",
                                 "character varying",
                                 "date",
                                 "time without time zone",
                                 "time(3) without time zone",
                                 "timestamp without time zone",
                                 "timestamp(0) without time zone",
                                 "timestamp with time zone",
                                 "timestamp(6) with time zone",
                                 "numeric",
                                 "numeric(12,2)",
                                 "numeric(5,-2)",
                                 "numeric(3,5)",
                                 "uuid",
                                 "jsonb",
                                 "interval",
                                 "bpchar"}) {
    CAPTURE(name);
    const auto wire = wire_type(name);
    REQUIRE(wire);
    CHECK(native_name(*wire) == name);
    CHECK(logical_type(*wire));
  }
  for (const std::string name : {"inet", "integer[]", "time with time zone", "mood", "money",
                                 "numeric(x)", "character varying(", "tsvector", ""}) {
    CAPTURE(name);
    CHECK_FALSE(wire_type(name));
  }
}

TEST_CASE("a logical type survives as a column of ours", "[postgres]") {
  const std::vector<Type> exact{make_type(TypeKind::boolean),
                                make_type(TypeKind::int16),
                                make_type(TypeKind::int32),
                                make_type(TypeKind::int64),
                                make_type(TypeKind::float32),
                                make_type(TypeKind::float64),
                                decimal_type(12, 2),
                                decimal_type(0, 0),
                                decimal_type(1000, 500),
                                text_type(),
                                text_type(20),
                                bytes_type(),
                                make_type(TypeKind::date),
                                make_type(TypeKind::time),
                                time_type(TypeKind::time, 0),
                                make_type(TypeKind::timestamp),
                                time_type(TypeKind::timestamp, 3),
                                make_type(TypeKind::instant),
                                time_type(TypeKind::instant, 0),
                                make_type(TypeKind::interval),
                                make_type(TypeKind::uuid),
                                make_type(TypeKind::json)};
  for (const Type& type : exact) {
    CAPTURE(to_string(type));
    const auto wire = column_wire_type(type);
    REQUIRE(wire);
    CHECK(logical_type(*wire) == type);
    CHECK(fit(type, *wire, false).fidelity == Fidelity::lossless);
  }
  const auto name = [](const Type& type) { return native_name(*column_wire_type(type)); };
  CHECK(name(make_type(TypeKind::int8)) == "smallint");
  CHECK(name(make_type(TypeKind::uint8)) == "smallint");
  CHECK(name(make_type(TypeKind::uint16)) == "integer");
  CHECK(name(make_type(TypeKind::uint32)) == "bigint");
  CHECK(name(make_type(TypeKind::uint64)) == "numeric(20,0)");
  CHECK(name(bytes_type(16)) == "bytea");
  Type fixed = text_type(3);
  fixed.fixed = true;
  CHECK(name(fixed) == "character(3)");
  CHECK(logical_type(*column_wire_type(fixed)) == fixed);
  CHECK_FALSE(column_wire_type(make_type(TypeKind::native)));
}

TEST_CASE("a verdict says what an existing column would lose", "[postgres]") {
  const auto verdict = [](const Type& type, const char* native, bool from_jsonb = false) {
    CAPTURE(to_string(type), native);
    const Fit found = fit(type, *wire_type(native), from_jsonb);
    CHECK(found.reason.empty() == (found.fidelity == Fidelity::lossless));
    return found.fidelity;
  };
  const Type int32 = make_type(TypeKind::int32);
  CHECK(verdict(int32, "bigint") == Fidelity::lossless);
  CHECK(verdict(int32, "integer") == Fidelity::lossless);
  CHECK(verdict(int32, "smallint") == Fidelity::lossy);
  CHECK(verdict(int32, "numeric(10,0)") == Fidelity::lossless);
  CHECK(verdict(int32, "numeric(9,0)") == Fidelity::lossy);
  CHECK(verdict(int32, "double precision") == Fidelity::lossless);
  CHECK(verdict(int32, "real") == Fidelity::lossy);
  CHECK(verdict(int32, "text") == Fidelity::lossless);
  CHECK(verdict(int32, "uuid") == Fidelity::impossible);
  CHECK(verdict(make_type(TypeKind::uint64), "bigint") == Fidelity::lossy);
  CHECK(verdict(make_type(TypeKind::uint32), "bigint") == Fidelity::lossless);
  CHECK(verdict(make_type(TypeKind::int64), "double precision") == Fidelity::lossy);
  CHECK(verdict(make_type(TypeKind::int8), "boolean") == Fidelity::lossy);
  CHECK(verdict(make_type(TypeKind::boolean), "smallint") == Fidelity::lossless);
  CHECK(verdict(decimal_type(12, 2), "numeric(12,2)") == Fidelity::lossless);
  CHECK(verdict(decimal_type(12, 2), "numeric(14,4)") == Fidelity::lossless);
  CHECK(verdict(decimal_type(12, 2), "numeric(12,1)") == Fidelity::lossy);
  CHECK(verdict(decimal_type(12, 2), "numeric(13,4)") == Fidelity::lossy);
  CHECK(verdict(decimal_type(0, 0), "numeric(12,2)") == Fidelity::lossy);
  CHECK(verdict(decimal_type(12, 2), "double precision") == Fidelity::lossy);
  CHECK(verdict(text_type(10), "character varying(10)") == Fidelity::lossless);
  CHECK(verdict(text_type(11), "character varying(10)") == Fidelity::lossy);
  CHECK(verdict(text_type(), "character varying(10)") == Fidelity::lossy);
  CHECK(verdict(text_type(5), "character(5)") == Fidelity::lossy);
  CHECK(verdict(text_type(), "integer") == Fidelity::impossible);
  CHECK(verdict(make_type(TypeKind::timestamp), "timestamp with time zone") ==
        Fidelity::impossible);
  CHECK(verdict(make_type(TypeKind::instant), "timestamp without time zone") ==
        Fidelity::impossible);
  CHECK(verdict(make_type(TypeKind::instant), "timestamp(3) with time zone") == Fidelity::lossy);
  CHECK(verdict(make_type(TypeKind::date), "timestamp without time zone") == Fidelity::lossless);
  CHECK(verdict(make_type(TypeKind::json), "jsonb") == Fidelity::lossy);
  CHECK(verdict(make_type(TypeKind::json), "jsonb", true) == Fidelity::lossless);
  CHECK(verdict(bytes_type(), "text") == Fidelity::impossible);
  CHECK(verdict(make_type(TypeKind::float64), "real") == Fidelity::lossy);
}

TEST_CASE("names and values become SQL in one place each", "[postgres]") {
  CHECK(dialect().quote("a\"b") == "\"a\"\"b\"");
  CHECK_THROWS_AS(dialect().quote(""), Error);
  CHECK_THROWS_AS(dialect().quote(std::string("a\0b", 3)), Error);
  CHECK_THROWS_AS(dialect().quote(std::string(64, 'x')), Error);
  CHECK(dialect().literal(Value::of(text_type(), "a'b\\")) == "'a''b\\'::text");
  CHECK_THROWS_AS(dialect().literal(Value::of(text_type(), std::string("a\0b", 3))), Error);
  CHECK(dialect().literal(Value::of(make_type(TypeKind::int64), "-5")) == "'-5'::bigint");
  CHECK(dialect().literal(Value::of(make_type(TypeKind::uint64), "18446744073709551615")) ==
        "'18446744073709551615'");
  CHECK(dialect().literal(Value::of(make_type(TypeKind::bytes), "00ff")) == "'\\x00ff'::bytea");
  CHECK(dialect().literal(Value::null_of(text_type())) == "NULL");
  CHECK(dialect().literal(
            Value::of(make_type(TypeKind::interval), R"({"months":1,"days":-2,"micros":3})")) ==
        "'1 months -2 days 3 microseconds'::interval");
}

TEST_CASE("a type with limits that the server does not have is none", "[postgres]") {
  CHECK(wire_type("numeric(1000,-1000)"));
  for (const char* name :
       {"numeric(1001,0)", "numeric(0,0)", "numeric(10,1001)", "numeric(065201)",
        "character varying(0)", "character varying(10485761)", "timestamp(7) without time zone"}) {
    CAPTURE(name);
    CHECK_FALSE(wire_type(name));
  }
}
