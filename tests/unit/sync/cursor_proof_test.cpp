#include "sync/cursor_proof.h"

#include <catch2/catch.hpp>

#include "schedule/zones.h"

using namespace tidemark;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

/// 2026-03-01 00:00 UTC.
const WallTime spring{std::chrono::seconds(1'772'323'200)};

}  // namespace

TEST_CASE("clocks that are set back within a year are found, with how far", "[sync][cursor]") {
  const schedule::SystemZones zones;
  const auto berlin = next_set_back(zones, "Europe/Berlin", spring);
  REQUIRE(berlin);
  CHECK(berlin->by == hours(1));
  // On 25 October 2026 at 01:00 UTC; looked at once a day.
  const WallTime change{std::chrono::seconds(1'792'890'000)};
  CHECK(berlin->day > change);
  CHECK(berlin->day <= change + hours(24));
  const auto lord_howe = next_set_back(zones, "Australia/Lord_Howe", spring);
  REQUIRE(lord_howe);
  CHECK(lord_howe->by == minutes(30));
}

TEST_CASE("zones whose clocks only go on are not suspected", "[sync][cursor]") {
  const schedule::SystemZones zones;
  for (const std::string zone : {"UTC", "Asia/Shanghai", "America/Phoenix", "no/such"})
    CHECK_FALSE(next_set_back(zones, zone, spring));
}
