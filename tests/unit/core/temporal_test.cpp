#include "core/temporal.h"

#include <catch2/catch.hpp>

using namespace tidemark;

TEST_CASE("dates count days from 2000-01-01", "[unit][temporal]") {
  CHECK(parse_date("2000-01-01") == 0);
  CHECK(parse_date("1970-01-01") == -10'957);
  CHECK(parse_date("2000-03-01") == 60);
  CHECK(format_date(parse_date("9999-12-31")) == "9999-12-31");
  CHECK(format_date(parse_date("4714-11-24 BC")) == "4714-11-24 BC");
  CHECK(format_date(parse_date("infinity")) == "infinity");
}

TEST_CASE("every day of eight centuries survives the way there and back", "[unit][temporal]") {
  for (std::int32_t day = -150'000; day < 150'000; ++day) {
    const CivilDate date = civil_from_days(day);
    REQUIRE(is_valid(date));
    REQUIRE(days_from_civil(date) == day);
  }
}

TEST_CASE("dates that do not exist are refused and not quoted", "[unit][temporal]") {
  for (const char* text : {"0000-00-00", "2023-02-29", "2024-13-01", "2024-00-10", "24-1-1", "",
                           "2024-01-01x", "2024-1"}) {
    CAPTURE(text);
    try {
      parse_date(text);
      FAIL("was taken");
    } catch (const Error& error) {
      CHECK(error.kind() == FailureKind::conversion);
      if (*text != '\0') CHECK(std::string(error.what()).find(text) == std::string::npos);
    }
  }
}

TEST_CASE("timestamps keep microseconds and print no needless zeros", "[unit][temporal]") {
  for (const char* text :
       {"2024-02-29 12:00:00.5", "1999-12-31 23:59:59.999999", "2000-01-01 00:00:00",
        "0044-03-15 00:00:00 BC", "infinity", "294276-12-31 23:59:59.999999", "-infinity"}) {
    CHECK(format_timestamp(parse_timestamp(text)) == text);
  }
  CHECK(parse_timestamp("2000-01-01T00:00:01") == micros_per_second);
  CHECK(parse_timestamp("2000-01-02") == micros_per_day);
  CHECK_THROWS_AS(parse_timestamp("2000-01-01 00:00:00.1234567"), Error);
  CHECK(parse_timestamp("2000-01-01 00:00:00.1234560") == 123456);
  CHECK_THROWS_AS(parse_timestamp("2000-01-01 00:00:00+08"), Error);
}

TEST_CASE("instants fold their offset into UTC", "[unit][temporal]") {
  CHECK(format_instant(parse_instant("2024-01-01 08:00:00+08")) == "2024-01-01 00:00:00+00");
  CHECK(format_instant(parse_instant("2024-01-01 00:00:00-03:30")) == "2024-01-01 03:30:00+00");
  CHECK(format_instant(parse_instant("2024-01-01T00:00:00Z")) == "2024-01-01 00:00:00+00");
  CHECK(format_instant(parse_instant("2024-01-01 00:00:00+0530")) == "2023-12-31 18:30:00+00");
}

TEST_CASE("times may be negative and beyond a day", "[unit][temporal]") {
  for (const char* text : {"00:00:00", "23:59:59.000001", "-838:59:59", "838:59:59.999999"})
    CHECK(format_time(parse_time(text)) == text);
  CHECK_THROWS_AS(parse_time("12:60:00"), Error);
}

TEST_CASE("precision is cut towards the past", "[unit][temporal]") {
  CHECK(floor_to_precision(1'999'999, 0) == 1'000'000);
  CHECK(floor_to_precision(-1, 0) == -1'000'000);
  CHECK(floor_to_precision(1'234'567, 3) == 1'234'000);
  CHECK(floor_to_precision(timestamp_infinity, 0) == timestamp_infinity);
}
