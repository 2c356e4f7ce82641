#include "schedule/zones.h"

#include <date/tz.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/temporal.h"

using namespace tidemark;

namespace {

const schedule::SystemZones zones;

std::string to_utc(std::string_view zone, std::string_view local) {
  return format_timestamp(zones.local_to_utc(zone, parse_timestamp(local)));
}
std::string to_local(std::string_view zone, std::string_view utc) {
  return format_timestamp(zones.utc_to_local(zone, parse_timestamp(utc)));
}

}  // namespace

TEST_CASE("local times become instants and come back", "[zones]") {
  CHECK(to_utc("Asia/Shanghai", "2026-11-21 08:00:00.123456") == "2026-11-21 00:00:00.123456");
  CHECK(to_local("Asia/Shanghai", "2026-11-21 00:00:00.123456") == "2026-11-21 08:00:00.123456");
  CHECK(to_utc("America/New_York", "2026-07-01 12:00:00") == "2026-07-01 16:00:00");
  CHECK(to_utc("UTC", "1969-12-31 23:59:59.5") == "1969-12-31 23:59:59.5");
  CHECK(to_local("Europe/Berlin", "1960-01-01 00:00:00.000001") == "1960-01-01 01:00:00.000001");
}

TEST_CASE("a local time that comes twice is the earlier instant", "[zones]") {
  CHECK(to_utc("Europe/Berlin", "2026-10-25 02:30:00") == "2026-10-25 00:30:00");
  CHECK(to_local("Europe/Berlin", "2026-10-25 00:30:00") == "2026-10-25 02:30:00");
  CHECK(to_local("Europe/Berlin", "2026-10-25 01:30:00") == "2026-10-25 02:30:00");
}

TEST_CASE("a local time that a clock change skips is refused without its value", "[zones]") {
  try {
    to_utc("Europe/Berlin", "2026-03-29 02:30:00");
    FAIL("the time does not exist");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(std::string(error.what()).find("02:30") == std::string::npos);
  }
  CHECK(to_utc("Europe/Berlin", "2026-03-29 03:00:00") == "2026-03-29 01:00:00");
  CHECK(to_utc("Europe/Berlin", "2026-03-29 01:59:59.999999") == "2026-03-29 00:59:59.999999");
}

TEST_CASE("infinities stay and the ends of the range do not wrap", "[zones]") {
  CHECK(zones.local_to_utc("Asia/Shanghai", timestamp_infinity) == timestamp_infinity);
  CHECK(zones.utc_to_local("Asia/Shanghai", timestamp_minus_infinity) == timestamp_minus_infinity);
  CHECK_THROWS_AS(zones.utc_to_local("Asia/Shanghai", timestamp_infinity - 1), Error);
  CHECK_THROWS_AS(zones.local_to_utc("Asia/Shanghai", timestamp_minus_infinity + 1), Error);
}

TEST_CASE("an unknown zone is refused by name", "[zones]") {
  CHECK(zones.known("Europe/Berlin"));
  CHECK_FALSE(zones.known("Europe/Atlantis"));
  CHECK_FALSE(zones.known(""));
  CHECK_THROWS_WITH(zones.utc_to_local("Europe/Atlantis", 0),
                    Catch::Contains("no time zone is called \"Europe/Atlantis\""));
}

TEST_CASE("every hour of two years converts as the zone database says", "[zones][property]") {
  const auto name = GENERATE(as<std::string>{}, "America/New_York", "Europe/Berlin",
                             "Australia/Lord_Howe", "Asia/Shanghai", "UTC", "Asia/Kathmandu");
  const date::time_zone* zone = date::locate_zone(name);
  const date::sys_seconds epoch{std::chrono::seconds{unix_to_2000_seconds}};
  const date::sys_seconds end = date::sys_days{date::year{2027} / 1 / 1};
  for (date::sys_seconds at = date::sys_days{date::year{2025} / 1 / 1}; at < end;
       at += std::chrono::minutes{30}) {
    const std::int64_t utc = (at - epoch).count() * micros_per_second;
    const date::local_seconds local = zone->to_local(at);
    const std::int64_t local_micros =
        (local.time_since_epoch().count() - unix_to_2000_seconds) * micros_per_second;
    REQUIRE(zones.utc_to_local(name, utc) == local_micros);
    const auto earliest = zone->to_sys(local, date::choose::earliest);
    REQUIRE(zones.local_to_utc(name, local_micros) ==
            (earliest - epoch).count() * micros_per_second);
  }
}
