// An incremental run moves every row once and says how far it can vouch for.
#include <catch2/catch.hpp>

#include "bench.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_CASE("a first run loads the table and later runs bring what changed", "[sync][run]") {
  Bench bench;
  for (int id = 1; id <= 10; ++id)
    bench.put(id, "v" + std::to_string(id));
  bench.tick();
  Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(outcome.counts.written.inserted == 10);
  CHECK(outcome.counts.batches == 4);
  CHECK(outcome.progress.proof_text == "exact (memory)");
  CHECK(outcome.progress.proof == ProofKind::transactions);
  CHECK(outcome.progress.initial_done);
  CHECK(outcome.progress.fresh_as_of == bench.source->now());
  CHECK(bench.target_rows() == bench.source_rows());

  bench.tick();
  bench.put(3, "changed");
  bench.put(11, "new");
  bench.tick();
  outcome = bench.run();
  CHECK(outcome.counts.written == WriteCounts{.inserted = 1, .updated = 1});
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("an empty poll writes nothing and still becomes fresher", "[sync][run]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  bench.run();
  const memory::Counts before = bench.target->counts();
  for (int turn = 0; turn < 5; ++turn) {
    bench.tick(seconds(5));
    const Outcome outcome = bench.run();
    CHECK(outcome.counts.rows_read == 0);
    CHECK(outcome.progress.fresh_as_of == bench.source->now());
  }
  CHECK(bench.target->counts().commits == before.commits);
  // After some minutes the mark is worth a write of its own.
  bench.tick(minutes(5));
  bench.run();
  CHECK(bench.target->counts().commits == before.commits + 1);
  bench.tick();
  bench.run();
  CHECK(bench.target->counts().commits == before.commits + 1);
}

TEST_CASE("rows of the newest tick are read again and not written again", "[sync][run]") {
  Bench bench;
  bench.put(1, "a");
  bench.put(2, "b");
  bench.run();  // the mark is the tick of both rows: they are not settled
  CHECK(bench.target_rows().size() == 2);
  const memory::Counts before = bench.target->counts();
  Outcome outcome = bench.run();
  CHECK(outcome.counts.rows_read == 2);
  CHECK(outcome.counts.rows_settle_read == 2);
  CHECK(outcome.counts.written.unchanged == 2);
  CHECK(bench.target->counts().commits == before.commits);

  // A row that comes in the same tick, with a lower key, is found and is the only one written.
  bench.put(0, "late");
  outcome = bench.run();
  CHECK(outcome.counts.written.inserted == 1);
  CHECK(bench.target_rows() == bench.source_rows());
  // One that changes and changes back within what is remembered is written both times.
  bench.put(1, "x");
  bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
  bench.put(1, "a");
  bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a transaction that commits late loses no row, whatever was read before it",
          "[sync][run][horizon]") {
  Bench bench;
  bench.put(1, "first");
  bench.tick();
  memory::Writer slow = bench.source->begin();
  slow.put(Bench::source_table, bench.row(2, "assigned early, visible late"));
  bench.tick(seconds(10));
  bench.put(3, "assigned and visible later");
  bench.tick();

  // > max and >= max would set the mark to row 3 here; a lookback of less than 10 s, too.
  Outcome outcome = bench.run();
  CHECK(bench.target_rows().size() == 2);
  CHECK(outcome.progress.blocked_since == bench.source->now());
  REQUIRE(outcome.progress.blockers.size() == 1);
  CHECK(outcome.progress.blockers[0].id == std::to_string(slow.id()));
  CHECK_FALSE(outcome.progress.fresh_as_of);
  CHECK(outcome.progress.read_as_of == bench.source->now());

  // Fresh rows go on arriving while the transaction is open, and each is read once.
  for (int id = 4; id < 8; ++id) {
    bench.tick();
    bench.put(id, "fresh");
    bench.tick();
    outcome = bench.run();
    CHECK(outcome.counts.rows_read == 1);
  }
  CHECK(bench.target_rows().size() == 6);
  slow.commit();
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a settled horizon is read once more up to its mark only", "[sync][run][horizon]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  bench.run();
  memory::Writer first = bench.source->begin();
  first.put(Bench::source_table, bench.row(2, "b"));
  bench.tick();
  bench.put(3, "c");
  bench.tick();
  bench.run();  // a token that waits for `first`
  memory::Writer second = bench.source->begin();
  bench.tick();
  bench.put(4, "d");
  bench.tick();
  first.commit();
  const Outcome outcome = bench.run();  // its own token waits for `second`, the older one settles
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.counts.rows_read == 3);         // fresh: 4; settled: 2 and 3
  CHECK(outcome.counts.rows_settle_read == 2);  // of which 2 is new and 3 a second look
  CHECK(outcome.progress.fresh_as_of < outcome.progress.read_as_of);
}

TEST_CASE("the oldest horizons and the newest are kept open", "[sync][run][horizon]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  bench.run();
  memory::Writer slow = bench.source->begin();
  slow.put(Bench::source_table, bench.row(2, "b"));
  for (std::size_t turn = 0; turn < max_open_tokens + 4; ++turn) {
    bench.tick(minutes(5));  // so long that each run saves its marks
    CHECK(bench.run().result == RunResult::success);
  }
  const auto stored = bench.target->checkpoint(bench.key());
  REQUIRE(stored);
  const std::vector<HorizonToken> tokens = decode(*stored).tokens;
  REQUIRE(tokens.size() == max_open_tokens);
  CHECK(tokens[1].sampled - tokens[0].sampled == minutes(5));
  CHECK(tokens.back().sampled - tokens[max_open_tokens - 2].sampled == minutes(5 * 5));
  slow.commit();
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a horizon that lost its server is dropped and taken anew", "[sync][run][horizon]") {
  Bench bench;
  memory::Writer slow = bench.source->begin();
  bench.tick();
  bench.put(1, "a");
  bench.tick();
  CHECK(bench.run().progress.blocked_since);
  bench.source->restart();
  bench.tick();
  bench.put(2, "b");
  bench.tick();
  bench.run();
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
  slow.roll_back();
}

TEST_CASE("a view that can't be trusted settles nothing", "[sync][run][horizon]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  bench.source->set_stale(true);
  Outcome outcome = bench.run();
  CHECK(bench.target_rows().size() == 1);
  CHECK(outcome.progress.settled.empty());
  REQUIRE(outcome.progress.blockers.size() == 1);
  CHECK(outcome.progress.blockers[0].kind == "stale view");
  bench.source->set_stale(false);
  bench.run_until_quiet();
}

TEST_CASE("a commit between the sample and the read is not lost", "[sync][run][horizon]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  memory::Writer writer = bench.source->begin();
  writer.put(Bench::source_table, bench.row(2, "b"));
  bench.tick();
  bool committed = false;
  bench.source->on_operation([&](memory::Operation operation) {
    if (operation != memory::Operation::read || committed) return;
    committed = true;
    writer.commit();
  });
  bench.run();
  bench.source->on_operation({});
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a row dated far ahead arrives and does not hide the rows before it", "[sync][run]") {
  Bench bench;
  bench.put(1, "a");
  bench.source->put(Bench::source_table, {"2", "far ahead", "2099-01-01 00:00:00+00"});
  bench.tick();
  bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
  bench.tick();
  bench.put(3, "c");
  bench.tick();
  const memory::Counts before = bench.target->counts();
  bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(bench.target->counts().row_changes == before.row_changes + 1);
}

TEST_CASE("ties and composite keys are cut nowhere", "[sync][run]") {
  Bench bench;
  bench.source->create(Bench::source_table,
                       {.columns = {{"a", make_type(TypeKind::int32), false},
                                    {"b", text_type(10), false},
                                    {"c", time_type(TypeKind::instant), false}},
                        .primary_key = {"a", "b"}});
  for (int row = 0; row < 40; ++row) {
    if (row % 10 == 0) bench.tick();
    bench.source->put(Bench::source_table,
                      {std::to_string(row % 4), "k" + std::to_string(row / 4), bench.now_text()});
  }
  for (const std::size_t size : {1U, 3U, 7U}) {
    bench.job.name = JobName("by-" + std::to_string(size));
    bench.job.target_table.name = "t" + std::to_string(size);
    bench.job.batch_rows = size;
    // A blocker makes it a fresh pass, which goes on by position.
    memory::Writer open = bench.source->begin();
    for (int turn = 0; turn < 20; ++turn) {
      bench.source->inject(lost_connection(memory::Operation::fetch, 3));
      bench.run();
      bench.source->clear_faults();
    }
    bench.run();
    CHECK(bench.target_rows() == bench.source_rows());
    open.roll_back();
  }
}

TEST_CASE("a serial cursor shows inserts and settles behind its highest value", "[sync][run]") {
  Bench bench;
  bench.job.cursor = CursorSettings{.column = "id", .source = "id"};
  memory::Writer low = bench.source->begin();
  low.put(Bench::source_table, bench.row(1, "low id, commits late"));
  CHECK(bench.run().result == RunResult::success);  // nothing is there yet: no mark at all
  bench.put(2, "high id");
  Outcome outcome = bench.run();
  CHECK(bench.target_rows().size() == 1);
  CHECK(outcome.progress.reached == "2");
  CHECK(outcome.progress.settled.empty());
  low.commit();
  bench.run_until_quiet();
  CHECK(bench.target_rows() == bench.source_rows());
  outcome = bench.run();
  CHECK(outcome.progress.settled == "3");
  CHECK(outcome.counts.rows_read == 0);
}

TEST_CASE("a lookback reads a while back each time and says that it is no proof", "[sync][run]") {
  Bench bench;
  bench.job.cursor->safety = Safety::lookback;
  bench.job.cursor->lookback = minutes(5);
  bench.put(1, "a");
  bench.tick();
  memory::Writer slow = bench.source->begin();
  slow.put(Bench::source_table, bench.row(2, "b"));
  bench.tick(minutes(1));
  bench.put(3, "c");
  bench.tick();
  Outcome outcome = bench.run();
  CHECK(outcome.progress.proof == ProofKind::lookback);
  CHECK(outcome.progress.proof_text == "lookback 5m");
  slow.commit();
  outcome = bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.counts.written.inserted == 1);
  // What commits later than the lookback reaches is lost: that is why it is labelled so.
  memory::Writer slower = bench.source->begin();
  slower.put(Bench::source_table, bench.row(4, "d"));
  bench.tick(minutes(10));
  bench.run();
  slower.commit();
  bench.run();
  CHECK(bench.target_rows().size() == 3);
}

TEST_CASE("a lookback over numbers counts back", "[sync][run]") {
  Bench bench;
  bench.job.cursor = CursorSettings{
      .column = "id", .source = "id", .safety = Safety::lookback, .lookback_count = 5};
  for (int id = 1; id <= 20; ++id)
    if (id != 17) bench.put(id, "v");
  Outcome outcome = bench.run();
  CHECK(outcome.progress.proof_text == "lookback 5");
  CHECK(outcome.progress.settled == "16");
  bench.put(17, "late");
  bench.run();
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a margin beside a proof counts what it finds as late", "[sync][run]") {
  Bench bench;
  bench.job.cursor->lookback = minutes(5);
  bench.put(1, "a");
  bench.tick(minutes(1));
  CHECK(bench.run().counts.late_rows == 0);
  bench.tick();
  CHECK(bench.run().counts.late_rows == 0);
  // A row with a value of the past, which no server would have assigned.
  memory::Row liar = bench.row(2, "b");
  bench.tick(minutes(2));
  bench.run();
  bench.source->put(Bench::source_table, liar);
  bench.tick();
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.late_rows == 1);
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("rows without a cursor follow cursor.nulls", "[sync][run]") {
  Bench bench;
  bench.source->create(Bench::source_table, {.columns = {{"id", make_type(TypeKind::int64), false},
                                                         {"v", text_type()},
                                                         {"c", time_type(TypeKind::instant)}},
                                             .primary_key = {"id"}});
  bench.put(1, "a");
  bench.source->put(Bench::source_table, {"2", "no cursor", std::nullopt});
  bench.tick();
  SECTION("error stops the job and names the row by a hash") {
    const Outcome outcome = bench.run();
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->error_class() == ErrorClass::data);
    CHECK(outcome.failure->column == "c");
    CHECK(outcome.failure->key_hash.size() == 32);
  }
  SECTION("ignore leaves them out") {
    bench.job.cursor->nulls = CursorNulls::ignore;
    CHECK(bench.run().result == RunResult::success);
    CHECK(bench.target_rows().size() == 1);
  }
  SECTION("scan brings them each time, and writes only what changed") {
    bench.job.cursor->nulls = CursorNulls::scan;
    CHECK(bench.run().result == RunResult::success);
    CHECK(bench.target_rows() == bench.source_rows());
    const memory::Counts before = bench.target->counts();
    bench.run();
    CHECK(bench.target->counts().commits == before.commits);
    bench.source->put(Bench::source_table, {"2", "changed", std::nullopt});
    bench.run();
    CHECK(bench.target_rows() == bench.source_rows());
  }
}

TEST_CASE("cursor.start and initial skip say where a job begins", "[sync][run]") {
  Bench bench;
  bench.put(1, "old");
  bench.tick(hours(1));
  SECTION("start") {
    bench.job.cursor->start = bench.now_text();
    bench.put(2, "new");
    bench.tick();
    bench.run();
    CHECK(bench.target_rows().size() == 1);
  }
  SECTION("skip") {
    bench.job.initial = Initial::skip;
    Outcome outcome = bench.run();
    CHECK(outcome.counts.rows_read == 0);
    CHECK(outcome.progress.initial_done);
    bench.put(2, "in the tick of the mark");
    bench.tick();
    bench.put(3, "new");
    bench.tick();
    outcome = bench.run();
    CHECK(bench.target_rows().size() == 2);
  }
}

TEST_CASE("a run adds up its phases, counts and position", "[sync][run]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  const Outcome outcome = bench.run();
  CHECK(outcome.counts.rows_read == 1);
  CHECK(outcome.counts.bytes_read > 0);
  CHECK(outcome.counts.bytes_written > 0);
  CHECK(outcome.progress.reached == "2025-10-09 08:53:20+00");
  CHECK(outcome.progress.settled == "2025-10-09 08:53:21+00");
  CHECK(outcome.progress.watermark_time == bench.source->now());
  CHECK(outcome.progress.clock_skew == Duration::zero());
  CHECK(bench.told.batches() == 1);
}
