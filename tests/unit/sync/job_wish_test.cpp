#include <set>

#include "scheduler_fixture.h"

using namespace tidemark;
using namespace tidemark::test;

TEST_CASE("a paused job rests until resumed, and then makes up for what it missed",
          "[job][pause]") {
  World world;
  world.start({JobOf("orders").every(1min)});
  world.timers.advance(90s);
  const std::size_t before = world.runner.count("orders");
  CHECK(world.pause("orders", {.reason = "index rebuild", .by = "ana"}) == "");
  CHECK(world.state("orders") == JobState::paused);
  CHECK(world.status("orders").reason == "paused by ana: index rebuild");
  CHECK(world.pauses.kept.at(JobName{"orders"}).reason == "index rebuild");
  world.timers.advance(10min);
  CHECK(world.runner.count("orders") == before);
  CHECK(world.observer.count("orders skipped paused") == 10);
  CHECK(world.resume("orders") == "");
  world.timers.advance(1s);
  CHECK(world.runner.count("orders") == before + 1);
  CHECK(world.runner.calls.back().trigger == Trigger::resume);
  CHECK(world.pauses.kept.empty());
}

TEST_CASE("a pause with a length ends by itself", "[job][pause]") {
  World world;
  world.start({JobOf("orders").cron("0 * * * *")});
  world.pause("orders", {.length = 2h});
  CHECK(world.status("orders").next_run == world.clock.now() + 2h);
  CHECK(world.status("orders").pause->until == world.clock.now() + 2h);
  world.timers.advance(1h + 59min);
  CHECK(world.runner.count("orders") == 0);
  world.timers.advance(2min);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.pauses.kept.empty());
  // One run for the missed tick, one for the tick at two o'clock, which is the pause's end.
  CHECK(world.runner.count("orders") >= 1);
}

TEST_CASE("a pause outlives the process, and one that ended meanwhile does not", "[job][pause]") {
  World world;
  const WallTime now = world.clock.now();
  world.pauses.save({.job = JobName{"orders"}, .reason = "move", .since = now - 1h});
  world.pauses.save({.job = JobName{"stock"}, .since = now - 2h, .until = now - 1h});
  world.pauses.save({.job = JobName{"gone"}, .since = now - 2h});
  world.start({JobOf("orders").every(1min), JobOf("stock").every(1min)});
  world.timers.advance(5min);
  CHECK(world.state("orders") == JobState::paused);
  CHECK(world.runner.count("orders") == 0);
  CHECK(world.runner.count("stock") >= 5);
  CHECK(world.pauses.kept.count(JobName{"stock"}) == 0);
  // A job that is not configured now may be again.
  CHECK(world.pauses.kept.count(JobName{"gone"}) == 1);
}

TEST_CASE("a pause ends the run under way after its batch, and resume goes on with it",
          "[job][pause]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders").cron("0 * * * *")});
  world.timers.advance(1h);
  REQUIRE(world.state("orders") == JobState::running);
  world.pause("orders");
  CHECK(world.state("orders") == JobState::running);
  CHECK(world.status("orders").stopping);
  world.workers.run_next();
  CHECK(world.runner.calls.back().stop.stop_requested());
  CHECK_FALSE(world.runner.calls.back().abort.stop_requested());
  CHECK(world.state("orders") == JobState::paused);
  world.resume("orders");
  CHECK(world.state("orders") == JobState::running);
  world.workers.run_all();
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("a pause that is taken back while the run still ends leaves nothing behind",
          "[job][pause]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders").every(1h)});
  world.timers.advance(1s);
  world.pause("orders");
  world.resume("orders");
  world.workers.run_next();
  CHECK(world.state("orders") == JobState::running);
  world.workers.run_next();
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.runner.count("orders") == 2);
}

TEST_CASE("a pause drops a queued run and a back-off, and resume takes them up", "[job][pause]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("blocker"), JobOf("queued"), JobOf("failing")}, 1);
  world.runner.scripts["failing"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.run_now("failing");
  world.workers.run_next();
  world.run_now("blocker");
  world.run_now("queued");
  REQUIRE(world.state("failing") == JobState::backoff);
  REQUIRE(world.state("queued") == JobState::queued);
  world.pause("failing");
  world.pause("queued");
  CHECK(world.scheduler->load().queued == 0);
  world.timers.advance(1h);
  world.workers.run_all();
  CHECK(world.runner.count("queued") == 0);
  CHECK(world.runner.count("failing") == 1);
  world.resume("queued");
  world.resume("failing");
  world.workers.run_all();
  CHECK(world.runner.count("queued") == 1);
  CHECK(world.runner.count("failing") == 2);
}

TEST_CASE("a halted job that was paused is halted again when the pause ends by itself",
          "[job][pause][halt]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::auth); };
  world.start({JobOf("orders").every(1min)});
  world.timers.advance(1min);
  world.pause("orders", {.length = 1h});
  CHECK(world.state("orders") == JobState::paused);
  world.timers.advance(30min);
  CHECK(world.runner.count("orders") == 1);
  world.timers.advance(31min);
  CHECK(world.state("orders") == JobState::halted);
  world.timers.advance(10min);
  CHECK(world.runner.calls.back().options.probe);
  // A person's resume lifts the halt as well.
  world.pause("orders");
  world.runner.scripts.erase("orders");
  world.resume("orders");
  world.timers.advance(1s);
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("resume has nothing to do for a job that waits, and says what to do instead",
          "[job][pause]") {
  World world;
  world.start({JobOf("orders")});
  CHECK(world.resume("orders") ==
        "job orders is waiting, neither paused nor halted; to run it now: tidemark run orders");
  world.pause("orders");
  CHECK(world.run_now("orders") ==
        "job orders is paused; end that first with: tidemark resume orders");
}

TEST_CASE("resume cuts a back-off short", "[job][retry]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  world.start({JobOf("orders")});
  world.run_now("orders");
  world.timers.advance(1h);
  const std::size_t before = world.runner.count("orders");
  world.runner.scripts.erase("orders");
  CHECK(world.resume("orders") == "");
  world.timers.advance(1us);
  CHECK(world.runner.count("orders") == before + 1);
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("cancel ends a run after its batch, and at once when asked again", "[job][cancel]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders").every(1h)});
  world.timers.advance(1s);
  world.cancel("orders");
  world.runner.scripts["orders"] = [&](const RunRequest& request) {
    CHECK(request.stop.stop_requested());
    CHECK_FALSE(request.abort.stop_requested());
    world.cancel("orders");
    CHECK(request.abort.stop_requested());
    return cancelled();
  };
  world.workers.run_next();
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.status("orders").last_result == RunResult::cancelled);
  CHECK(world.status("orders").consecutive_failures == 0);
  world.timers.advance(1h);
  CHECK(world.state("orders") == JobState::running);
}

TEST_CASE("cancel drops a queued run and a back-off, and those who wait are told",
          "[job][cancel]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("blocker"), JobOf("queued"), JobOf("failing")}, 1);
  world.runner.scripts["failing"] = [](const RunRequest&) { return failed(FailureKind::connect); };
  std::vector<std::string> told;
  const auto note = [&](const RunFinished& event) {
    told.push_back(event.job.text + " " + std::string(to_string(event.outcome.result)));
  };
  world.run_now("failing", {}, note);
  world.workers.run_next();
  world.run_now("blocker", {}, note);
  world.run_now("queued", {}, note);
  CHECK(world.cancel("queued") == "");
  CHECK(world.cancel("failing") == "");
  CHECK(told == std::vector<std::string>{"queued cancelled", "failing cancelled"});
  CHECK(world.cancel("queued") ==
        "job queued is waiting, there is no run to cancel; to keep it from running: tidemark "
        "pause queued");
  world.timers.advance(24h);
  CHECK(world.runner.count("failing") == 1);
}

TEST_CASE("a run asked for during a run follows it, each with its own options and answer",
          "[job][run]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders")});
  std::vector<std::string> told;
  const auto note = [&](const char* who) {
    return [&told, who](const RunFinished& event) {
      told.push_back(std::string(who) + " " + event.run_id);
    };
  };
  RunOptions resync;
  resync.resync = true;
  RunOptions rehearsal;
  rehearsal.dry_run = true;
  CHECK(world.run_now("orders", {}, note("plain")) == "");
  CHECK(world.run_now("orders", resync, note("resync")) == "");
  CHECK(world.run_now("orders", rehearsal, note("rehearsal")) == "");
  world.workers.run_all();
  REQUIRE(world.runner.calls.size() == 3);
  CHECK(world.runner.calls[1].options.resync);
  CHECK(world.runner.calls[2].options.dry_run);
  CHECK(told.size() == 3);
  CHECK(std::set<std::string>(told.begin(), told.end()).size() == 3);
}

TEST_CASE("wishes that one run can fulfil become one run", "[job][run]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("blocker"), JobOf("orders")}, 1);
  world.run_now("blocker");
  int told = 0;
  const auto note = [&](const RunFinished&) { ++told; };
  RunOptions resync;
  resync.resync = true;
  world.run_now("orders", {}, note);
  world.run_now("orders", resync, note);
  world.run_now("orders", {}, note);
  world.workers.run_all();
  CHECK(world.runner.count("orders") == 1);
  CHECK(world.runner.calls.back().options.resync);
  CHECK(told == 3);
}

TEST_CASE("wishes are bounded", "[job][run]") {
  World world;
  world.workers.wait_for_test();
  world.start({JobOf("orders")});
  for (int wish = 0; wish < 17; ++wish)
    CHECK(world.run_now("orders") == "");
  CHECK(world.run_now("orders") ==
        "job orders has 16 runs waiting already; try again when they are done");
  world.workers.run_all();
  CHECK(world.runner.count("orders") == 17);
}

TEST_CASE("a rehearsal that fails neither halts nor counts", "[job][run]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::schema); };
  world.start({JobOf("orders")});
  RunOptions rehearsal;
  rehearsal.dry_run = true;
  std::optional<RunResult> told;
  world.run_now("orders", rehearsal,
                [&](const RunFinished& event) { told = event.outcome.result; });
  world.timers.advance(1s);
  CHECK(told == RunResult::failed);
  CHECK(world.state("orders") == JobState::waiting);
  CHECK(world.status("orders").consecutive_failures == 0);
  CHECK_FALSE(world.status("orders").last_start);
}

TEST_CASE("a rehearsal of a halted job leaves the halt and its probe", "[job][run][halt]") {
  World world;
  world.runner.scripts["orders"] = [](const RunRequest& request) {
    return request.options.dry_run ? succeeded() : failed(FailureKind::auth);
  };
  world.start({JobOf("orders")});
  world.run_now("orders");
  world.timers.advance(1s);
  REQUIRE(world.state("orders") == JobState::halted);
  RunOptions rehearsal;
  rehearsal.dry_run = true;
  world.run_now("orders", rehearsal);
  world.timers.advance(1s);
  CHECK(world.state("orders") == JobState::halted);
  CHECK_FALSE(world.status("orders").last_success);
  world.timers.advance(10min);
  CHECK(world.runner.calls.back().trigger == Trigger::probe);
}

TEST_CASE("a backfill brings no success of the job, and its failure is only reported",
          "[job][run]") {
  World world;
  world.start({JobOf("orders"), JobOf("report").after({"orders"})});
  RunOptions backfill;
  backfill.backfill = RunOptions::Backfill{.from = "1", .to = "9", .where = ""};
  world.run_now("orders", backfill);
  world.timers.advance(1s);
  CHECK(world.runner.count("orders") == 1);
  CHECK(world.runner.count("report") == 0);
  CHECK_FALSE(world.status("orders").last_success);
  world.runner.scripts["orders"] = [](const RunRequest&) { return failed(FailureKind::schema); };
  world.run_now("orders", backfill);
  world.timers.advance(1s);
  CHECK(world.state("orders") == JobState::waiting);
}

TEST_CASE("a disabled job does nothing and refuses wishes", "[job]") {
  World world;
  world.start({JobOf("orders").every(1min).with([](JobSettings& job) { job.enabled = false; })});
  world.timers.advance(1h);
  CHECK(world.runner.calls.empty());
  CHECK(world.state("orders") == JobState::disabled);
  const std::string refused =
      "job orders is disabled; set enabled: true in its configuration and reload";
  CHECK(world.run_now("orders") == refused);
  CHECK(world.pause("orders") == refused);
  CHECK(world.resume("orders") == refused);
}
