// What breaks the promise of a settled mark is found, counted, repaired and said.
#include <catch2/catch.hpp>

#include "bench.h"
#include "sync/check.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

/// A job at rest whose rows are all settled, and ten minutes later.
void settle(Bench& bench) {
  bench.put(1, "a");
  bench.put(2, "b");
  bench.run_until_quiet();
  bench.tick(minutes(10));
}

Outcome accept(Bench& bench, RunOptions::Accept how) {
  return bench.run({.accept = how});
}

void make_target(Bench& bench, std::vector<std::string> key) {
  bench.target->create(bench.job.target_table,
                       {.columns = {{"id", make_type(TypeKind::int64), false},
                                    {"v", text_type()},
                                    {"c", time_type(TypeKind::instant)}},
                        .primary_key = std::move(key)});
}

}  // namespace

TEST_CASE("an audit finds what came behind the settled mark, and repairs it", "[sync][audit]") {
  Bench bench;
  settle(bench);
  bench.put_late(3, "no proof allows it", minutes(11));
  bench.put_late(1, "changed, but its cursor did not move", minutes(11));
  const Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(outcome.counts.late_rows == 2);
  CHECK(outcome.counts.rows_audited == 3);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.progress.broken.find("tidemark accept job") != std::string::npos);
  CHECK(outcome.progress.proof == ProofKind::lookback);
  CHECK(outcome.progress.proof_text.find("is broken") != std::string::npos);
  REQUIRE_FALSE(bench.told.late().empty());
  CHECK(bench.told.late().front().first >= minutes(1));
  CHECK(bench.told.notes().back().find("behind the settled mark") != std::string::npos);

  // It stays said, through a restart too, until somebody answers.
  bench.restart();
  CHECK_FALSE(bench.run().progress.broken.empty());
  const Outcome answered = accept(bench, RunOptions::Accept::keep_mark);
  CHECK(answered.progress.broken.empty());
  CHECK(answered.progress.proof == ProofKind::transactions);
  bench.restart();
  CHECK(bench.run().progress.broken.empty());
}

TEST_CASE("an audit that finds nothing writes nothing and is not made at each run",
          "[sync][audit]") {
  Bench bench;
  settle(bench);
  const memory::Counts before = bench.target->counts();
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.rows_audited == 2);
  CHECK(outcome.counts.rows_settle_read == 0);
  CHECK(outcome.counts.late_rows == 0);
  CHECK(outcome.counts.written == WriteCounts{.unchanged = 2});
  CHECK(bench.target->counts().row_changes == before.row_changes);
  bench.tick(minutes(9));
  CHECK(bench.run().counts.rows_audited == 0);
  // A job that is off duty for long looks again at once, as far back as it is told to.
  bench.put(4, "d");
  bench.run_until_quiet();
  bench.tick(minutes(10));
  CHECK(bench.run().counts.rows_audited == 1);
  bench.job.cursor->audit.reset();
  bench.tick(minutes(30));
  CHECK(bench.run().counts.rows_audited == 0);
}

TEST_CASE("while a promise is broken each run looks back twice as far as rows came late",
          "[sync][audit]") {
  Bench bench;
  settle(bench);
  bench.put_late(3, "late", minutes(10) + seconds(30));
  REQUIRE(bench.run().counts.late_rows == 1);
  bench.tick(seconds(30));
  bench.put_late(4, "late again", seconds(40));
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.late_rows == 1);
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("an append is audited by its key and never changes a row", "[sync][audit]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  make_target(bench, {"id"});
  settle(bench);
  bench.put_late(3, "late", minutes(11));
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.late_rows == 1);
  CHECK(bench.target_rows() == bench.source_rows());
  bench.tick(minutes(10));
  CHECK(bench.run().counts.late_rows == 0);
  CHECK(bench.target_rows().size() == 3);
}

TEST_CASE("an append without a unique key can't be audited, and check says so", "[sync][audit]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  make_target(bench, {});
  settle(bench);
  bench.put_late(3, "late", minutes(11));
  CHECK(bench.run().counts.rows_audited == 0);
  CHECK(bench.target_rows().size() == 2);
  const CheckReport report =
      check_job(std::make_shared<const JobSettings>(bench.job),
                {.connections = *bench.connections, .zones = bench.zones, .instance = "test"});
  const std::string notes = Catch::StringMaker<std::vector<std::string>>::convert(report.notes);
  CHECK(notes.find("can't be audited") != std::string::npos);
}

TEST_CASE("an append with a lookback adds what is not there and leaves the rest", "[sync][audit]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  bench.job.cursor->safety = Safety::lookback;
  bench.job.cursor->lookback = minutes(5);
  bench.put(1, "first version");
  bench.tick(seconds(10));
  REQUIRE(bench.run().result == RunResult::success);
  bench.put(1, "second version");
  bench.put(2, "b");
  bench.tick(seconds(10));
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.written.inserted == 1);
  CHECK(outcome.counts.written.updated == 0);
  REQUIRE(bench.target_rows().size() == 2);
  CHECK(bench.target_rows().front().find("first version") != std::string::npos);
}

TEST_CASE("a lookback is raised to twice the worst lateness, and only a person lowers it",
          "[sync][audit][lookback]") {
  Bench bench;
  bench.job.cursor->safety = Safety::lookback;
  bench.job.cursor->lookback = minutes(5);
  bench.put(1, "a");
  bench.tick();
  CHECK(bench.run().progress.lookback == "5m");
  bench.tick(seconds(10));
  // Behind the newest read by 2 s: nothing that five minutes do not cover.
  bench.put_late(2, "b", seconds(12));
  bench.run();
  REQUIRE(bench.told.late().size() == 1);
  CHECK(bench.told.late().front() == std::pair<Duration, std::uint64_t>(seconds(2), 1));
  bench.tick(seconds(10));
  bench.put_late(3, "c", minutes(4) + seconds(10));
  Outcome outcome = bench.run();
  CHECK(outcome.counts.late_rows == 0);  // the lookback keeps its promise
  CHECK(outcome.progress.lookback == "8m (raised from 5m)");
  CHECK(outcome.progress.proof_text == "lookback 8m (raised from 5m)");
  CHECK(bench.target_rows() == bench.source_rows());

  // It counts at once, and after a restart.
  bench.restart();
  bench.tick(seconds(10));
  bench.put_late(4, "d", minutes(7));
  outcome = bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.progress.broken.empty());
  CHECK(accept(bench, RunOptions::Accept::keep_mark).progress.lookback == "5m");
}

TEST_CASE("what comes later than a lookback reaches is found by the audit",
          "[sync][audit][lookback]") {
  Bench bench;
  bench.job.cursor->safety = Safety::lookback;
  bench.job.cursor->lookback = minutes(1);
  bench.put(1, "a");
  bench.tick();
  bench.run();
  bench.tick(minutes(10));
  bench.run();
  bench.tick(minutes(9));
  bench.run();
  bench.put_late(2, "late", minutes(12));
  bench.tick(minutes(1));
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.late_rows == 1);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.progress.lookback.find("raised from 1m") != std::string::npos);
}

TEST_CASE("rows that were skipped, or written by other rules, are not late", "[sync][audit]") {
  SECTION("skipped") {
    Bench bench;
    bench.job.initial = Initial::skip;
    bench.put(1, "before");
    bench.tick();
    bench.run();
    bench.put(2, "after");
    bench.run_until_quiet();
    bench.tick(minutes(10));
    CHECK(bench.run().counts.late_rows == 0);
    CHECK(bench.target_rows().size() == 1);
  }
  SECTION("another rule") {
    Bench bench;
    settle(bench);
    bench.job.columns.push_back({.column = "v", .map = {{"a", "A"}}});
    const Outcome outcome = bench.run();
    CHECK(outcome.counts.late_rows == 0);
    CHECK(outcome.progress.broken.empty());
    // What comes from now on is compared again.
    bench.put(5, "e");
    bench.run_until_quiet();
    bench.tick(minutes(10));
    CHECK(bench.run().counts.rows_audited == 1);
  }
}

TEST_CASE("an audit over numbers begins at the mark of that long ago", "[sync][audit]") {
  Bench bench;
  bench.job.cursor = CursorSettings{.column = "id", .source = "id"};
  for (int id = 20'001; id < 20'005; ++id)
    bench.put(id, "x");
  bench.run_until_quiet();
  bench.put(40'000, "far ahead");
  bench.run_until_quiet();
  bench.tick(minutes(10));
  bench.run();
  bench.source->put(Bench::source_table, bench.row(35'000, "within the numbers of an audit"));
  bench.tick(minutes(10));
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.late_rows == 1);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(bench.told.late().empty());  // the histogram is of time
}

TEST_CASE("what the audit keeps survives being stored", "[sync][audit][codec]") {
  const Type instant = time_type(TypeKind::instant);
  const Value mark = Value::of(instant, "2025-10-09T08:53:20Z");
  Checkpoint checkpoint{.definition = "d"};
  checkpoint.broken =
      BrokenPromise{.since = WallTime(seconds(1)), .last = WallTime(seconds(2)), .rows = 3};
  checkpoint.late = {.time = milliseconds(1500), .count = 7};
  checkpoint.read_mark = mark;
  checkpoint.floor = mark;
  checkpoint.output = "hash";
  checkpoint.audited_at = WallTime(seconds(9));
  checkpoint.past_marks = {{WallTime(seconds(5)), mark}};
  CHECK(decode(encode(checkpoint)) == checkpoint);
  CHECK(encode(Checkpoint{}).details.find("late") == std::string::npos);
}
