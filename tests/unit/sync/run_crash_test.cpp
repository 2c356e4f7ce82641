// Crashes at every step, commits in doubt and second daemons: rows and position stay together.
#include <catch2/catch.hpp>

#include "bench.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using memory::Operation;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

void fill(Bench& bench, int rows) {
  for (int id = 1; id <= rows; ++id) {
    if (id % 3 == 0) bench.tick();
    bench.put(id, "v" + std::to_string(id));
  }
  bench.tick();
}

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

TEST_CASE("a run that dies at any step is made good by the next one", "[sync][crash]") {
  for (const WriteMode write : {WriteMode::upsert, WriteMode::append}) {
    for (const bool at_source : {true, false}) {
      for (std::size_t step = 1;; ++step) {
        CAPTURE(to_string(write), at_source, step);
        Bench bench;
        bench.job.write = write;
        fill(bench, 10);
        memory::Database& side = at_source ? *bench.source : *bench.target;
        side.inject({.operation = std::nullopt, .after = step});
        const Outcome broken = bench.run();
        side.clear_faults();
        bench.restart();
        bench.run_until_quiet();
        REQUIRE(sorted(bench.target_rows()) == sorted(bench.source_rows()));
        if (broken.result == RunResult::success) {
          CHECK(step > 5);
          break;
        }
        REQUIRE(broken.failure);
        CHECK(broken.failure->kind == FailureKind::connect);
      }
    }
  }
}

TEST_CASE("a commit in doubt that arrived is not repeated", "[sync][crash][doubt]") {
  Bench bench;
  bench.job.write = GENERATE(WriteMode::upsert, WriteMode::append);
  fill(bench, 10);
  bench.target->inject(commit_in_doubt(true, 2));
  const Outcome outcome = bench.run();
  CHECK(outcome.result == RunResult::success);
  CHECK(bench.told.notes().size() == 1);
  bench.run_until_quiet();
  CHECK(sorted(bench.target_rows()) == sorted(bench.source_rows()));
}

TEST_CASE("a commit in doubt that did not arrive is made good from the checkpoint",
          "[sync][crash][doubt]") {
  Bench bench;
  bench.job.write = GENERATE(WriteMode::upsert, WriteMode::append);
  fill(bench, 10);
  bench.target->inject(commit_in_doubt(false, 2));
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->error_class() == ErrorClass::transient);
  CHECK(bench.target_rows().size() == 3);
  bench.run_until_quiet();
  CHECK(sorted(bench.target_rows()) == sorted(bench.source_rows()));
}

TEST_CASE("doubt that can't be cleared up now is cleared up before the next write",
          "[sync][crash][doubt]") {
  const bool arrived = GENERATE(true, false);
  Bench bench;
  bench.job.write = WriteMode::append;
  fill(bench, 10);
  bench.target->inject(commit_in_doubt(arrived, 2));
  bench.target->inject(lost_connection(Operation::recover));
  CHECK(bench.run().result == RunResult::failed);
  CHECK(bench.target->checkpoint(bench.key())->revision == (arrived ? 2 : 1));
  bench.run_until_quiet();
  CHECK(sorted(bench.target_rows()) == sorted(bench.source_rows()));
}

TEST_CASE("a second daemon stands back and takes over when the lease has run out",
          "[sync][fence]") {
  Bench bench("one");
  fill(bench, 4);
  CHECK(bench.run().result == RunResult::success);
  const auto second = bench.other_runner("two");
  Outcome outcome = second->run(bench.request());
  CHECK(outcome.result == RunResult::held);
  CHECK(outcome.held_by == "here pid 1");
  CHECK_FALSE(outcome.failure);

  bench.tick(minutes(2));
  bench.put(9, "new");
  bench.tick();
  outcome = second->run(bench.request());
  CHECK(outcome.result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(bench.run().result == RunResult::held);
}

TEST_CASE("who was overtaken in the middle of a run writes no more", "[sync][fence]") {
  Bench bench("one");
  bench.job.write = GENERATE(WriteMode::upsert, WriteMode::append);
  fill(bench, 10);
  int commits = 0;
  bench.target->on_operation([&](Operation operation) {
    if (operation == Operation::commit && ++commits == 2)
      bench.target->seize(bench.key(), {.host = "there", .pid = 2, .process = "two"}, minutes(1));
  });
  const Outcome outcome = bench.run();
  bench.target->on_operation({});
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->code == "fenced");
  CHECK(outcome.failure->error_class() == ErrorClass::transient);
  CHECK(bench.target_rows().size() == 3);
  CHECK(bench.run().result == RunResult::held);
  bench.tick(minutes(2));
  bench.run_until_quiet();
  CHECK(sorted(bench.target_rows()) == sorted(bench.source_rows()));
}

TEST_CASE(
    "who lived through a past of the target that a restore undid saves no marks into this one",
    "[sync][fence]") {
  Bench bench("one");
  fill(bench, 4);
  const auto before = bench.target->backup();
  REQUIRE(bench.run().result == RunResult::success);
  bench.tick();
  REQUIRE(bench.run().result == RunResult::success);
  // Its marks have moved since it saved them: it would do so at its stop.
  bench.target->restore(*before);
  const auto second = bench.other_runner("two");
  bench.tick();
  REQUIRE(second->run(bench.request()).result == RunResult::success);
  const auto stored = bench.target->checkpoint(bench.key());
  bench.runner->release_all();
  CHECK(bench.target->checkpoint(bench.key()) == stored);
  bench.put(9, "new");
  bench.tick();
  CHECK(second->run(bench.request()).result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("leases are given back at the end, with the marks that moved", "[sync][fence]") {
  Bench bench("one");
  fill(bench, 4);
  bench.run();
  bench.tick(seconds(5));
  const Outcome last = bench.run();
  bench.runner->release_all();
  CHECK(decode(*bench.target->checkpoint(bench.key())).settled->text == last.progress.settled);
  const auto second = bench.other_runner("two");
  CHECK(second->run(bench.request()).result == RunResult::success);
  CHECK(bench.run().result == RunResult::held);
}

TEST_CASE("a job is named in full where another process can't be reached", "[sync][fence]") {
  Bench bench;
  fill(bench, 2);
  bench.run();
  bench.target->inject(lost_connection(Operation::renew));
  bench.runner->release(bench.job.name);  // best effort: nothing is thrown
  CHECK(bench.run().result == RunResult::success);
}

TEST_CASE("a target that went back takes its position along", "[sync][crash]") {
  Bench bench;
  fill(bench, 6);
  bench.run();
  const auto old_rows = bench.target->rows(bench.job.target_table);
  const auto old_checkpoint = bench.target->checkpoint(bench.key());
  bench.put(7, "new");
  bench.tick();
  bench.run();
  // The target fails over to a copy that lacks the last transaction.
  bench.target->erase(bench.job.target_table, {"7"});
  bench.target->set_checkpoint(bench.key(), *old_checkpoint);
  CHECK(bench.target->rows(bench.job.target_table) == old_rows);
  SECTION("which ends the sessions") {
    bench.target->kill_sessions();
  }
  SECTION("silently: before the next write, or when the lease is renewed") {
    bench.tick(bench.limits.lease / 2);
  }
  SECTION("silently, and the next run has something to write") {
    bench.put(8, "newer");
    bench.tick();
  }
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a run that finds no database shows where the job stood", "[sync][crash]") {
  Bench bench;
  fill(bench, 4);
  const Outcome before = bench.run();
  bench.source->inject(lost_connection(Operation::describe));
  const Outcome outcome = bench.run();
  CHECK(outcome.result == RunResult::failed);
  CHECK(outcome.progress.settled == before.progress.settled);
  CHECK(outcome.progress.fresh_as_of == before.progress.fresh_as_of);
  CHECK(outcome.progress.initial_done);
}
