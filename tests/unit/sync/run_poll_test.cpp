// What a poll that finds nothing costs: statements on both sides, counted.
#include <catch2/catch.hpp>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "bench.h"

using namespace tidemark;
using namespace tidemark::test;
using memory::Operation;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// Counts the operations of one database, by kind.
class Counter {
 public:
  explicit Counter(memory::Database& database) : database_(database) {
    database_.on_operation([this](Operation operation) {
      const std::lock_guard lock(mutex_);
      ++counts_[operation];
    });
  }
  ~Counter() { database_.on_operation({}); }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  std::map<Operation, int> taken() {
    const std::lock_guard lock(mutex_);
    return std::exchange(counts_, {});
  }

 private:
  memory::Database& database_;
  std::mutex mutex_;
  std::map<Operation, int> counts_;
};

using Counts = std::map<Operation, int>;
const Counts two_questions{{Operation::horizon, 1}, {Operation::read, 1}, {Operation::fetch, 1}};

/// The first run makes the table, the second finds it as it is from then on.
void settle(Bench& bench) {
  bench.put(1, "a");
  bench.run_until_quiet();
  bench.tick(seconds(2));
  REQUIRE(bench.run().result == RunResult::success);
}

}  // namespace

TEST_CASE("an empty poll asks two questions of the source and none of the target", "[sync][poll]") {
  Bench bench;
  settle(bench);
  Counter source(*bench.source);
  Counter target(*bench.target);
  for (int poll = 0; poll < 3; ++poll) {
    bench.tick(seconds(5));
    const Outcome outcome = bench.run();
    REQUIRE(outcome.result == RunResult::success);
    CHECK(outcome.progress.fresh_as_of == bench.source->now());
    CHECK(source.taken() == two_questions);
    CHECK(target.taken() == Counts{});
  }
  // Less than half of the lease is left: it is renewed, and nothing else.
  bench.tick(seconds(20));
  bench.run();
  CHECK(source.taken() == two_questions);
  CHECK(target.taken() == Counts{{Operation::keep, 1}});
  // A row that came is written at once.
  bench.put(2, "b");
  bench.tick();
  bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("what is read in one batch is read on the run's own thread, more of it ahead",
          "[sync][poll]") {
  Bench bench;
  settle(bench);
  std::mutex mutex;
  std::set<std::thread::id> readers;
  bench.source->on_operation([&](Operation operation) {
    const std::lock_guard lock(mutex);
    if (operation == Operation::fetch) readers.insert(std::this_thread::get_id());
  });
  const std::set<std::thread::id> own{std::this_thread::get_id()};
  bench.tick(seconds(5));
  bench.run();
  CHECK(readers == own);
  bench.put(2, "b");
  bench.tick();
  bench.run();
  CHECK(readers == own);
  for (int id = 3; id <= 12; ++id)
    bench.put(id, "c");
  bench.tick();
  bench.run();
  CHECK(readers.size() == 2);
  bench.source->on_operation({});
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("catalogues are asked again after some minutes, and by a new session", "[sync][poll]") {
  Bench bench;
  settle(bench);
  Counter source(*bench.source);
  SECTION("minutes") {
    bench.tick(minutes(5));
  }
  SECTION("reconnect") {
    bench.connections->close_idle();
  }
  SECTION("another definition") {
    bench.job.batch_rows = 7;
  }
  SECTION("a person's wish") {
    REQUIRE(bench.run({.accept = RunOptions::Accept::keep_mark}).result == RunResult::success);
  }
  bench.run();
  CHECK(source.taken()[Operation::inspect] >= 1);
}

TEST_CASE("a change of the tables is found by the statement that meets it", "[sync][poll]") {
  Bench bench;
  settle(bench);
  // The target loses its table: the write fails, and the same run plans anew and makes it again.
  bench.target->drop(bench.job.target_table);
  bench.put(2, "b");
  bench.tick();
  const Outcome outcome = bench.run();
  INFO((outcome.failure ? outcome.failure->message : ""));
  REQUIRE(outcome.result == RunResult::success);
  CHECK(bench.target_rows().size() == 1);
}

TEST_CASE("a session that died between two polls fails no run", "[sync][poll]") {
  Bench bench;
  settle(bench);
  bench.source->kill_sessions();
  bench.put(2, "b");
  bench.tick();
  CHECK(bench.run().result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("who was overtaken between two polls writes nothing", "[sync][poll][fence]") {
  Bench bench;
  settle(bench);
  bench.target->seize(bench.key(), {.host = "elsewhere", .pid = 2, .process = "two"}, minutes(5));
  bench.tick();
  CHECK(bench.run().result == RunResult::success);  // finds nothing, and asks nobody
  bench.put(2, "b");
  bench.tick();
  CHECK(bench.run().result == RunResult::held);
  CHECK(bench.target_rows().size() == 1);
}

TEST_CASE("another server behind the same session is noticed by its first answer", "[sync][poll]") {
  Bench bench;
  settle(bench);
  bench.source->set_identity("restored");
  bench.tick();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(bench.told.epochs().size() == 1);
}
