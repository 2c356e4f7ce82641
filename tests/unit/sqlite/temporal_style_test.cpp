#include "connector/sqlite/temporal_style.h"

#include <catch2/catch.hpp>

using namespace tidemark;
using namespace tidemark::sqlite;

namespace {

const Type timestamp = make_type(TypeKind::timestamp);

TemporalStyle style_of(std::initializer_list<const char*> texts) {
  TemporalStyle style;
  for (const char* text : texts)
    REQUIRE(style.learn(text));
  return style;
}

}  // namespace

TEST_CASE("a bound is written like the column's texts", "[sqlite][temporal]") {
  CHECK(TemporalStyle().apply(timestamp, "2024-01-02 03:04:05.5") == "2024-01-02 03:04:05.5");
  CHECK(style_of({"2024-01-01T00:00:00"}).apply(timestamp, "2024-01-02 03:04:05") ==
        "2024-01-02T03:04:05");
  CHECK(style_of({"2024-01-01 00:00:00.120", "2024-01-01 00:00:00.123"})
            .apply(timestamp, "2024-01-02 03:04:05.5") == "2024-01-02 03:04:05.500");
  CHECK(style_of({"2024-01-01 00:00:00.000"}).apply(timestamp, "2024-01-02 03:04:05") ==
        "2024-01-02 03:04:05.000");
  CHECK(style_of({"2024-01-01 00:00:00", "2024-01-01 00:00:00.25"})
            .apply(timestamp, "2024-01-02 03:04:05.5") == "2024-01-02 03:04:05.5");
  CHECK(style_of({"2024-01-01T00:00:00.10Z"})
            .apply(make_type(TypeKind::instant), "2024-01-02 03:04:05.5+00") ==
        "2024-01-02T03:04:05.50Z");
  CHECK(style_of({"2024-01-01"}).apply(make_type(TypeKind::date), "2024-01-02") == "2024-01-02");
}

TEST_CASE("texts that do not sort by time are told", "[sqlite][temporal]") {
  CHECK_FALSE(style_of({"2024-01-01 00:00:00"}).learn("2024-01-01T00:00:00"));
  CHECK_FALSE(style_of({"2024-01-01 00:00:00+00"}).learn("2024-01-01 00:00:00+08"));
  CHECK_FALSE(style_of({"2024-01-01 00:00:00+00"}).learn("2024-01-01 00:00:00"));
  CHECK_FALSE(style_of({"2024-01-01 00:00:00.500"}).learn("2024-01-01 00:00:00.25"));
  CHECK_FALSE(style_of({"2024-01-01 00:00:00.500"}).learn("2024-01-01 00:00:00"));
  CHECK_FALSE(style_of({"2024-01-01 00:00:00"}).learn("2024-01-01 00:00:00.500"));
  CHECK_FALSE(style_of({"2024-01-01"}).learn("2024-01-01 00:00:00"));
  CHECK_FALSE(TemporalStyle().learn("infinity"));
  CHECK_FALSE(TemporalStyle().learn("2024-1-1"));
}
