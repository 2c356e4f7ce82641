#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

auto fresh(Duration error, std::optional<Duration> warn = {}) {
  return [=](JobSettings& job) { job.freshness = FreshnessSettings{.warn = warn, .error = error}; };
}

}  // namespace

TEST_CASE("the deadline is the calendar's next success plus the freshness", "[job][stale]") {
  World world;
  const WallTime midnight = world.clock.now();
  world.start({JobOf("nightly").cron("0 2 * * *").with(fresh(1h, 10min))});
  JobStatus status = world.status("nightly");
  CHECK(status.due == midnight + 2h);
  CHECK(status.warn_deadline == midnight + 2h + 10min);
  CHECK(status.deadline == midnight + 3h);
  world.runner.scripts["nightly"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.timers.advance(2h + 9min);
  CHECK_FALSE(world.status("nightly").late);
  world.timers.advance(2min);
  CHECK(world.status("nightly").late);
  CHECK_FALSE(world.status("nightly").stale);
  world.timers.advance(50min);
  CHECK(world.status("nightly").stale);
  world.runner.scripts.erase("nightly");
  world.timers.advance(5min);
  status = world.status("nightly");
  CHECK_FALSE(status.stale);
  CHECK(status.due == midnight + 26h);
}

TEST_CASE("a job that succeeds in time is never stale, however seldom it runs", "[job][stale]") {
  World world;
  world.start({JobOf("weekly").cron("0 0 * * 0").with(fresh(5min))});
  for (int hour = 0; hour < 24 * 21; ++hour) {
    world.timers.advance(1h);
    REQUIRE_FALSE(world.status("weekly").stale);
  }
  CHECK(world.runner.count("weekly") == 3);
}

TEST_CASE("paused, manual and disabled jobs are not stale", "[job][stale]") {
  World world;
  for (const char* name : {"paused", "manual", "disabled", "ordinary"})
    world.runner.scripts[name] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.start({JobOf("paused").every(1min).with(fresh(5min)), JobOf("manual").with(fresh(5min)),
               JobOf("disabled").every(1min).with(fresh(5min)).with([](JobSettings& job) {
                 job.enabled = false;
               }),
               JobOf("ordinary").every(1min).with(fresh(5min)), JobOf("lax").every(1min)});
  world.pause("paused");
  world.timers.advance(1h);
  for (const char* name : {"paused", "manual", "disabled", "lax"}) {
    CHECK_FALSE(world.status(name).stale);
    CHECK_FALSE(world.status(name).deadline);
  }
  CHECK(world.status("ordinary").stale);
}

TEST_CASE("a dependent job is due when the last of those before it has succeeded",
          "[job][stale][after]") {
  World world;
  const WallTime midnight = world.clock.now();
  world.start({JobOf("a").cron("0 1 * * *"), JobOf("b").cron("0 2 * * *"),
               JobOf("c").after({"a", "b"}).with(fresh(30min)),
               JobOf("d").after({"c"}).with(fresh(30min)), JobOf("by_hand"),
               JobOf("e").after({"by_hand"}).with(fresh(30min))});
  CHECK(world.status("c").due == midnight + 2h);
  CHECK(world.status("d").due == midnight + 2h);
  CHECK_FALSE(world.status("e").due);
  world.runner.scripts["c"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.timers.advance(2h + 31min);
  CHECK(world.status("c").stale);
  CHECK(world.status("d").stale);
  world.runner.scripts.erase("c");
  world.timers.advance(5min);
  CHECK_FALSE(world.status("c").stale);
  CHECK_FALSE(world.status("d").stale);
  CHECK(world.status("d").due == midnight + 26h);
}

TEST_CASE("the last success survives a restart, and with it the deadline", "[job][stale]") {
  World world;
  const WallTime now = world.clock.now();
  std::map<JobName, JobHistory> history;
  history[JobName{"orders"}] = {.last_start = now - 2h, .last_success = now - 2h};
  world.workers.wait_for_test();
  world.start({JobOf("orders").every(30min).with(fresh(1h))}, 4, history);
  world.timers.advance(1s);
  CHECK(world.status("orders").deadline == now - 30min);
  CHECK(world.status("orders").stale);
  world.workers.run_all();
  CHECK_FALSE(world.status("orders").stale);
}

TEST_CASE("a status tells of the run under way and of the last one", "[job][status]") {
  World world;
  world.workers.wait_for_test();
  world.runner.scripts["orders"] = [](const RunRequest&) {
    Outcome outcome = succeeded();
    outcome.counts.rows_read = 12;
    outcome.progress.reached = "99";
    outcome.progress.drift = {"column note is not in the target"};
    return outcome;
  };
  world.start({JobOf("orders").every(1h)});
  world.timers.advance(1s);
  JobStatus status = world.status("orders");
  CHECK(status.state == JobState::running);
  CHECK(status.trigger == Trigger::schedule);
  CHECK(status.run_id.size() == std::string("20261117T000000-00000000").size());
  CHECK(status.run_started == status.last_start);
  const std::string id = status.run_id;
  world.timers.advance(90s);
  world.workers.run_all();
  status = world.status("orders");
  CHECK(status.state == JobState::waiting);
  CHECK(status.run_id.empty());
  CHECK(status.last_run_id == id);
  CHECK(status.last_took > 90s);
  CHECK(status.last_result == RunResult::success);
  CHECK(status.last_counts.rows_read == 12);
  CHECK(status.progress.reached == "99");
  CHECK(status.degraded);
  CHECK(status.last_success == world.clock.now());

  // A run that could not even connect knows nothing: what was known stays.
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.timers.advance(1h);
  world.workers.run_all();
  CHECK(world.status("orders").progress.reached == "99");
  CHECK(world.status("orders").last_failure->kind == FailureKind::connect);
}

TEST_CASE("each committed batch shows in the status of its run and of no other", "[job][status]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders").every(1h)});
  world.timers.advance(1s);
  RunProgress batch;
  batch.job = JobName{"orders"};
  batch.run_id = world.status("orders").run_id;
  batch.counts.batches = 7;
  batch.progress.reached = "41";
  world.progress.batch_committed(batch);
  CHECK(world.status("orders").run_counts.batches == 0);
  world.timers.drain();
  CHECK(world.status("orders").run_counts.batches == 7);
  CHECK(world.status("orders").progress.reached == "41");
  // Told late, by a run that is over.
  batch.run_id = "an earlier one";
  batch.progress.reached = "12";
  world.progress.batch_committed(batch);
  world.timers.drain();
  CHECK(world.status("orders").progress.reached == "41");
}

TEST_CASE("each change of state is told once, with reason and next start", "[job][status]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) {
    return failed(FailureKind::auth, "access denied");
  };
  world.start({JobOf("orders").cron("0 * * * *")});
  world.timers.advance(1h);
  CHECK(world.observer.lines ==
        std::vector<std::string>{"orders waiting>queued", "orders started schedule",
                                 "orders queued>running", "orders finished failed",
                                 "orders running>halted"});
  const StateChanged& halted = world.observer.states.back();
  CHECK(halted.reason == "access denied");
  REQUIRE(halted.failure);
  CHECK(halted.failure->kind == FailureKind::auth);
  CHECK(halted.next == world.clock.now() + 10min);
}
