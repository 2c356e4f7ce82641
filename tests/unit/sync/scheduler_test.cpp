#include "sync/scheduler.h"

#include <set>

#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

Duration since_hour(WallTime at) {
  return at.time_since_epoch() % 1h;
}

}  // namespace

TEST_CASE("a day of schedule runs each tick once", "[scheduler]") {
  World world;
  world.start({JobOf("orders").every(30s), JobOf("stock").every(5min),
               JobOf("report").cron("0 3 * * *"), JobOf("by_hand")});
  world.timers.advance(24h);
  // The first run of an `every` job comes at once, the others on the aligned ticks.
  CHECK(world.runner.count("orders") == 24 * 60 * 2 + 1);
  CHECK(world.runner.count("stock") == 24 * 12 + 1);
  CHECK(world.runner.count("report") == 1);
  CHECK(world.runner.count("by_hand") == 0);
  for (const auto& call : world.runner.calls)
    if (call.job == "report") CHECK(call.at.time_since_epoch() % 24h == 3h);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.observer.count("orders skipped overlap") == 0);
}

TEST_CASE("first runs are spread over a short while", "[scheduler]") {
  World world;
  std::vector<JobOf> jobs;
  for (int number = 0; number < 100; ++number)
    jobs.push_back(JobOf("job" + std::to_string(number)).every(1h));
  const WallTime start = world.clock.now();
  world.start(jobs, 100);
  world.timers.advance(2s);
  REQUIRE(world.runner.calls.size() == 100);
  std::set<WallTime> times;
  for (const auto& call : world.runner.calls)
    times.insert(call.at);
  CHECK(times.size() > 90);
  CHECK(*times.rbegin() - start > 1s);
  CHECK(*times.rbegin() - start <= 2s);
}

TEST_CASE("a job that outlasts its interval never overlaps itself and runs again at once",
          "[scheduler]") {
  World world;
  world.workers.take(70s);
  world.start({JobOf("orders").every(30s)});
  world.timers.advance(10min);
  // 70 s each, back to back: the ticks in between collapsed into one.
  CHECK(world.runner.count("orders") == 8);
  CHECK(world.observer.count("orders started schedule") == 9);
  // Each tick was a start or is counted as skipped; the newest one is still to be made up for.
  CHECK(world.observer.count("orders skipped overlap") == 21 - 9 - 1);
}

TEST_CASE("a first start off the calendar makes its next tick late and skips nothing",
          "[scheduler]") {
  World world;
  world.workers.take(20s);
  world.timers.advance(25s);
  world.start({JobOf("orders").every(30s)});
  world.timers.advance(10min);
  CHECK(world.observer.count("orders skipped overlap") == 0);
  CHECK(world.observer.count("orders started schedule") >= 20);
}

TEST_CASE("missed: skip leaves ticks out that came while the job ran", "[scheduler]") {
  World world;
  world.workers.take(70s);
  world.start({JobOf("orders").every(30s).with(
      [](JobSettings& job) { job.schedule.missed = Missed::skip; })});
  world.timers.advance(10min);
  CHECK(world.observer.count("orders started schedule") == 7);
  for (const auto& call : world.runner.calls)
    if (&call != &world.runner.calls.front())
      CHECK(since_hour(call.at - 70s) % 30s == Duration::zero());
}

TEST_CASE("ticks missed while the machine slept are one run, or none with missed: skip",
          "[scheduler]") {
  World world;
  world.start({JobOf("orders").every(30s), JobOf("picky").every(30s).with([](JobSettings& job) {
                 job.schedule.missed = Missed::skip;
               })});
  world.timers.advance(45s);
  const std::size_t before = world.runner.count("orders");
  const std::size_t picky = world.runner.count("picky");
  world.clock.step_wall(3h - 13s);
  world.timers.advance(11s);
  CHECK(world.runner.count("orders") == before + 1);
  CHECK(world.runner.count("picky") == picky);
  CHECK(world.observer.count("orders skipped missed") == 1);
  CHECK(world.observer.count("picky skipped missed") == 1);
  world.timers.advance(30s);
  CHECK(world.runner.count("orders") == before + 2);
  CHECK(world.runner.count("picky") == picky + 1);
}

TEST_CASE("a clock that is put back does not silence the jobs", "[scheduler]") {
  World world;
  world.start({JobOf("orders").every(30s)});
  world.timers.advance(5min);
  const std::size_t before = world.runner.count("orders");
  world.clock.step_wall(-2h);
  world.timers.advance(5min);
  CHECK(world.runner.count("orders") >= before + 9);
  REQUIRE(world.observer.notes.size() == 1);
  CHECK(world.observer.notes.front() ==
        "the clock was put back by 7200 s: all jobs are planned anew");
}

TEST_CASE("a restart runs what was missed while the daemon was down", "[scheduler]") {
  World world;
  const WallTime now = world.clock.now();
  std::map<JobName, JobHistory> history;
  JobHistory yesterday{.last_start = now - 25h, .last_success = now - 25h};
  yesterday.last_result = RunResult::success;
  JobHistory recent{.last_start = now, .last_success = now};
  recent.last_result = RunResult::success;
  JobHistory broken{.last_start = now - 10s, .last_success = now - 50h};
  broken.last_result = RunResult::failed;
  broken.consecutive_failures = 3;
  history[JobName{"nightly"}] = yesterday;
  history[JobName{"picky"}] = yesterday;
  history[JobName{"recent"}] = recent;
  history[JobName{"broken"}] = broken;
  world.start({JobOf("nightly").cron("0 2 * * *"),
               JobOf("picky").cron("0 2 * * *").with([](JobSettings& job) {
                 job.schedule.missed = Missed::skip;
               }),
               JobOf("recent").every(1h), JobOf("broken").cron("0 2 * * *"),
               JobOf("unborn").cron("0 2 * * *")},
              4, history);
  CHECK(world.status("broken").consecutive_failures == 3);
  CHECK(world.status("broken").last_success == now - 50h);
  world.timers.advance(5s);
  CHECK(world.runner.count("nightly") == 1);
  CHECK(world.runner.count("broken") == 1);
  CHECK(world.runner.count("picky") == 0);
  CHECK(world.observer.count("picky skipped missed") == 1);
  CHECK(world.runner.count("recent") == 0);
  // A nightly job that never ran waits for its night.
  CHECK(world.runner.count("unborn") == 0);
}

TEST_CASE("slots bound the runs and go to the higher priority first", "[scheduler]") {
  World world;
  world.workers.wait_for_test();
  const auto priority = [](int value) {
    return [value](JobSettings& job) { job.priority = value; };
  };
  world.start({JobOf("low").with(priority(-1)), JobOf("middle"), JobOf("high").with(priority(5)),
               JobOf("first"), JobOf("second")},
              2);
  for (const char* job : {"first", "second", "low", "middle", "high"})
    world.run_now(job);
  CHECK(world.workers.pending() == 2);
  CHECK(world.scheduler->load().running == 2);
  CHECK(world.scheduler->load().queued == 3);
  CHECK(world.state("middle") == JobState::queued);
  CHECK(world.status("middle").reason == "waits for a free worker or connection");
  world.workers.run_all();
  CHECK(world.runner.order() ==
        std::vector<std::string>{"first", "second", "high", "middle", "low"});
}

TEST_CASE("of jobs due at the same moment the one with the higher priority is first",
          "[scheduler]") {
  World world;
  world.start({JobOf("a").cron("0 * * * *"),
               JobOf("b").cron("0 * * * *").with([](JobSettings& job) { job.priority = 1; })},
              1);
  world.timers.advance(1h);
  CHECK(world.runner.order() == std::vector<std::string>{"b", "a"});
}

TEST_CASE("a low priority is served in the end though higher ones keep coming", "[scheduler]") {
  World world;
  world.workers.take(10s);
  std::vector<JobOf> jobs{JobOf("patient")};
  for (int number = 0; number < 4; ++number)
    jobs.push_back(JobOf("busy" + std::to_string(number)).every(10s).with([](JobSettings& job) {
      job.priority = 3;
    }));
  world.start(jobs, 1);
  world.timers.advance(1min);
  world.run_now("patient");
  CHECK(world.timers.advance_until([&] { return world.runner.count("patient") == 1; }, 5min));
}

TEST_CASE("a connection's limit holds back runs, and not those of other connections",
          "[scheduler]") {
  World world;
  world.workers.wait_for_test();
  Settings settings =
      configuration({JobOf("a"), JobOf("b"), JobOf("c"), JobOf("other").with([](JobSettings& job) {
                       job.source_connection = ConnectionName{"shop"};
                       job.target_connection = ConnectionName{"shop"};
                     })},
                    8);
  settings.connections[ConnectionName{"erp"}].max_connections = 2;
  // Too low for a job that reads and writes it; it runs all the same, alone.
  settings.connections[ConnectionName{"shop"}] = settings.connections[ConnectionName{"erp"}];
  settings.connections[ConnectionName{"shop"}].max_connections = 1;
  world.scheduler->start(settings, {});
  for (const char* job : {"a", "b", "c", "other"})
    world.run_now(job);
  CHECK(world.scheduler->load().running == 3);
  CHECK(world.state("c") == JobState::queued);
  CHECK(world.state("other") == JobState::running);
  world.workers.run_next();
  CHECK(world.state("c") == JobState::running);
  world.workers.run_all();
  CHECK(world.runner.calls.size() == 4);
}

TEST_CASE("a job starts when all jobs before it have succeeded since its last start",
          "[scheduler][after]") {
  World world;
  world.start({JobOf("orders"), JobOf("lines"), JobOf("report").after({"orders", "lines"})});
  world.run_now("orders");
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 0);
  CHECK(world.status("report").waits_for == std::vector<JobName>{JobName{"lines"}});
  CHECK(world.status("report").reason == "waits for a success of lines");
  world.run_now("orders");
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 0);
  world.run_now("lines");
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 1);
  CHECK(world.runner.calls.back().trigger == Trigger::after);
  world.run_now("lines");
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 1);
  world.run_now("orders");
  world.timers.advance(1s);
  CHECK(world.runner.count("report") == 2);
}

TEST_CASE("a chain of three jobs runs through, and a failure stops what comes after it",
          "[scheduler][after]") {
  World world;
  world.start({JobOf("a").cron("0 * * * *"), JobOf("b").after({"a"}), JobOf("c").after({"b"})});
  world.timers.advance(1h);
  CHECK(world.runner.order() == std::vector<std::string>{"a", "b", "c"});
  world.runner.scripts["b"] = [](const RunRequest&) { return failed(FailureKind::internal); };
  world.timers.advance(1h);
  CHECK(world.runner.order() == std::vector<std::string>{"a", "b", "c", "a", "b"});
  CHECK(world.observer.count("c skipped dependency") == 1);
  CHECK(world.state("b") == JobState::halted);
}

TEST_CASE("a success of a job before it counts though it comes while the job runs",
          "[scheduler][after]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("a"), JobOf("b").after({"a"})});
  world.run_now("a");
  world.workers.run_next();
  REQUIRE(world.state("b") == JobState::running);
  // b was handed out first, so a's second run ends behind it only if b waits: run a's task first.
  world.run_now("a");
  CHECK(world.workers.pending() == 2);
  world.workers.run_next();
  CHECK(world.state("b") == JobState::waiting);
  world.workers.run_next();
  CHECK(world.state("b") == JobState::running);
  world.workers.run_all();
  CHECK(world.runner.count("b") == 2);
}

TEST_CASE("after a restart a job still owes the run that its predecessors asked for",
          "[scheduler][after]") {
  World world;
  const WallTime now = world.clock.now();
  std::map<JobName, JobHistory> history;
  history[JobName{"a"}] = {.last_start = now - 10min, .last_success = now - 9min};
  history[JobName{"b"}] = {.last_start = now - 1h, .last_success = now - 1h};
  history[JobName{"c"}] = {.last_start = now - 1min, .last_success = now - 1min};
  world.start({JobOf("a"), JobOf("b").after({"a"}), JobOf("c").after({"a"})}, 4, history);
  world.timers.advance(1s);
  CHECK(world.runner.count("b") == 1);
  CHECK(world.runner.count("c") == 0);
}

TEST_CASE("5,000 idle jobs every 10 s wake the loop a few times a second at most", "[scheduler]") {
  World world;
  std::vector<JobOf> jobs;
  for (int number = 0; number < 5000; ++number)
    jobs.push_back(JobOf("job" + std::to_string(number)).every(10s));
  world.start(jobs, 64);
  world.timers.advance(20s);
  const std::uint64_t wakes_before = world.timers.fired();
  const std::size_t runs_before = world.runner.calls.size();
  const auto begin = std::chrono::steady_clock::now();
  world.timers.advance(60s);
  const auto took = std::chrono::steady_clock::now() - begin;
  const std::size_t runs = world.runner.calls.size() - runs_before;
  CHECK(runs == 30'000);
  // One timer per run for its end, one for its watch on stalls (cancelled), six for the ticks.
  CHECK(world.timers.fired() - wakes_before <= runs + 60);
  // Not a benchmark: a scan of all jobs per tick would take minutes.
  CHECK(took < 20s);
}

TEST_CASE("nothing is called once the scheduler is gone", "[scheduler]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders").every(30s), JobOf("stock").every(30s)});
  world.timers.advance(1s);
  REQUIRE(world.workers.pending() == 2);
  bool told = false;
  world.run_now("orders", {}, [&](const RunFinished&) { told = true; });
  const auto lines = world.observer.lines.size();
  world.scheduler.reset();
  RunProgress late;
  late.job = JobName{"orders"};
  world.progress.batch_committed(late);
  world.workers.run_all();
  world.timers.advance(24h);
  CHECK(world.runner.calls.size() == 2);
  for (const auto& call : world.runner.calls)
    CHECK(call.abort.stop_requested());
  CHECK(world.observer.lines.size() == lines);
  CHECK_FALSE(told);
  CHECK(world.timers.pending() == 0);
}

TEST_CASE("an unknown job is refused with the way to the names", "[scheduler]") {
  World world;
  world.start({JobOf("orders")});
  CHECK(world.run_now("order") == "no job is called order; the names are listed by: tidemark list");
  CHECK(world.pause("order") == world.cancel("order"));
  CHECK_FALSE(world.scheduler->status(JobName{"order"}));
}
