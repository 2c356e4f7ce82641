#include "schedule/schedule.h"

#include <catch2/catch.hpp>
#include <set>

#include "core/error.h"

using namespace tidemark;
using namespace std::chrono_literals;

namespace {

constexpr WallTime start{1'795'000'000s};

std::unique_ptr<const Schedule> every(Duration interval, Duration jitter = {},
                                      std::uint64_t seed = 1) {
  return schedule::make_schedule({.when = EverySchedule{interval}, .jitter = jitter}, seed);
}

}  // namespace

TEST_CASE("a fixed rate is aligned, whenever one asks", "[schedule]") {
  const auto each = every(30s);
  const WallTime tick{1'795'000'020s};
  CHECK(each->next(start) == tick);
  CHECK(each->next(start + 19s) == tick);
  CHECK(each->next(tick) == tick + 30s);
  CHECK(each->next(tick - 1us) == tick);
  // Before 1970 as well.
  CHECK(each->next(WallTime{-1s}) == WallTime{0s});
  CHECK(each->next(WallTime{-30s}) == WallTime{0s});
  CHECK(each->next(WallTime{-31s}) == WallTime{-30s});
}

TEST_CASE("jitter moves each tick by less than its width and is the same for one seed",
          "[schedule][property]") {
  const auto plain = every(10s);
  const auto first = every(10s, 4s, 7);
  const auto same = every(10s, 4s, 7);
  const auto other = every(10s, 4s, 8);
  std::set<Duration> offsets;
  bool differs = false;
  WallTime at = start;
  for (int tick = 0; tick < 500; ++tick) {
    const WallTime base = plain->next(start + 10s * tick).value();
    const WallTime moved = first->next(base - 1us).value();
    CHECK(moved >= base);
    CHECK(moved < base + 4s);
    CHECK(same->next(base - 1us) == moved);
    differs = differs || other->next(base - 1us) != moved;
    offsets.insert(moved - base);
    // Walking from one to the next visits each tick once.
    const WallTime walked = first->next(at).value();
    CHECK(walked > at);
    at = walked;
  }
  CHECK(differs);
  CHECK(offsets.size() > 400);
  CHECK(*offsets.begin() < 400ms);
  CHECK(*offsets.rbegin() > 3600ms);
}

TEST_CASE("a walk over jittered ticks leaves none out, also where jitter exceeds the interval",
          "[schedule][property]") {
  for (const Duration jitter : {Duration{0}, Duration{3s}, Duration{10s}, Duration{25s}}) {
    const auto each = every(10s, jitter, 42);
    WallTime at = start;
    int count = 0;
    while (at < start + 10'000s) {
      const auto next = each->next(at);
      REQUIRE(next);
      REQUIRE(*next > at);
      at = *next;
      ++count;
    }
    CHECK(count >= 998);
    CHECK(count <= 1002);
  }
}

TEST_CASE("jitter moves cron times too, and never before them", "[schedule]") {
  const auto nightly = schedule::make_schedule(
      {.when = CronSchedule{"0 2 * * *", "UTC"}, .jitter = Duration{10min}}, 99);
  WallTime at = start;
  for (int day = 0; day < 50; ++day) {
    at = nightly->next(at).value();
    const auto of_day = at.time_since_epoch() % std::chrono::hours{24};
    CHECK(of_day >= 2h);
    CHECK(of_day < 2h + 10min);
  }
}

TEST_CASE("manual and dependent jobs are never due by time", "[schedule]") {
  CHECK_FALSE(schedule::make_schedule({}, 1)->next(start));
  CHECK_FALSE(
      schedule::make_schedule({.when = AfterSchedule{{JobName{"orders"}}}}, 1)->next(start));
}

TEST_CASE("a schedule that can't be is refused", "[schedule]") {
  CHECK_THROWS_AS(every(0s), Error);
  CHECK_THROWS_AS(schedule::make_schedule({.when = CronSchedule{"nonsense", "UTC"}}, 1), Error);
}
