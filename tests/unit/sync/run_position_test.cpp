// What becomes of a stored position when the job, the source or the clock is another one.
#include <catch2/catch.hpp>

#include "bench.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

Bench& loaded(Bench& bench) {
  for (int id = 1; id <= 5; ++id)
    bench.put(id, "v");
  bench.tick();
  REQUIRE(bench.run().result == RunResult::success);
  bench.tick();
  return bench;
}

}  // namespace

TEST_CASE("a changed definition waits for a person", "[sync][position]") {
  Bench bench;
  loaded(bench);
  bench.job.cursor->start = "2020-01-01 00:00:00";
  Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::position_lost);
  CHECK(outcome.failure->needs_person);
  CHECK(outcome.failure->remedy == "accept");
  CHECK(outcome.failure->hint.find("tidemark accept job") != std::string::npos);
  CHECK(bench.run({.probe = true}).result == RunResult::failed);

  SECTION("keep-mark goes on where it stood") {
    outcome = bench.run({.accept = RunOptions::Accept::keep_mark});
    CHECK(outcome.result == RunResult::success);
    CHECK(outcome.counts.rows_read == 0);
    CHECK(bench.told.epochs().empty());
  }
  SECTION("backfill reads everything once more, and only once") {
    outcome = bench.run({.accept = RunOptions::Accept::backfill});
    CHECK(outcome.result == RunResult::success);
    CHECK(outcome.counts.rows_read == 5);
    CHECK(outcome.counts.written.unchanged == 5);
  }
  SECTION("a backfill that was broken off begins again") {
    bench.target->inject(lost_connection(memory::Operation::commit, 2));
    CHECK(bench.run({.accept = RunOptions::Accept::backfill}).result == RunResult::failed);
    outcome = bench.run();
    CHECK(outcome.result == RunResult::success);
    CHECK(outcome.counts.rows_read == 5);
  }
  SECTION("resync opens an epoch") {
    outcome = bench.run({.accept = RunOptions::Accept::resync});
    CHECK(outcome.counts.rows_read == 5);
    CHECK(outcome.progress.epoch == 2);
    CHECK(bench.told.epochs().size() == 1);
  }
  CHECK(bench.run({.probe = true}).result == RunResult::success);
  CHECK(bench.run().counts.rows_read == 0);
}

TEST_CASE("renaming connections, or writing the query otherwise, changes no definition",
          "[sync][position]") {
  Bench bench;
  loaded(bench);
  bench.job.labels = {{"team", "x"}};
  bench.job.batch_rows = 100;
  bench.job.cursor->assume = {"server_assigned"};
  CHECK(bench.run().result == RunResult::success);
}

TEST_CASE("a resync reads everything again under a new epoch", "[sync][position]") {
  Bench bench;
  loaded(bench);
  bench.target->put(bench.job.target_table, {"3", "spoilt", "2000-01-01 00:00:00+00"});
  const Outcome outcome = bench.run({.resync = true});
  CHECK(outcome.counts.written == WriteCounts{.updated = 1, .unchanged = 4});
  CHECK(outcome.progress.epoch == 2);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(bench.told.epochs() == std::vector<std::string>{"a resync was asked for"});
}

TEST_CASE("a backfill reads a range and moves no mark", "[sync][position]") {
  Bench bench;
  loaded(bench);
  const Outcome before = bench.run();
  for (const char* id : {"2", "4"})
    bench.target->put(bench.job.target_table, {id, "spoilt", "2000-01-01 00:00:00+00"});
  Outcome outcome = bench.run({.backfill = RunOptions::Backfill{.from = "2000-01-01 00:00:00"}});
  CHECK(outcome.counts.written == WriteCounts{.updated = 2, .unchanged = 3});
  CHECK(outcome.progress.settled == before.progress.settled);
  CHECK(outcome.progress.reached == before.progress.reached);

  bench.source->define_predicate(
      "id = 2", [](const Schema&, const memory::Row& row) { return row[0] == "2"; });
  outcome = bench.run({.backfill = RunOptions::Backfill{.where = "id = 2"}});
  CHECK(outcome.counts.rows_read == 1);
  outcome = bench.run({.backfill = RunOptions::Backfill{.to = "2000-01-01"}});
  CHECK(outcome.counts.rows_read == 0);

  bench.job.write = WriteMode::append;
  bench.job.name = JobName("appends");
  bench.job.target_table.name = "other";
  bench.run();
  CHECK(bench.run({.backfill = RunOptions::Backfill{}}).result == RunResult::failed);
}

TEST_CASE("another source opens an epoch, and stops an append", "[sync][position]") {
  Bench bench;
  bench.job.write = GENERATE(WriteMode::upsert, WriteMode::append);
  loaded(bench);
  bench.source->set_identity("restored");
  const Outcome outcome = bench.run();
  if (bench.job.write == WriteMode::upsert) {
    CHECK(outcome.result == RunResult::success);
    CHECK(outcome.counts.rows_read == 5);
    CHECK(outcome.progress.epoch == 2);
    CHECK(bench.told.epochs().size() == 1);
  } else {
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->needs_person);
    CHECK(bench.run({.accept = RunOptions::Accept::keep_mark}).result == RunResult::success);
    CHECK(bench.target_rows().size() == 5);
  }
  CHECK(bench.run().counts.rows_read == 0);
}

TEST_CASE("a source clock that was set back loses no row", "[sync][position][clock]") {
  Bench bench;
  const bool restarted = GENERATE(false, true);
  loaded(bench);
  bench.tick(minutes(50));
  bench.run();
  bench.tick(minutes(50));
  if (restarted) {
    bench.runner->release_all();
    bench.restart();
  }
  bench.source->advance(-hours(1));
  bench.put(6, "written by the wrong clock");
  bench.tick();
  Outcome outcome = bench.run();
  CHECK(outcome.result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(outcome.progress.epoch == 2);
  REQUIRE(bench.told.epochs().size() == 1);
  CHECK(bench.told.epochs().front().find("set back by about 1h") != std::string::npos);
  bench.tick();
  outcome = bench.run();
  CHECK(outcome.progress.epoch == 2);
}

TEST_CASE("a horizon sampled before the clock was set back is not waited for",
          "[sync][position][clock]") {
  Bench bench;
  bench.put(1, "a");
  bench.tick();
  memory::Writer open = bench.source->begin();
  Outcome outcome = bench.run();
  REQUIRE(outcome.progress.settled.empty());
  REQUIRE(outcome.progress.blocked_since);
  bench.source->advance(-hours(1));
  outcome = bench.run();
  CHECK(outcome.progress.epoch == 2);
  bench.put(2, "written by the wrong clock");
  open.commit();
  bench.tick();
  // Were the old token still open, its end would settle an hour that the clock has yet to show.
  outcome = bench.run();
  CHECK(outcome.result == RunResult::success);
  CHECK_FALSE(outcome.progress.blocked_since);
  bench.put(3, "written by the wrong clock");
  bench.tick();
  CHECK(bench.run().result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("transaction ids that go back show a restore", "[sync][position][identity]") {
  Bench bench;
  bench.source->set_evidence(Bench::source_table, {.proof = ProofKind::snapshot,
                                                   .method = "P1",
                                                   .server_assigned = true,
                                                   .moves_on_write = true,
                                                   .not_null = true});
  bench.job.cursor = CursorSettings{.column = "id", .source = "id"};
  bench.put(1, "a");
  bench.put(7, "is lost");
  REQUIRE(bench.run().result == RunResult::success);
  bench.source->erase(Bench::source_table, {"7"});
  bench.put(2, "written after the restore");
  SECTION("an upsert reads everything again") {
    const Outcome outcome = bench.run();
    CHECK(outcome.result == RunResult::success);
    CHECK(outcome.progress.epoch == 2);
    REQUIRE(bench.told.epochs().size() == 1);
    CHECK(bench.told.epochs().front().find("restored") != std::string::npos);
    CHECK(bench.target_rows().size() == 3);
    CHECK(bench.run().progress.epoch == 2);
  }
  SECTION("an append asks") {
    bench.runner->release_all();
    bench.job.write = WriteMode::append;
    bench.job.name = JobName("appends");
    bench.job.target_table = {"", "appended"};
    bench.put(7, "back");
    REQUIRE(bench.run().result == RunResult::success);
    bench.source->erase(Bench::source_table, {"7"});
    const Outcome outcome = bench.run();
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->needs_person);
  }
}

TEST_CASE("a source clock that was set back stops an append", "[sync][position][clock]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  loaded(bench);
  bench.run();
  bench.source->advance(-minutes(10));
  for (int turn = 0; turn < 2; ++turn) {
    const Outcome outcome = bench.run();
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->needs_person);
  }
  CHECK(bench.run({.accept = RunOptions::Accept::keep_mark}).result == RunResult::success);
  CHECK(bench.run().result == RunResult::success);
}

TEST_CASE("a checkpoint that was tampered with is a lost position", "[sync][position]") {
  Bench bench;
  loaded(bench);
  const CheckpointRecord good = *bench.target->checkpoint(bench.key());
  const auto spoil = [&](auto&& change) {
    CheckpointRecord bad = good;
    change(bad);
    bench.target->set_checkpoint(bench.key(), bad);
    bench.restart();
    const Outcome outcome = bench.run();
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->kind == FailureKind::position_lost);
    CHECK(outcome.failure->message.find("secret") == std::string::npos);
  };
  spoil([](CheckpointRecord& bad) { bad.reached = "{\"secret\"}"; });
  spoil([](CheckpointRecord& bad) { bad.settled = "[]"; });
  spoil([](CheckpointRecord& bad) { bad.details = ""; });
  spoil([](CheckpointRecord& bad) { bad.tokens = "{\"a\":1}"; });
  CHECK(bench.run({.resync = true}).result == RunResult::success);
  CHECK(bench.run().counts.rows_read == 0);
}

TEST_CASE("a cursor column that became wider keeps the position", "[sync][position]") {
  Bench bench;
  bench.job.cursor = CursorSettings{.column = "id", .source = "id"};
  loaded(bench);
  const auto rows = bench.source->rows(Bench::source_table);
  bench.source->create(Bench::source_table,
                       {.columns = {{"id", decimal_type(20, 0), false},
                                    {"v", text_type()},
                                    {"c", time_type(TypeKind::instant), false}},
                        .primary_key = {"id"}});
  for (const memory::Row& row : rows)
    bench.source->put(Bench::source_table, row);
  // The target keeps bigint, which a decimal may not fit: that is a problem of its own.
  bench.job.columns = {{.column = "id", .type = make_type(TypeKind::int64)}};
  Outcome outcome = bench.run();
  INFO((outcome.failure ? outcome.failure->message : ""));
  CHECK(outcome.result == RunResult::success);
  CHECK(outcome.counts.rows_read == 0);

  bench.job.cursor = CursorSettings{.column = "c", .source = "c"};
  outcome = bench.run({.accept = RunOptions::Accept::keep_mark});
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::position_lost);
}

TEST_CASE("columns that are added to the target are filled for old rows too", "[sync][position]") {
  Bench bench;
  bench.job.exclude = {"v"};
  loaded(bench);
  bench.job.exclude.clear();
  bench.job.schema_changes = GENERATE(SchemaChanges::report, SchemaChanges::add);
  if (bench.job.schema_changes == SchemaChanges::report) {
    const Outcome outcome = bench.run();
    CHECK(outcome.result == RunResult::success);
    CHECK(outcome.progress.drift.size() == 1);
    CHECK(outcome.counts.rows_read == 0);
    return;
  }
  bench.target->inject(lost_connection(memory::Operation::commit, 2));
  CHECK(bench.run().result == RunResult::failed);
  CHECK(bench.run().counts.written.updated == 5);
  for (const memory::Row& row : bench.target->rows(bench.job.target_table))
    CHECK(row[2] == "v");
}
