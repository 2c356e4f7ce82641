#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

struct Stopped {
  std::optional<StopReport> report;
  int calls = 0;
  std::function<void(const StopReport&)> callback() {
    return [this](const StopReport& told) {
      report = told;
      ++calls;
    };
  }
};

}  // namespace

TEST_CASE("a stop with nothing under way is over at once", "[scheduler][stop]") {
  World world;
  world.start({JobOf("orders").every(1min)});
  world.timers.advance(30s);
  const std::size_t before = world.runner.calls.size();
  Stopped stopped;
  world.scheduler->stop(stopped.callback());
  CHECK_FALSE(stopped.report);
  world.timers.drain();
  REQUIRE(stopped.report);
  CHECK_FALSE(stopped.report->forced);
  CHECK(stopped.report->unfinished.empty());
  world.timers.advance(1h);
  CHECK(world.runner.calls.size() == before);
  CHECK(world.run_now("orders") == "the daemon is stopping");
}

TEST_CASE("a stop lets runs end after their batch and starts none", "[scheduler][stop]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("a").every(1min), JobOf("b").every(1min), JobOf("c").every(1min),
               JobOf("d").after({"a"})},
              2);
  world.timers.advance(1s);
  REQUIRE(world.workers.pending() == 2);
  std::vector<std::string> told;
  const auto note = [&](const RunFinished& event) {
    told.push_back(event.job.text + " " + std::string(to_string(event.outcome.result)));
  };
  world.run_now("d", {}, note);
  world.run_now("a", {}, note);
  Stopped stopped;
  world.scheduler->stop(stopped.callback());
  world.timers.drain();
  CHECK(told == std::vector<std::string>{"a cancelled", "d cancelled"});
  CHECK_FALSE(stopped.report);
  world.workers.run_next();
  CHECK_FALSE(stopped.report);
  world.workers.run_all();
  REQUIRE(stopped.report);
  CHECK(stopped.calls == 1);
  CHECK_FALSE(stopped.report->forced);
  CHECK(world.runner.calls.size() == 2);
  for (const auto& call : world.runner.calls) {
    CHECK(call.stop.stop_requested());
    CHECK_FALSE(call.abort.stop_requested());
  }
}

TEST_CASE("a run that ends well during the stop starts nothing after it", "[scheduler][stop]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("a"), JobOf("b").after({"a"})});
  world.runner.scripts["a"] = [](const RunRequest&) { return succeeded(); };
  world.run_now("a");
  Stopped stopped;
  world.scheduler->stop(stopped.callback());
  world.workers.run_all();
  CHECK(stopped.report);
  CHECK(world.runner.count("b") == 0);
}

TEST_CASE("a second stop cancels statements at once", "[scheduler][stop]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("a").every(1min)});
  world.timers.advance(1s);
  Stopped first;
  Stopped second;
  world.scheduler->stop(first.callback());
  world.scheduler->stop(second.callback());
  world.workers.run_all();
  CHECK(world.runner.calls[0].abort.stop_requested());
  REQUIRE(first.report);
  CHECK(first.report->forced);
  CHECK(first.report->unfinished.empty());
  CHECK(second.calls == 0);
}

TEST_CASE("after shutdown_timeout statements are cancelled without being asked again",
          "[scheduler][stop]") {
  World world;
  world.workers.take(65s);
  world.start({JobOf("a").every(10min)});
  world.timers.advance(1s);
  Stopped stopped;
  world.scheduler->stop(stopped.callback());
  world.timers.advance(59s);
  CHECK_FALSE(stopped.report);
  world.timers.advance(6s);
  REQUIRE(stopped.report);
  CHECK(stopped.report->forced);
  CHECK(stopped.report->unfinished.empty());
  CHECK(world.runner.calls[0].abort.stop_requested());
}

TEST_CASE("a run that does not end even when aborted is named, and waited for no longer",
          "[scheduler][stop]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("hung").every(10min)});
  world.timers.advance(1s);
  Stopped stopped;
  world.scheduler->stop(stopped.callback());
  world.timers.advance(60s);
  CHECK_FALSE(stopped.report);
  world.timers.advance(10s);
  REQUIRE(stopped.report);
  CHECK(stopped.report->forced);
  CHECK(stopped.report->unfinished == std::vector<JobName>{JobName{"hung"}});
  // It ends after all: nobody is told twice.
  world.workers.run_all();
  CHECK(stopped.calls == 1);
}

TEST_CASE("a stop during back-off, halt and pause waits for none of them", "[scheduler][stop]") {
  World world;
  world.runner.scripts["away"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.runner.scripts["halted"] = [](const RunRequest&) { return failed(FailureKind::auth); };
  world.start(
      {JobOf("away").every(1min), JobOf("halted").every(1min), JobOf("paused").every(1min)});
  world.pause("paused", {.length = 1h});
  world.timers.advance(10s);
  Stopped stopped;
  world.scheduler->stop(stopped.callback());
  world.timers.drain();
  CHECK(stopped.report);
  const std::size_t runs = world.runner.calls.size();
  world.timers.advance(24h);
  CHECK(world.runner.calls.size() == runs);
  // The pause is a wish for after the restart as well.
  CHECK(world.pauses.kept.count(JobName{"paused"}) == 1);
}
