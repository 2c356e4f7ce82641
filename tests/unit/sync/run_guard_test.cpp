// When a run gets a thread that watches it.
#include "sync/run_guard.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>

#include "bench.h"
#include "support/process.h"

using namespace tidemark;
using std::chrono::hours;
using std::chrono::milliseconds;

namespace {

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

struct Run {
  explicit Run(RunWatch* watch)
      : guard({.clock = clock,
               .stop = stop.get_token(),
               .abort = {},
               .lease = milliseconds(30),
               .renew = [this] { ++renewals; },
               .watch = watch}) {}

  test::StillClock clock;
  std::stop_source stop;
  std::atomic<int> renewals = 0;
  RunGuard guard;
};

}  // namespace

TEST_CASE("a run that is over soon has no thread but its own", "[sync][guard]") {
  RunWatch watch(hours(1));
  const std::ptrdiff_t before = threads();
  for (int poll = 0; poll < 100; ++poll) {
    const Run run(&watch);
    CHECK(threads() == before);
  }
}

TEST_CASE("the lease of a run that lasts is renewed", "[sync][guard]") {
  RunWatch watch(milliseconds(1));
  // A second one, so that the first look at one is not the last at another.
  Run run(&watch);
  const Run other(&watch);
  run.guard.keep_lease();
  test::wait_until("renewals", [&] {
    run.clock.advance(milliseconds(10));
    return run.renewals >= 3;
  });
  CHECK(other.renewals == 0);
}

TEST_CASE("a run that is to stop is attended to at once", "[sync][guard]") {
  RunWatch watch(hours(1));
  const std::ptrdiff_t before = threads();
  Run run(&watch);
  SECTION("asked from outside") {
    run.stop.request_stop();
  }
  SECTION("its writing side has failed") {
    run.guard.end_reading();
  }
  CHECK(run.guard.stopping());
  test::wait_until("a thread that tells the databases", [&] { return threads() == before + 1; });
}

TEST_CASE("a run that was asked to stop before it began is attended to", "[sync][guard]") {
  RunWatch watch(hours(1));
  std::stop_source stop;
  stop.request_stop();
  test::StillClock clock;
  const std::ptrdiff_t before = threads();
  RunGuard guard({.clock = clock, .stop = stop.get_token(), .abort = {}, .watch = &watch});
  CHECK(guard.stopping());
  test::wait_until("a thread that tells the databases", [&] { return threads() == before + 1; });
}

TEST_CASE("without a watch a guard has no thread at all", "[sync][guard]") {
  const std::ptrdiff_t before = threads();
  Run run(nullptr);
  run.stop.request_stop();
  CHECK(run.guard.stopping());
  CHECK(threads() == before);
}
