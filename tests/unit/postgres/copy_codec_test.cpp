#include <catch2/catch.hpp>
#include <random>

#include "connector/postgres/copy_decoder.h"
#include "connector/postgres/copy_encoder.h"
#include "core/error.h"
#include "core/value.h"

using namespace tidemark;
using namespace tidemark::postgres;

namespace {

/// One value through the encoder as a cell of `native`, and what the decoder makes of it.
std::string through(const Type& type, const char* value, const char* native,
                    Lossy lossy = Lossy::error) {
  Batch batch(std::make_shared<const Schema>(Schema{{"v", type}}));
  push_text(batch.column(0), value);
  const WireType wire = *wire_type(native);
  CopyEncoder encoder({{.name = "v", .index = 0, .wire = wire, .lossy = lossy}}, false);
  std::string bytes;
  encoder.row(batch, 0, bytes);
  Batch back(std::make_shared<const Schema>(Schema{{"v", *logical_type(wire)}}));
  CopyDecoder({wire}).row(bytes, back);
  return text_of(back.column(0), 0);
}

void refused(const Type& type, const char* value, const char* native, Lossy lossy = Lossy::error) {
  CAPTURE(to_string(type), value, native);
  try {
    through(type, value, native, lossy);
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(error.fields().row == 0U);
    CHECK(error.fields().column == "v");
    CHECK(std::string(error.what()).find(value) == std::string::npos);
  }
}

}  // namespace

TEST_CASE("a value that fits arrives as it was", "[postgres]") {
  const Type int64 = make_type(TypeKind::int64);
  CHECK(through(int64, "-32768", "smallint") == "-32768");
  CHECK(through(int64, "2147483647", "integer") == "2147483647");
  CHECK(through(int64, "-9223372036854775808", "numeric(19,0)") == "-9223372036854775808");
  CHECK(through(make_type(TypeKind::uint64), "18446744073709551615", "numeric(20,0)") ==
        "18446744073709551615");
  CHECK(through(int64, "9007199254740992", "double precision") == "9007199254740992");
  CHECK(through(int64, "-5", "text") == "-5");
  CHECK(through(make_type(TypeKind::int8), "1", "boolean") == "true");
  CHECK(through(make_type(TypeKind::boolean), "true", "integer") == "1");
  CHECK(through(decimal_type(12, 2), "5.00", "integer") == "5");
  CHECK(through(decimal_type(12, 2), "-5.10", "numeric(12,1)") == "-5.10");
  CHECK(through(make_type(TypeKind::float64), "0.5", "real") == "0.5");
  CHECK(through(text_type(), "abc", "character varying(3)") == "abc");
  CHECK(through(text_type(), "鸡🐔", "character varying(2)") == "鸡🐔");
  CHECK(through(make_type(TypeKind::date), "2024-02-29", "timestamp without time zone") ==
        "2024-02-29 00:00:00");
  CHECK(through(make_type(TypeKind::date), "infinity", "timestamp without time zone") ==
        "infinity");
  CHECK(through(make_type(TypeKind::time), "24:00:00", "time without time zone") == "24:00:00");
  CHECK(through(make_type(TypeKind::instant), "-infinity", "timestamp(0) with time zone") ==
        "-infinity");
  CHECK(through(make_type(TypeKind::json), "{\"a\": 1}", "jsonb") == "{\"a\": 1}");
  CHECK(through(make_type(TypeKind::interval), R"({"months":-1,"days":30,"micros":-5})",
                "interval") == R"({"months":-1,"days":30,"micros":-5})");
}

TEST_CASE("a value that does not fit is refused with its place, not changed", "[postgres]") {
  const Type int64 = make_type(TypeKind::int64);
  refused(int64, "32768", "smallint");
  refused(int64, "-32769", "smallint", Lossy::allow);
  refused(make_type(TypeKind::uint64), "9223372036854775808", "bigint", Lossy::allow);
  refused(int64, "100", "numeric(2,0)", Lossy::allow);
  refused(int64, "9007199254740993", "double precision");
  refused(int64, "2", "boolean", Lossy::allow);
  refused(decimal_type(12, 2), "5.01", "integer", Lossy::allow);
  refused(decimal_type(12, 2), "5.01", "numeric(12,1)");
  refused(decimal_type(12, 2), "1234.00", "numeric(5,2)", Lossy::allow);
  refused(decimal_type(0, 0), "Infinity", "numeric(5,2)", Lossy::allow);
  refused(make_type(TypeKind::float64), "1e300", "real", Lossy::allow);
  refused(make_type(TypeKind::float64), "0.1", "real");
  refused(text_type(), "abcd", "character varying(3)", Lossy::allow);
  // The server would cut these without a word.
  refused(text_type(), "abc ", "character varying(3)", Lossy::allow);
  refused(text_type(), "ab ", "character(3)");
  refused(make_type(TypeKind::time), "-00:00:01", "time without time zone", Lossy::allow);
  refused(make_type(TypeKind::time), "25:00:00", "time without time zone", Lossy::allow);
  refused(make_type(TypeKind::timestamp), "2024-01-01 00:00:00.0001",
          "timestamp(3) without time zone");
}

TEST_CASE("an allowed loss cuts towards the past, never up", "[postgres]") {
  CHECK(through(make_type(TypeKind::timestamp), "2024-01-01 00:00:00.9999",
                "timestamp(0) without time zone", Lossy::allow) == "2024-01-01 00:00:00");
  CHECK(through(make_type(TypeKind::timestamp), "1999-12-31 23:59:59.9999",
                "timestamp(3) without time zone", Lossy::allow) == "1999-12-31 23:59:59.999");
}

TEST_CASE("a NUL in a text never reaches the server", "[postgres]") {
  for (const char* native : {"text", "character varying(9)"}) {
    Batch batch(std::make_shared<const Schema>(Schema{{"v", text_type()}}));
    batch.column(0).push_bytes("fine");
    batch.column(0).push_bytes(std::string_view("a\0b", 3));
    CopyEncoder encoder({{.name = "v", .index = 0, .wire = *wire_type(native)}}, true);
    std::string bytes;
    encoder.row(batch, 0, bytes);
    try {
      encoder.row(batch, 1, bytes);
      FAIL("it was taken");
    } catch (const Error& error) {
      CHECK(error.kind() == FailureKind::conversion);
      CHECK(error.fields().row == 1U);
    }
  }
}

TEST_CASE("padding of char(n) is no part of the value", "[postgres]") {
  Type fixed = text_type(5);
  fixed.fixed = true;
  Batch back(std::make_shared<const Schema>(Schema{{"v", fixed}}));
  std::string bytes;
  bytes.append("\0\1\0\0\0\5ab   ", 11);
  CopyDecoder({*wire_type("character(5)")}).row(bytes, back);
  CHECK(text_of(back.column(0), 0) == "ab");
  CHECK(through(fixed, "ab", "character(5)") == "ab");
}

TEST_CASE("any bytes in place of a COPY row are an Error, never a crash", "[postgres]") {
  const std::vector<WireType> columns{*wire_type("integer"), *wire_type("numeric"),
                                      *wire_type("text"),    *wire_type("jsonb"),
                                      *wire_type("uuid"),    *wire_type("interval")};
  Schema schema;
  for (const WireType& wire : columns)
    schema.push_back({"c", *logical_type(wire)});
  std::mt19937 random(11);  // NOLINT: the same bytes at each run
  std::size_t refused_rows = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes("\0\6", 2);
    for (auto left = random() % 80; left > 0; --left)
      bytes += static_cast<char>(random() % 4 == 0 ? random() : random() % 5);
    Batch batch(std::make_shared<const Schema>(schema));
    try {
      CopyDecoder(columns).row(bytes, batch);
    } catch (const Error& error) {
      ++refused_rows;
      CHECK(error.kind() == FailureKind::internal);
    }
  }
  CHECK(refused_rows > 19000);
  CHECK_THROWS_AS(CopyDecoder::without_header("PGCOPY"), Error);
  CHECK_THROWS_AS(CopyDecoder::without_header(std::string(40, 'x')), Error);
}

TEST_CASE("a stream's header and trailer are recognised", "[postgres]") {
  std::string stream;
  CopyEncoder::header(stream);
  CHECK(CopyDecoder::without_header(stream).empty());
  std::string end;
  CopyEncoder::trailer(end);
  CHECK(CopyDecoder::is_trailer(end));
  CHECK_FALSE(CopyDecoder::is_trailer(stream));
}
