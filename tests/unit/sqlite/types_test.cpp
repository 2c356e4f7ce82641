#include "connector/sqlite/types.h"

#include <catch2/catch.hpp>

#include "connector/sqlite/cell_reader.h"
#include "connector/sqlite/dialect.h"
#include "connector/sqlite/errors.h"
#include "core/error.h"
#include "core/value.h"

using namespace tidemark;
using namespace tidemark::sqlite;

namespace {

std::string meaning(const std::string& declared) {
  return to_string(type_of(declared));
}

Fidelity fidelity(const Type& arriving, const std::string& declared) {
  return fit_of(arriving, type_of(declared), affinity_of(declared)).fidelity;
}

std::string fitted(std::string text, const Type& type) {
  return fit_decimal(text, type) ? text : "refused";
}

}  // namespace

TEST_CASE("a declared type has one meaning, or its values carry their own", "[sqlite][types]") {
  CHECK(meaning("INTEGER") == "int64");
  CHECK(meaning("int(11)") == "int64");
  CHECK(meaning("Big Int") == "int64");
  CHECK(meaning("smallint unsigned") == "uint16");
  CHECK(meaning("INT(10) UNSIGNED") == "uint32");
  CHECK(meaning("boolean") == "boolean");
  CHECK(meaning("VARCHAR (20)") == "varchar(20)");
  CHECK(meaning("varying character(7)") == "varchar(7)");
  CHECK(meaning("decimal(12, 2)") == "decimal(12,2)");
  CHECK(meaning("NUMERIC") == "decimal");
  CHECK(meaning("double precision") == "float64");
  CHECK(meaning("DATETIME(3)") == "timestamp(3)");
  CHECK(meaning("TIMESTAMPTZ") == "timestamptz");
  CHECK(meaning("json") == "json");
  CHECK(meaning("VARCHAR(max)") == "text");
  CHECK(meaning("DECIMAL(2,5)") == "decimal");
  // The affinity leaves one class.
  CHECK(meaning("VARCHAR2(20 CHAR)") == "text");
  CHECK(meaning("CITEXT") == "text");
  CHECK(meaning("FLOAT(7,4) UNSIGNED") == "float64");
  CHECK(meaning("MY_BLOB") == "bytes");
  // It does not.
  CHECK(meaning("") == "sqlite:any");
  CHECK(meaning("ANY_BLOB") == "sqlite:any");
  CHECK(meaning("ANY") == "sqlite:ANY");
  CHECK(meaning("STRING") == "sqlite:STRING");
  CHECK(meaning("GEOMETRY") == "sqlite:GEOMETRY");
  CHECK(meaning("POINT") == "sqlite:POINT");
}

TEST_CASE("affinities follow SQLite's own rules in their order", "[sqlite][types]") {
  CHECK(affinity_of("BIGINT") == Affinity::integer);
  CHECK(affinity_of("FLOATING POINT") == Affinity::integer);
  CHECK(affinity_of("DECIMAL_TEXT(3,2)") == Affinity::text);
  CHECK(affinity_of("DOUBLE_BLOB") == Affinity::blob);
  CHECK(affinity_of("") == Affinity::blob);
  CHECK(affinity_of("double") == Affinity::real);
  CHECK(affinity_of("DECIMAL(3,2)") == Affinity::numeric);
}

TEST_CASE("what we create means the same when it is described again", "[sqlite][types]") {
  for (const TypeKind kind :
       {TypeKind::boolean,   TypeKind::int8,    TypeKind::int16,    TypeKind::uint8,
        TypeKind::uint16,    TypeKind::uint32,  TypeKind::int64,    TypeKind::uint64,
        TypeKind::float32,   TypeKind::float64, TypeKind::date,     TypeKind::time,
        TypeKind::timestamp, TypeKind::instant, TypeKind::interval, TypeKind::uuid,
        TypeKind::json,      TypeKind::text,    TypeKind::bytes,    TypeKind::decimal}) {
    const Type type = make_type(kind);
    CAPTURE(to_string(type));
    CHECK(meaning(declared_type(type, false)) == to_string(type));
    CHECK(fidelity(type, declared_type(type, false)) == Fidelity::lossless);
    CHECK(fidelity(type, declared_type(type, true)) == Fidelity::lossless);
  }
  CHECK(meaning(declared_type(decimal_type(65, 30), false)) == "decimal(65,30)");
  CHECK(meaning(declared_type(text_type(9), false)) == "varchar(9)");
  CHECK(meaning(declared_type(time_type(TypeKind::timestamp, 3), false)) == "timestamp(3)");
  CHECK(declared_type(make_type(TypeKind::int16), true) == "INTEGER");
  CHECK(declared_type(any_type(), false) == "ANY_BLOB");
  CHECK(declared_type(origin_type("sqlite:GEOMETRY"), false) == "GEOMETRY");
  CHECK(declared_type(origin_type("sqlite:x); DROP TABLE y; --"), false) == "ANY_BLOB");
  CHECK(declared_type(origin_type("postgres:inet"), false) == "TEXT");
  CHECK(declared_type(decimal_type(2, -3), false) == "DECIMAL_TEXT");
}

TEST_CASE("verdicts say what a column of the user's would lose", "[sqlite][types]") {
  CHECK(fidelity(make_type(TypeKind::int32), "SMALLINT") == Fidelity::lossy);
  CHECK(fidelity(make_type(TypeKind::uint64), "BIGINT UNSIGNED") == Fidelity::lossy);
  CHECK(fidelity(make_type(TypeKind::int64), "DOUBLE") == Fidelity::lossy);
  CHECK(fidelity(make_type(TypeKind::int32), "DOUBLE") == Fidelity::lossless);
  CHECK(fidelity(decimal_type(15, 2), "DECIMAL(15,2)") == Fidelity::lossless);
  CHECK(fidelity(decimal_type(16, 2), "DECIMAL(16,2)") == Fidelity::lossy);
  CHECK(fidelity(decimal_type(16, 2), "DECIMAL_TEXT(16,2)") == Fidelity::lossless);
  CHECK(fidelity(decimal_type(10, 2), "DOUBLE") == Fidelity::lossy);
  CHECK(fidelity(text_type(30), "VARCHAR(20)") == Fidelity::lossy);
  CHECK(fidelity(text_type(), "TEXT") == Fidelity::lossless);
  CHECK(fidelity(make_type(TypeKind::timestamp), "TEXT") == Fidelity::lossless);
  CHECK(fidelity(make_type(TypeKind::timestamp), "TIMESTAMPTZ") == Fidelity::impossible);
  CHECK(fidelity(make_type(TypeKind::timestamp), "DATETIME(3)") == Fidelity::lossy);
  CHECK(fidelity(text_type(), "INTEGER") == Fidelity::impossible);
  CHECK(fidelity(bytes_type(), "TEXT") == Fidelity::impossible);
  CHECK(fidelity(make_type(TypeKind::boolean), "INTEGER") == Fidelity::lossless);
  CHECK(fidelity(make_type(TypeKind::int8), "BOOLEAN") == Fidelity::lossy);
  // A column of numeric affinity would make a number of a text like "012".
  CHECK(fidelity(text_type(), "STRING") == Fidelity::lossy);
  CHECK(fidelity(origin_type("postgres:inet"), "TEXT") == Fidelity::lossless);
  CHECK(fidelity(origin_type("postgres:inet"), "DATE") == Fidelity::impossible);
  CHECK(fidelity(any_type(), "ANY_BLOB") == Fidelity::lossless);
  CHECK(fidelity(any_type(), "STRING") == Fidelity::impossible);
  CHECK(fidelity(origin_type("sqlite:STRING"), "STRING") == Fidelity::lossless);
}

TEST_CASE("decimals are brought to their scale and never rounded", "[sqlite][types]") {
  CHECK(fitted("12.5", decimal_type(5, 2)) == "12.50");
  CHECK(fitted("12", decimal_type(5, 2)) == "12.00");
  CHECK(fitted("-0.10", decimal_type(2, 1)) == "-0.1");
  CHECK(fitted("7.00", decimal_type(3, 0)) == "7");
  CHECK(fitted("12.501", decimal_type(5, 2)) == "refused");
  CHECK(fitted("1234", decimal_type(5, 2)) == "refused");
  CHECK(fitted("0.5", decimal_type(1, 1)) == "0.5");
  CHECK(fitted("123.456", make_type(TypeKind::decimal)) == "123.456");
  CHECK(fitted("NaN", decimal_type(5, 2)) == "NaN");
}

TEST_CASE("literals can't leave their place", "[sqlite][dialect]") {
  const SqliteDialect dialect;
  CHECK(dialect.quote("a\"b") == "\"a\"\"b\"");
  CHECK_THROWS_AS(dialect.quote(std::string_view("a\0b", 3)), Error);
  CHECK(dialect.literal(Value::of(text_type(), "'; --")) == "CAST(X'273b202d2d' AS TEXT)");
  CHECK(dialect.literal(Value::of(bytes_type(), "00ff")) == "X'00ff'");
  CHECK(dialect.literal(Value::of(make_type(TypeKind::int64), "-9223372036854775808")) ==
        "(-9223372036854775807 - 1)");
  CHECK(dialect.literal(Value::of(make_type(TypeKind::uint64), "18446744073709551615")) ==
        "CAST(X'3138343436373434303733373039353531363135' AS TEXT)");
  CHECK(dialect.literal(Value::of(make_type(TypeKind::boolean), "true")) == "1");
  CHECK(dialect.literal(Value::null_of(text_type())) == "NULL");
  CHECK_THROWS_AS(dialect.literal(Value::of(make_type(TypeKind::int64), "1; DROP")), Error);
}

TEST_CASE("every result code has one meaning", "[sqlite][errors]") {
  CHECK(kind_of(SQLITE_BUSY, false) == FailureKind::deadlock);
  CHECK(kind_of(SQLITE_BUSY_SNAPSHOT, false) == FailureKind::conflict);
  CHECK(kind_of(SQLITE_BUSY_TIMEOUT, false) == FailureKind::deadlock);
  CHECK(kind_of(SQLITE_FULL, false) == FailureKind::resource);
  CHECK(kind_of(SQLITE_IOERR_FSYNC, false) == FailureKind::resource);
  CHECK(kind_of(SQLITE_CONSTRAINT_UNIQUE, false) == FailureKind::constraint);
  CHECK(kind_of(SQLITE_CONSTRAINT_VTAB, false) == FailureKind::constraint);
  CHECK(kind_of(SQLITE_CONSTRAINT_DATATYPE, false) == FailureKind::conversion);
  CHECK(kind_of(SQLITE_READONLY_DBMOVED, false) == FailureKind::permission);
  CHECK(kind_of(SQLITE_NOTADB, false) == FailureKind::schema);
  CHECK(kind_of(SQLITE_CORRUPT, false) == FailureKind::internal);
  CHECK(kind_of(SQLITE_ERROR, true) == FailureKind::schema);
  CHECK(kind_of(SQLITE_ERROR, false) == FailureKind::internal);
  CHECK(kind_of(200, false) == FailureKind::internal);
  const Error error =
      error_of(SQLITE_CONSTRAINT_UNIQUE, false, "UNIQUE constraint failed: t.a, t.b");
  CHECK(error.fields().code == "SQLITE_CONSTRAINT_UNIQUE");
  CHECK(error.fields().column == "a, b");
  const Error secret = error_of(SQLITE_CONSTRAINT_TRIGGER, false, "no secretvalue here");
  CHECK(std::string(secret.what()).find("secretvalue") == std::string::npos);
}
