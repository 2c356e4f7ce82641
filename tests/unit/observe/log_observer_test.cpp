#include "observe/log_observer.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/process.h"

using namespace tidemark;
using namespace tidemark::observe;
using namespace std::chrono_literals;

namespace {

/// A log in JSON whose lines can be looked at.
struct Fixture {
  test::TempDir dir;
  int fd = open((dir / "log").c_str(), O_CREAT | O_RDWR | O_APPEND, 0600);
  Log log;
  LogObserver observer{log};

  explicit Fixture(LogLevel level = LogLevel::info)
      : log({.level = level, .format = LogFormat::json, .fd = fd}) {}
  ~Fixture() { close(fd); }

  std::vector<nlohmann::json> lines() const {
    std::string all(static_cast<std::size_t>(lseek(fd, 0, SEEK_END)), '\0');
    REQUIRE(pread(fd, all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    std::vector<nlohmann::json> result;
    std::istringstream stream(all);
    for (std::string line; std::getline(stream, line);)
      result.push_back(nlohmann::json::parse(line));
    return result;
  }
};

RunFinished run(RunResult result) {
  RunFinished event;
  event.job = JobName("orders");
  event.run_id = "r1";
  event.ended = WallTime(1000s);
  event.took = 2s;
  event.outcome.result = result;
  return event;
}

Failure refused() {
  Failure failure{.kind = FailureKind::permission,
                  .message = "write wms.orders: permission denied (42501). HINT: Grant INSERT."};
  failure.code = "42501";
  failure.table = "wms.orders";
  failure.hint = "Grant INSERT.";
  failure.remedy = "permission";
  failure.driver_text = "ERROR: value 4711 of somebody";
  return failure;
}

}  // namespace

TEST_CASE("a run is one line with rows, speed, lag and phases") {
  Fixture fixture;
  RunFinished event = run(RunResult::success);
  event.outcome.counts.rows_read = 1000;
  event.outcome.counts.written = {.inserted = 10, .updated = 5, .deleted = 0, .unchanged = 985};
  event.outcome.phases.read = 1500ms;
  event.outcome.phases.commit = 20ms;
  event.outcome.progress.fresh_as_of = WallTime(990s);
  event.outcome.progress.clock_skew = -5s;
  fixture.observer.run_finished(event);
  REQUIRE(fixture.lines().size() == 1);
  const auto line = fixture.lines().front();
  CHECK(line["message"] ==
        "run succeeded in 2.0s: read 1000 row(s), wrote 15 (10 inserted, 5 updated, 985 "
        "unchanged), 500 rows/s; lag 5.0s; read 1.5s, commit 20ms");
  CHECK(line["level"] == "info");
  CHECK(line["event"] == "run_finished");
  CHECK(line["job"] == "orders");
  CHECK(line["run_id"] == "r1");
  CHECK(line["rows_read"] == 1000);
  CHECK(line["rows_inserted"] == 10);
  CHECK(line["rows_per_second"] == 500);
  CHECK(line["took_seconds"] == 2.0);
  CHECK(line["lag_seconds"] == 5.0);
}

TEST_CASE("a scheduled run that found nothing is a debug line, one that was asked for is not") {
  Fixture fixture;
  fixture.observer.run_finished(run(RunResult::success));
  CHECK(fixture.lines().empty());
  RunFinished asked = run(RunResult::success);
  asked.trigger = Trigger::manual;
  fixture.observer.run_finished(asked);
  CHECK(fixture.lines().size() == 1);
  Fixture verbose(LogLevel::debug);
  verbose.observer.run_finished(run(RunResult::success));
  CHECK(verbose.lines().size() == 1);
}

TEST_CASE("a failed run tells kind, class, code and hint, and what the driver said at debug only") {
  RunFinished event = run(RunResult::failed);
  event.outcome.failure = refused();
  Fixture fixture;
  fixture.observer.run_finished(event);
  REQUIRE(fixture.lines().size() == 1);
  const auto line = fixture.lines().front();
  CHECK(line["level"] == "error");
  CHECK(line["event"] == "run_failed");
  CHECK(line["kind"] == "permission");
  CHECK(line["class"] == "config");
  CHECK(line["code"] == "42501");
  CHECK(line["table"] == "wms.orders");
  CHECK(line["remedy"] == "permission");
  CHECK(line["message"] ==
        "run failed after 2.0s: write wms.orders: permission denied (42501). HINT: Grant INSERT.; "
        "read 0 row(s), wrote 0");
  CHECK(line.dump().find("4711") == std::string::npos);

  Fixture verbose(LogLevel::debug);
  verbose.observer.run_finished(event);
  REQUIRE(verbose.lines().size() == 2);
  CHECK(verbose.lines()[0]["level"] == "debug");
  CHECK(verbose.lines()[0]["message"] == "the driver said: ERROR: value 4711 of somebody");
}

TEST_CASE("the other results have words of their own") {
  Fixture fixture;
  fixture.observer.run_finished(run(RunResult::partial));
  fixture.observer.run_finished(run(RunResult::cancelled));
  RunFinished held = run(RunResult::held);
  held.outcome.held_by = "other-host pid 7";
  fixture.observer.run_finished(held);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 3);
  CHECK(lines[0]["level"] == "warn");
  CHECK(lines[0]["message"].get<std::string>().find("rows left out") != std::string::npos);
  CHECK(lines[1]["message"].get<std::string>().starts_with("run cancelled after 2.0s"));
  CHECK(lines[2]["message"] == "standing back: the job is held by other-host pid 7");
}

TEST_CASE("a halt is an error line with cause and hint, a retry a warning with its delay") {
  Fixture fixture;
  fixture.observer.retry_scheduled(JobName("orders"), refused(), 3, 90s);
  StateChanged event;
  event.job = JobName("orders");
  event.from = JobState::running;
  event.to = JobState::halted;
  event.reason = "looks again in 10m";
  event.failure = refused();
  fixture.observer.state_changed(event);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["level"] == "warn");
  CHECK(lines[0]["message"] == "retry 3 in 1m30s (permission)");
  CHECK(lines[0]["attempt"] == 3);
  CHECK(lines[0]["delay_seconds"] == 90.0);
  CHECK(lines[1]["level"] == "error");
  CHECK(lines[1]["event"] == "halted");
  CHECK(lines[1]["message"] ==
        "halted: write wms.orders: permission denied (42501). HINT: Grant INSERT. (looks again in "
        "10m)");
}

TEST_CASE("pauses and the end of a halt are news, the steps of a run are not") {
  Fixture fixture;
  StateChanged event;
  event.job = JobName("orders");
  event.from = JobState::waiting;
  event.to = JobState::running;
  fixture.observer.state_changed(event);
  CHECK(fixture.lines().empty());
  event.to = JobState::paused;
  event.reason = "by uid 1000: moving house";
  fixture.observer.state_changed(event);
  event.from = JobState::halted;
  event.to = JobState::waiting;
  event.reason = "the cause is gone";
  fixture.observer.state_changed(event);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0]["message"] == "waiting -> paused: by uid 1000: moving house");
  CHECK(lines[1]["message"] == "halted -> waiting: the cause is gone");
}

TEST_CASE("a reload says what it did, and every problem of a rejected one") {
  Fixture fixture;
  ReloadFinished applied;
  applied.generation = 3;
  applied.added = {"a", "b"};
  applied.removed = {"c"};
  applied.restart_required = {"daemon.listen"};
  fixture.observer.reload_finished(applied);
  ReloadFinished rejected;
  rejected.result = ReloadFinished::Result::rejected;
  rejected.generation = 3;
  rejected.errors = {"tidemark.yaml:1:1: unknown key", "tidemark.yaml:2:1: bad value"};
  fixture.observer.reload_finished(rejected);
  ReloadFinished unchanged;
  unchanged.result = ReloadFinished::Result::unchanged;
  fixture.observer.reload_finished(unchanged);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 6);
  CHECK(lines[0]["message"] == "reload applied: generation 3; added a, b; removed c");
  CHECK(lines[1]["level"] == "warn");
  CHECK(lines[1]["message"] ==
        "these settings keep their old value until a restart: daemon.listen");
  CHECK(lines[2]["level"] == "error");
  CHECK(lines[2]["event"] == "reload_rejected");
  CHECK(lines[3]["message"] == "tidemark.yaml:1:1: unknown key");
  CHECK(lines[4]["message"] == "tidemark.yaml:2:1: bad value");
  CHECK(lines[5]["message"] == "reload: nothing has changed");
}

TEST_CASE("mark epochs and notes are warnings, skipped starts information") {
  Fixture fixture;
  fixture.observer.mark_epoch_opened(JobName("orders"), 2, "the source was restored");
  fixture.observer.note(JobName("orders"), "the target lacks a column");
  fixture.observer.note(JobName(), "about everything");
  fixture.observer.run_skipped(JobName("orders"), SkipReason::missed);
  const auto lines = fixture.lines();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0]["level"] == "warn");
  CHECK(lines[0]["message"] == "mark epoch 2 opened: the source was restored");
  CHECK(lines[0]["epoch"] == 2);
  CHECK(lines[1]["job"] == "orders");
  CHECK_FALSE(lines[2].contains("job"));
  CHECK(lines[3]["message"] == "a start was skipped: missed");
}
