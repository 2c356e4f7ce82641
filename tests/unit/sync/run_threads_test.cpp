// Stop, abort, stalls and leases while a run is in the middle of something.
#include <catch2/catch.hpp>
#include <future>

#include "bench.h"
#include "sync/batch_queue.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using memory::Operation;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

void fill(Bench& bench, int rows) {
  for (int id = 1; id <= rows; ++id) {
    bench.put(id, "v" + std::to_string(id));
    bench.tick();
  }
}

/// The guard looks at the time as often as a short lease asks it to.
void look_often(Bench& bench) {
  bench.limits.lease = milliseconds(30);
  bench.restart();
}

std::future<Outcome> start(Bench& bench) {
  return std::async(std::launch::async, [&bench] { return bench.run(); });
}

}  // namespace

TEST_CASE("a stop ends the batch in flight, saves and returns", "[sync][stop]") {
  Bench bench;
  fill(bench, 30);
  bench.target->hold(Operation::commit);
  std::future<Outcome> running = start(bench);
  bench.target->await_held(Operation::commit);
  bench.stop.request_stop();
  bench.target->let_go(Operation::commit);
  const Outcome outcome = running.get();
  CHECK(outcome.result == RunResult::cancelled);
  CHECK(bench.target_rows().size() == 3);
  CHECK(outcome.progress.reached ==
        decode(*bench.target->checkpoint(bench.key())).reached->cursor.text);
  bench.stop = std::stop_source();
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a stop reaches a source that does not answer", "[sync][stop]") {
  Bench bench;
  fill(bench, 3);
  const Operation where = GENERATE(Operation::fetch, Operation::read);
  bench.source->hold(where);
  std::future<Outcome> running = start(bench);
  bench.source->await_held(where);
  bench.stop.request_stop();
  CHECK(running.get().result == RunResult::cancelled);
  CHECK(bench.memory.used() == 0);
}

TEST_CASE("an abort cancels the target's statement and rolls back", "[sync][stop]") {
  Bench bench;
  fill(bench, 6);
  bench.target->hold(Operation::write);
  std::future<Outcome> running = start(bench);
  bench.target->await_held(Operation::write);
  bench.abort.request_stop();
  CHECK(running.get().result == RunResult::cancelled);
  CHECK(bench.target_rows().empty());
  bench.target->let_go(Operation::write);
  bench.abort = std::stop_source();
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a stop before the first step does nothing", "[sync][stop]") {
  Bench bench;
  bench.stop.request_stop();
  CHECK(bench.run().result == RunResult::cancelled);
  CHECK_FALSE(bench.target->checkpoint(bench.key()));
}

TEST_CASE("a run that writes nothing for too long is ended", "[sync][stall]") {
  Bench bench;
  fill(bench, 6);
  look_often(bench);
  bench.job.stall_timeout = minutes(30);
  bench.source->hold(Operation::fetch);
  std::future<Outcome> running = start(bench);
  bench.source->await_held(Operation::fetch);
  bench.clock.advance(minutes(31));
  const Outcome outcome = running.get();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::timeout);
  CHECK(outcome.failure->message.find("nothing was written for 30m") != std::string::npos);
}

TEST_CASE("the lease is renewed beside a long write", "[sync][lease]") {
  Bench bench;
  fill(bench, 6);
  look_often(bench);
  bench.job.stall_timeout = Duration::zero();
  bench.target->hold(Operation::write);
  std::future<Outcome> running = start(bench);
  bench.target->await_held(Operation::write);
  while (bench.target->counts().renewals < 3) {
    bench.clock.advance(milliseconds(20));
    std::this_thread::yield();
  }
  bench.target->let_go(Operation::write);
  CHECK(running.get().result == RunResult::success);
}

TEST_CASE("a run that loses its lease in the middle of a write is ended", "[sync][lease]") {
  Bench bench;
  fill(bench, 6);
  look_often(bench);
  bench.target->hold(Operation::write);
  std::future<Outcome> running = start(bench);
  bench.target->await_held(Operation::write);
  bench.target->seize(bench.key(), {.host = "there", .pid = 2, .process = "two"}, minutes(1));
  bench.clock.advance(seconds(30));
  const Outcome outcome = running.get();
  bench.target->let_go(Operation::write);
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->code == "fenced");
  CHECK(bench.target_rows().empty());
}

TEST_CASE("errors of the reading side come out after the batches before them", "[sync][queue]") {
  Bench bench;
  fill(bench, 9);
  bench.source->inject(lost_connection(Operation::fetch, 3));
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::connect);
  // The batch that was held back when the connection broke is read again.
  CHECK(bench.target_rows().size() == 3);
}

TEST_CASE("runs of many jobs share connections and memory without waiting in a circle",
          "[sync][share]") {
  Bench bench;
  fill(bench, 40);
  MemoryBudget small(4096);
  const auto runner = make_runner({.connections = *bench.connections,
                                   .memory = small,
                                   .clock = bench.clock,
                                   .random = bench.random,
                                   .observer = bench.told,
                                   .zones = bench.zones,
                                   .instance = "test",
                                   .holder = {.host = "here", .pid = 1, .process = "one"},
                                   .limits = bench.limits});
  std::vector<std::future<Outcome>> running;
  for (int number = 0; number < 12; ++number) {
    RunRequest request = bench.request();
    JobSettings job = bench.job;
    job.name = JobName("job-" + std::to_string(number));
    job.target_table.name = "t" + std::to_string(number);
    job.batch_bytes = 1500;
    request.job = std::make_shared<const JobSettings>(job);
    running.push_back(
        std::async(std::launch::async, [&runner, request] { return runner->run(request); }));
  }
  for (auto& one : running)
    CHECK(one.get().result == RunResult::success);
  for (int number = 0; number < 12; ++number)
    CHECK(Bench::lines(*bench.target, {"", "t" + std::to_string(number)}) == bench.source_rows());
  CHECK(small.used() == 0);
  for (const ConnectionUse& use : bench.connections->use()) {
    CHECK(use.in_use == 0);
    CHECK(use.idle <= use.limit);
  }
}

TEST_CASE("a horizon that settles at once is worth a short wait", "[sync][horizon]") {
  Bench bench;
  bench.limits.settle_wait = milliseconds(250);
  bench.restart();
  bench.put(1, "a");
  memory::Writer brief = bench.source->begin();
  brief.put(Bench::source_table, bench.row(2, "b"));
  bench.tick();
  int looks = 0;
  bench.source->on_operation([&](Operation operation) {
    if (operation == Operation::settled && ++looks == 3) brief.commit();
  });
  const Outcome outcome = bench.run();
  bench.source->on_operation({});
  CHECK(looks == 3);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.counts.rows_read == 2);  // one read
  CHECK(outcome.progress.fresh_as_of == bench.source->now());
}
