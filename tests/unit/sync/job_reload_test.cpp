#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

JobOf orders() {
  return JobOf("orders").every(1min);
}
JobOf with_where(JobOf job, const std::string& where) {
  return job.with([&](JobSettings& settings) { settings.source_where = where; });
}
std::vector<JobName> names(const std::vector<std::string>& list) {
  std::vector<JobName> all;
  for (const std::string& name : list)
    all.emplace_back(name);
  return all;
}

}  // namespace

TEST_CASE("a reload names what it added, removed, changed and left alone", "[job][reload]") {
  World world;
  world.start({orders(), JobOf("stock").every(1h), JobOf("old").every(1h)});
  world.timers.advance(1s);
  CHECK(world.scheduler->generation() == 1);
  const ReloadDiff diff =
      world.apply({with_where(orders(), "a > 1"), JobOf("stock").every(1h), JobOf("fresh")});
  CHECK(diff.added == names({"fresh"}));
  CHECK(diff.removed == names({"old"}));
  CHECK(diff.changed == names({"orders"}));
  CHECK(diff.unchanged == names({"stock"}));
  CHECK(diff.restart_required.empty());
  CHECK_FALSE(world.scheduler->status(JobName{"old"}));
  REQUIRE(world.observer.reloads.size() == 1);
  CHECK(world.observer.reloads[0].result == ReloadFinished::Result::applied);
  CHECK(world.observer.reloads[0].generation == 2);
  CHECK(world.observer.reloads[0].changed == std::vector<std::string>{"orders"});
}

TEST_CASE("a reload of the same file touches nothing", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({orders(), JobOf("stock").every(1h)});
  world.timers.advance(90s);
  const auto lines = world.observer.lines;
  const auto next = world.status("stock").next_run;
  const ReloadDiff diff = world.apply({orders(), JobOf("stock").every(1h)});
  CHECK(diff.unchanged == names({"orders", "stock"}));
  CHECK(world.observer.lines == lines);
  CHECK(world.status("stock").next_run == next);
  CHECK_FALSE(world.status("orders").stopping);
  CHECK(world.observer.reloads.back().result == ReloadFinished::Result::unchanged);
  CHECK(world.scheduler->generation() == 1);
}

TEST_CASE("a changed job finishes its batch and goes on with the new settings", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({orders()});
  world.timers.advance(1s);
  REQUIRE(world.state("orders") == JobState::running);
  world.apply({with_where(orders(), "a > 1")});
  CHECK(world.status("orders").stopping);
  // Its settings are the new ones already; the run under way keeps those it began with.
  CHECK(world.status("orders").settings->source_where == "a > 1");
  world.workers.run_next();
  CHECK_FALSE(world.runner.calls[0].settings->source_where);
  CHECK(world.runner.calls[0].stop.stop_requested());
  CHECK_FALSE(world.runner.calls[0].abort.stop_requested());
  REQUIRE(world.state("orders") == JobState::running);
  world.workers.run_next();
  CHECK(world.runner.calls[1].settings->source_where == "a > 1");
  CHECK(world.runner.calls[1].trigger == Trigger::resume);
  CHECK_FALSE(world.runner.calls[1].stop.stop_requested());
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("a change of what only the loop reads interrupts no run", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({orders()});
  world.timers.advance(1s);
  world.apply({JobOf("orders").every(5min).with([](JobSettings& job) {
    job.labels = {{"team", "wms"}};
    job.priority = 3;
    job.freshness = FreshnessSettings{.error = 10min};
  })});
  CHECK_FALSE(world.status("orders").stopping);
  CHECK(world.status("orders").settings->priority == 3);
  world.workers.run_all();
  CHECK(world.runner.count("orders") == 1);
  CHECK(world.status("orders").next_run->time_since_epoch() % 5min == Duration::zero());
}

TEST_CASE("who asked for a run hears of it after a reload in its middle", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders")});
  std::vector<RunResult> told;
  RunOptions resync;
  resync.resync = true;
  world.run_now("orders", resync,
                [&](const RunFinished& event) { told.push_back(event.outcome.result); });
  world.apply({with_where(JobOf("orders"), "a > 1")});
  world.workers.run_next();
  CHECK(told.empty());
  world.workers.run_next();
  CHECK(told == std::vector<RunResult>{RunResult::success});
  CHECK(world.runner.calls[1].options.resync);
}

TEST_CASE("a removed job stops after its batch and is gone", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({orders(), JobOf("stock").every(1h)});
  world.timers.advance(1s);
  world.apply({JobOf("stock").every(1h)});
  CHECK_FALSE(world.scheduler->status(JobName{"orders"}));
  CHECK(world.scheduler->load().running == 2);
  world.workers.run_all();
  CHECK(world.scheduler->load().running == 0);
  world.timers.advance(1h);
  world.workers.run_all();
  CHECK(world.runner.count("orders") == 1);
  CHECK(world.run_now("orders") ==
        "no job is called orders; the names are listed by: tidemark list");
}

TEST_CASE("a job that is removed and added again never runs twice at a time", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({orders()});
  world.timers.advance(1s);
  world.apply({});
  world.apply({orders()});
  world.timers.advance(10min);
  CHECK(world.workers.pending() == 1);
  CHECK(world.state("orders") == JobState::running);
  world.workers.run_next();
  CHECK(world.workers.pending() == 1);
  world.workers.run_next();
  CHECK(world.state("orders") == JobState::waiting);
  world.timers.advance(1min);
  CHECK(world.state("orders") == JobState::running);
}

TEST_CASE("a disabled job that is removed and added again before its run has ended stays",
          "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  world.start({orders()});
  world.timers.advance(1s);
  world.apply({orders().with([](JobSettings& job) { job.enabled = false; })});
  world.apply({});
  world.apply({orders()});
  world.workers.run_next();
  world.timers.advance(1min);
  CHECK(world.state("orders") == JobState::running);
}

TEST_CASE("a job that is removed while queued or backing off leaves nothing behind",
          "[job][reload]") {
  World world;
  world.runner.scripts["failing"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.start({JobOf("failing").every(1min), JobOf("stock")}, 1);
  world.timers.advance(500ms);
  REQUIRE(world.state("failing") == JobState::backoff);
  world.workers.wait_for_test();
  world.run_now("stock");
  world.resume("failing");
  REQUIRE(world.state("failing") == JobState::queued);
  bool told = false;
  world.run_now("failing", {}, [&](const RunFinished& event) {
    told = event.outcome.result == RunResult::cancelled;
  });
  world.apply({JobOf("stock")}, 1);
  CHECK(told);
  CHECK(world.scheduler->load().queued == 0);
  world.workers.run_all();
  world.timers.advance(24h);
  CHECK(world.runner.count("failing") == 1);
}

TEST_CASE("a new configuration is tried at once by what had failed with the old one",
          "[job][reload][halt]") {
  World world;
  bool fixed = false;
  for (const char* name : {"halted", "away"})
    world.runner.scripts[name] = [&, name](const RunRequest&) {
      if (fixed) return succeeded();
      return failed(name == std::string("halted") ? FailureKind::internal : FailureKind::connect);
    };
  const auto jobs = [] {
    return std::vector<JobOf>{JobOf("halted").every(1h), JobOf("away").every(1h)};
  };
  world.start(jobs());
  world.timers.advance(30min);
  REQUIRE(world.state("halted") == JobState::halted);
  REQUIRE(world.state("away") == JobState::backoff);
  fixed = true;
  auto changed = jobs();
  for (JobOf& job : changed)
    job = with_where(job, "1 = 1");
  world.apply(changed);
  world.timers.advance(1us);
  CHECK(world.state("halted") == JobState::waiting);
  CHECK(world.state("away") == JobState::waiting);
}

TEST_CASE("a changed connection changes the jobs that use it and no others", "[job][reload]") {
  World world;
  Settings settings = configuration({orders(), JobOf("local").with([](JobSettings& job) {
                                       job.source_connection = ConnectionName{"shop"};
                                       job.target_connection = ConnectionName{"shop"};
                                     })});
  settings.connections[ConnectionName{"shop"}].type = "sqlite";
  settings.connections[ConnectionName{"erp"}].primary = ConnectionName{"erp_rw"};
  settings.connections[ConnectionName{"erp_rw"}].host = "one";
  world.scheduler->start(settings, {});
  world.timers.advance(1s);
  settings.connections[ConnectionName{"wms"}].host = "db2.example";
  ReloadDiff diff = world.scheduler->apply(settings);
  CHECK(diff.changed == names({"orders"}));
  CHECK(diff.unchanged == names({"local"}));
  settings.connections[ConnectionName{"erp_rw"}].host = "two";
  diff = world.scheduler->apply(settings);
  CHECK(diff.changed == names({"orders"}));
}

TEST_CASE("settings that need a restart are named and keep their old values", "[job][reload]") {
  World world;
  world.start({orders()}, 4);
  Settings settings = configuration({orders()}, 9);
  settings.daemon.listen = "0.0.0.0:1";
  settings.daemon.shutdown_timeout = 5s;
  const ReloadDiff diff = world.scheduler->apply(settings);
  CHECK(diff.restart_required == std::vector<std::string>{"daemon.listen", "daemon.workers"});
  CHECK(world.scheduler->load().slots == 4);
  // Still so at the next reload: they wait for the restart.
  CHECK(world.scheduler->apply(settings).restart_required == diff.restart_required);
  CHECK(world.scheduler->apply(configuration({orders()}, 4)).restart_required.empty());
}

TEST_CASE("enabling and disabling by a reload", "[job][reload]") {
  World world;
  world.workers.wait_for_test();
  const auto off = [](JobSettings& job) { job.enabled = false; };
  world.start({orders()});
  world.timers.advance(1s);
  world.apply({orders().with(off)});
  CHECK(world.state("orders") == JobState::running);
  CHECK(world.status("orders").stopping);
  world.workers.run_next();
  CHECK(world.state("orders") == JobState::disabled);
  world.timers.advance(1h);
  CHECK(world.workers.pending() == 0);
  world.apply({orders()});
  world.timers.advance(1min);
  CHECK(world.state("orders") == JobState::running);
}

TEST_CASE("a job that a reload adds knows its history and its pause", "[job][reload]") {
  World world;
  world.start({});
  const WallTime now = world.clock.now();
  world.pauses.save({.job = JobName{"orders"}, .since = now - 1h});
  std::map<JobName, JobHistory> history;
  history[JobName{"stock"}] = {.last_start = now, .last_success = now};
  world.scheduler->apply(configuration({orders(), JobOf("stock").every(1h)}), history);
  world.timers.advance(5min);
  CHECK(world.state("orders") == JobState::paused);
  CHECK(world.status("stock").last_success == now);
  CHECK(world.runner.calls.empty());
}

TEST_CASE("a changed calendar counts from now", "[job][reload]") {
  World world;
  world.start({JobOf("orders").every(1h)});
  world.timers.advance(10min);
  world.apply({JobOf("orders").every(1min)});
  world.timers.advance(10min);
  CHECK(world.runner.count("orders") == 1 + 10);
  world.apply({JobOf("orders")});
  CHECK_FALSE(world.status("orders").next_run);
  world.timers.advance(1h);
  CHECK(world.runner.count("orders") == 1 + 10);
}

TEST_CASE("a changed list of jobs before it keeps the successes it had", "[job][reload][after]") {
  World world;
  world.start({JobOf("a"), JobOf("b"), JobOf("c"), JobOf("report").after({"a", "b"})});
  world.run_now("a");
  world.timers.advance(1s);
  world.apply({JobOf("a"), JobOf("b"), JobOf("c"), JobOf("report").after({"a", "c"})});
  CHECK(world.status("report").waits_for == names({"c"}));
  world.run_now("c");
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 1);
  // The last one it waited for is taken out: nothing is left to wait for.
  world.run_now("a");
  world.timers.advance(1s);
  world.apply({JobOf("a"), JobOf("b"), JobOf("c"), JobOf("report").after({"a"})});
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 2);
}
