#include "sync/retry.h"

#include <catch2/catch.hpp>

using namespace tidemark;
using namespace std::chrono_literals;
using Action = RetryDecision::Action;

namespace {

Failure failure(FailureKind kind) {
  Failure result;
  result.kind = kind;
  return result;
}

const std::vector<FailureKind> all_kinds{
    FailureKind::connect,    FailureKind::auth,          FailureKind::tls,
    FailureKind::timeout,    FailureKind::permission,    FailureKind::schema,
    FailureKind::constraint, FailureKind::conversion,    FailureKind::conflict,
    FailureKind::deadlock,   FailureKind::position_lost, FailureKind::resource,
    FailureKind::internal};

}  // namespace

TEST_CASE("delays double from the initial one up to the largest", "[retry]") {
  const RetryPolicy policy({.initial = 1s, .max = 1min, .multiplier = 2, .jitter = 0});
  const std::vector<Duration> wanted{1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s};
  for (std::uint32_t n = 1; n <= wanted.size(); ++n)
    CHECK(policy.delay(n, 0.3) == wanted[n - 1]);
  // A day of retries later the power has long left what a number can hold.
  CHECK(policy.delay(100'000, 0.5) == 1min);
}

TEST_CASE("the share of jitter is random and the rest is not", "[retry][property]") {
  const RetryPolicy policy({.initial = 10s, .max = 1min, .multiplier = 2, .jitter = 0.5});
  CHECK(policy.delay(1, 0) == 5s);
  CHECK(policy.delay(1, 0.5) == Duration{7'500'000});
  for (std::uint32_t n = 1; n < 20; ++n)
    for (double random = 0; random < 1; random += 0.01) {
      const Duration delay = policy.delay(n, random);
      const Duration whole = std::min<Duration>(1min, 10s * (1 << std::min(n - 1, 10u)));
      REQUIRE(delay >= whole / 2);
      REQUIRE(delay <= whole);
    }
}

TEST_CASE("every kind of failure has one consequence", "[retry]") {
  const RetryPolicy policy({.jitter = 0, .attempts = 3, .probe_halted = 10min});
  const auto first = [&](FailureKind kind) {
    return policy.decide(failure(kind), {.live = 1, .away = 1}, 0).action;
  };
  const auto spent = [&](FailureKind kind) {
    return policy.decide(failure(kind), {.live = 3, .away = 1'000}, 0).action;
  };
  for (const FailureKind kind : all_kinds) {
    INFO(to_string(kind));
    if (means_away(kind)) {
      CHECK(first(kind) == Action::retry);
      CHECK(spent(kind) == Action::retry);
    } else if (class_of(kind) == ErrorClass::transient) {
      CHECK(first(kind) == Action::retry);
      CHECK(spent(kind) == Action::give_up);
    } else if (class_of(kind) == ErrorClass::config) {
      CHECK(first(kind) == Action::halt_probe);
    } else if (class_of(kind) == ErrorClass::data) {
      CHECK(first(kind) == Action::halt_rerun);
    } else {
      CHECK(first(kind) == Action::halt);
    }
  }
}

TEST_CASE("away databases are retried at the largest delay for ever", "[retry]") {
  const RetryPolicy policy(
      {.initial = 1s, .max = 5min, .multiplier = 2, .jitter = 0, .attempts = 8});
  const auto decision = policy.decide(failure(FailureKind::connect), {.away = 5'000}, 0.9);
  CHECK(decision.action == Action::retry);
  CHECK(decision.delay == 5min);
}

TEST_CASE("what waits for a person is never tried again by itself", "[retry]") {
  const RetryPolicy policy({.probe_halted = 10min});
  for (const FailureKind kind : all_kinds) {
    Failure asked = failure(kind);
    asked.needs_person = true;
    CHECK(policy.decide(asked, {.live = 1, .away = 1}, 0).action == Action::halt);
  }
}

TEST_CASE("probe_halted: never leaves every halt to a person", "[retry]") {
  const RetryPolicy policy({.probe_halted = std::nullopt});
  CHECK(policy.decide(failure(FailureKind::auth), {.live = 1}, 0).action == Action::halt);
  CHECK(policy.decide(failure(FailureKind::constraint), {.live = 1}, 0).action == Action::halt);
  CHECK(policy.decide(failure(FailureKind::connect), {.away = 1}, 0).action == Action::retry);
}

TEST_CASE("a child before its parent is retried, and is a refused row when attempts are spent",
          "[retry]") {
  const RetryPolicy policy({.attempts = 2, .probe_halted = 10min});
  for (const char* code : {"23503", "1452", "SQLITE_CONSTRAINT_FOREIGNKEY"}) {
    Failure child = failure(FailureKind::constraint);
    child.code = code;
    CHECK(policy.decide(child, {.live = 1}, 0).action == Action::retry);
    CHECK(policy.decide(child, {.live = 2}, 0).action == Action::halt_rerun);
  }
  Failure duplicate = failure(FailureKind::constraint);
  duplicate.code = "23505";
  CHECK(policy.decide(duplicate, {.live = 1}, 0).action == Action::halt_rerun);
}
