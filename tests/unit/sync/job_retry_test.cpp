#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

RetrySettings steady_retry() {
  RetrySettings retry;
  retry.jitter = 0;
  return retry;
}

}  // namespace

TEST_CASE("a transient failure backs off, doubles, and goes on from the checkpoint",
          "[job][retry]") {
  World world;
  int left = 4;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    return left-- > 0 ? failed(FailureKind::deadlock, "deadlock found") : succeeded();
  };
  world.start({JobOf("orders").cron("0 * * * *")});
  world.timers.advance(1h);
  CHECK(world.state("orders") == JobState::backoff);
  CHECK(world.status("orders").attempt == 1);
  CHECK(world.status("orders").reason == "deadlock found");
  CHECK(world.status("orders").next_run == world.clock.now() + 1s);
  world.timers.advance(1min);
  CHECK(world.observer.delays == std::vector<Duration>{1s, 2s, 4s, 8s});
  CHECK(world.runner.count("orders") == 5);
  CHECK(world.runner.calls[1].trigger == Trigger::retry);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.status("orders").consecutive_failures == 0);
  CHECK_FALSE(world.status("orders").last_failure);
}

TEST_CASE("attempts that are spent fail the run, and the next tick starts afresh", "[job][retry]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::conflict); };
  world.start(
      {JobOf("orders").cron("0 * * * *").with([](JobSettings& job) { job.retry.attempts = 3; })});
  world.timers.advance(1h + 59min);
  CHECK(world.runner.count("orders") == 3);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.status("orders").consecutive_failures == 3);
  CHECK(world.status("orders").attempt == 0);
  world.timers.advance(1h);
  CHECK(world.runner.count("orders") == 6);
  CHECK(world.observer.delays == std::vector<Duration>{1s, 2s, 1s, 2s});
}

TEST_CASE("a database that is away for a day is retried for a day, and then all goes on",
          "[job][retry]") {
  World world;
  const WallTime back = world.clock.now() + 24h;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    return world.clock.now() < back ? failed(FailureKind::connect) : succeeded();
  };
  world.start({JobOf("orders").every(30s), JobOf("other").every(1h)});
  world.timers.advance(23h);
  CHECK(world.state("orders") == JobState::backoff);
  CHECK(world.status("orders").attempt == 0);
  CHECK(world.status("orders").away_attempt > 200);
  CHECK(world.observer.delays.back() == 5min);
  CHECK(std::is_sorted(world.observer.delays.begin(), world.observer.delays.end()));
  // One try each five minutes, not one each tick.
  CHECK(world.runner.count("orders") < 24 * 12 + 20);
  CHECK(world.status("other").consecutive_failures == 0);
  world.timers.advance(1h + 5min);
  CHECK(world.state("orders") == JobState::waiting);
  const std::size_t before = world.runner.count("orders");
  world.timers.advance(10min);
  CHECK(world.runner.count("orders") == before + 20);
}

TEST_CASE("failures with a live connection are counted apart from those without", "[job][retry]") {
  World world;
  int call = 0;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    // connect, connect, deadlock, connect, deadlock, …: two in three are no attempt.
    return failed(++call % 3 == 0 ? FailureKind::deadlock : FailureKind::connect);
  };
  world.start({JobOf("orders").with([](JobSettings& job) { job.retry.attempts = 3; })});
  world.run_now("orders");
  world.timers.advance(2h);
  CHECK(call == 9);
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("a config failure halts the job, is probed, and heals by itself", "[job][halt]") {
  World world;
  bool fixed = false;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    return fixed ? succeeded() : failed(FailureKind::auth, "access denied");
  };
  world.start({JobOf("orders").every(1min), JobOf("other").every(1min)});
  world.timers.advance(5min);
  CHECK(world.state("orders") == JobState::halted);
  CHECK(world.status("orders").failure->message == "access denied");
  CHECK(world.status("orders").next_run.has_value());
  CHECK(world.runner.count("orders") == 1);
  world.timers.advance(30min);
  // Ticks do not touch a halted job; its probe does, every ten minutes.
  CHECK(world.runner.count("orders") == 4);
  CHECK(world.runner.calls.back().job == "other");
  for (const auto& call : world.runner.calls)
    if (call.trigger == Trigger::probe) CHECK(call.options.probe);
  CHECK(world.status("orders").consecutive_failures == 1);
  CHECK(world.observer.count("orders halted>running") == 0);

  fixed = true;
  world.timers.advance(10min);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.observer.count("orders started resume") == 1);
  CHECK(world.status("orders").consecutive_failures == 0);
  CHECK(world.runner.count("other") >= 45);
}

TEST_CASE("forty jobs are not dead after the password has been fixed", "[job][halt]") {
  World world;
  bool fixed = false;
  std::vector<JobOf> jobs;
  for (int number = 0; number < 40; ++number) {
    const std::string name = "job" + std::to_string(number);
    jobs.push_back(JobOf(name).every(1min));
    world.runner.scripts[name] = [&](const RunRequest&) {
      return fixed ? succeeded() : failed(FailureKind::auth);
    };
  }
  world.start(jobs);
  world.timers.advance(1h);
  for (const JobStatus& status : world.scheduler->status())
    CHECK(status.state == JobState::halted);
  fixed = true;
  world.timers.advance(11min);
  for (const JobStatus& status : world.scheduler->status())
    CHECK(status.state == JobState::waiting);
}

TEST_CASE("a database that is away while it is probed says nothing about the halt", "[job][halt]") {
  World world;
  Outcome next = failed(FailureKind::permission, "no SELECT on orders");
  world.runner.scripts["orders"] = [&](const RunRequest&) { return next; };
  world.start({JobOf("orders")});
  world.run_now("orders");
  world.timers.advance(1min);
  next = failed(FailureKind::connect, "connection refused");
  world.timers.advance(10min);
  CHECK(world.state("orders") == JobState::halted);
  CHECK(world.status("orders").failure->message == "no SELECT on orders");
  // Another cause of the same class is shown instead.
  next = failed(FailureKind::schema, "no column total");
  world.timers.advance(10min);
  CHECK(world.status("orders").failure->message == "no column total");
}

TEST_CASE("a permanent failure waits for a person", "[job][halt]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::internal); };
  world.start({JobOf("orders").every(1min)});
  world.timers.advance(24h);
  CHECK(world.runner.count("orders") == 1);
  CHECK(world.state("orders") == JobState::halted);
  CHECK_FALSE(world.status("orders").next_run);
  world.runner.scripts.erase("orders");
  CHECK(world.resume("orders") == "");
  world.timers.advance(1s);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.runner.calls.back().trigger == Trigger::resume);
}

TEST_CASE("a halt that needs a person is not probed, whatever its class", "[job][halt]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) {
    Outcome outcome = failed(FailureKind::schema, "checkpoint of another definition");
    outcome.failure->needs_person = true;
    return outcome;
  };
  world.start({JobOf("orders").every(1min)});
  world.timers.advance(24h);
  CHECK(world.runner.count("orders") == 1);
  world.runner.scripts.erase("orders");
  RunOptions options;
  options.accept = RunOptions::Accept::keep_mark;
  CHECK(world.run_now("orders", options) == "");
  world.timers.advance(1s);
  CHECK(world.runner.calls.back().options.accept == RunOptions::Accept::keep_mark);
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("a refused row halts the job, and a real run shows when it has been mended",
          "[job][halt]") {
  World world;
  bool mended = false;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    return mended ? succeeded() : failed(FailureKind::conversion);
  };
  world.start({JobOf("orders").every(1min)});
  world.timers.advance(15min);
  CHECK(world.runner.count("orders") == 2);
  CHECK_FALSE(world.runner.calls.back().options.probe);
  CHECK(world.runner.calls.back().trigger == Trigger::retry);
  CHECK(world.state("orders") == JobState::halted);
  mended = true;
  world.timers.advance(10min);
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("a job that another daemon holds waits, and asks again when the lease may be over",
          "[job][held]") {
  World world;
  bool held = true;
  Duration lease = 59s;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    Outcome outcome = succeeded();
    if (!held) return outcome;
    outcome.result = RunResult::held;
    outcome.held_by = "db1 pid 42";
    outcome.held_for = lease;
    return outcome;
  };
  world.start({JobOf("orders").cron("0 * * * *")});
  world.timers.advance(1h + 1s);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.status("orders").held_by == "db1 pid 42");
  CHECK(world.status("orders").reason == "held by another daemon: db1 pid 42");
  CHECK(world.status("orders").consecutive_failures == 0);
  CHECK(world.runner.count("orders") == 1);
  world.timers.advance(10min);
  CHECK(world.runner.count("orders") == 11);
  lease = 4s;
  world.timers.advance(1min);
  CHECK(world.runner.count("orders") == 12);
  held = false;
  world.timers.advance(5s);
  CHECK(world.status("orders").held_by == "");
  CHECK(world.runner.count("orders") == 13);
  world.timers.advance(40min);
  CHECK(world.runner.count("orders") == 13);
}

TEST_CASE("an outcome that fails without a reason halts loudly", "[job][halt]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return Outcome{}; };
  world.start({JobOf("orders")});
  world.run_now("orders");
  world.timers.advance(1s);
  CHECK(world.state("orders") == JobState::halted);
  CHECK(world.status("orders").reason == "the run failed without saying why");
}

TEST_CASE("who asked for a run is told when its attempts are spent, though the job goes on",
          "[job][run]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.start({JobOf("orders").with([](JobSettings& job) {
    job.retry = steady_retry();
    job.retry.attempts = 4;
  })});
  std::vector<RunFinished> told;
  world.run_now("orders", {}, [&](const RunFinished& event) { told.push_back(event); });
  world.timers.advance(6s);
  CHECK(told.empty());
  world.timers.advance(2s);
  REQUIRE(told.size() == 1);
  CHECK(told.front().outcome.failure->kind == FailureKind::connect);
  CHECK(world.state("orders") == JobState::backoff);
  world.timers.advance(1h);
  CHECK(told.size() == 1);
}

TEST_CASE("a retried resync does not begin anew once a batch of it has been committed",
          "[job][run]") {
  World world;
  std::vector<Outcome> outcomes{failed(FailureKind::connect), failed(FailureKind::connect)};
  outcomes[1].counts.batches = 3;
  std::size_t call = 0;
  world.runner.scripts["orders"] = [&](const RunRequest&) {
    return call < outcomes.size() ? outcomes[call++] : succeeded();
  };
  world.start({JobOf("orders")});
  RunOptions options;
  options.resync = true;
  world.run_now("orders", options);
  world.timers.advance(1min);
  REQUIRE(world.runner.calls.size() == 3);
  CHECK(world.runner.calls[0].options.resync);
  CHECK(world.runner.calls[1].options.resync);
  CHECK_FALSE(world.runner.calls[2].options.resync);
}
