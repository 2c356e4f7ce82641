// Full loads, appends, refused rows, hooks and what a person may ask of one run.
#include <catch2/catch.hpp>

#include "bench.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::seconds;

namespace {

void fill(Bench& bench, int rows) {
  for (int id = 1; id <= rows; ++id) {
    bench.put(id, "v" + std::to_string(id));
    bench.tick();
  }
}

void make_full(Bench& bench, WriteMode write) {
  bench.job.mode = Mode::full;
  bench.job.cursor.reset();
  bench.job.write = write;
}

}  // namespace

TEST_CASE("a full job replaces everything in one transaction", "[sync][full]") {
  Bench bench;
  make_full(bench, WriteMode::replace);
  fill(bench, 10);
  Outcome outcome = bench.run();
  CHECK(outcome.result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(bench.target->counts().commits == 1);
  CHECK(outcome.progress.fresh_as_of == bench.source->now());
  CHECK_FALSE(outcome.progress.proof);

  bench.source->erase(Bench::source_table, {"3"});
  bench.put(4, "changed");
  bench.target->inject(lost_connection(memory::Operation::write, 2));
  const auto before = bench.target_rows();
  CHECK(bench.run().result == RunResult::failed);
  CHECK(bench.target_rows() == before);
  outcome = bench.run();
  CHECK(outcome.counts.written == WriteCounts{.updated = 1, .deleted = 1, .unchanged = 8});
  CHECK(bench.target_rows() == bench.source_rows());
  bench.source->erase(Bench::source_table, {"1"});
  bench.source->create(Bench::source_table, *bench.source->shape(Bench::source_table));
  CHECK(bench.run().counts.written.deleted == 9);
  CHECK(bench.target_rows().empty());
}

TEST_CASE("a full job may upsert or append instead", "[sync][full]") {
  Bench bench;
  fill(bench, 7);
  SECTION("upsert keeps what the source lost") {
    make_full(bench, WriteMode::upsert);
    bench.run();
    bench.source->erase(Bench::source_table, {"1"});
    const Outcome outcome = bench.run();
    CHECK(outcome.counts.written == WriteCounts{.unchanged = 6});
    CHECK(bench.target_rows().size() == 7);
  }
  SECTION("append adds all rows at once or none") {
    make_full(bench, WriteMode::append);
    bench.target->inject(lost_connection(memory::Operation::write, 3));
    CHECK(bench.run().result == RunResult::failed);
    CHECK(bench.target_rows().empty());
    bench.run();
    bench.run();
    CHECK(bench.target_rows().size() == 14);
  }
}

TEST_CASE("an append reads nothing that has not settled", "[sync][append]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  fill(bench, 4);
  memory::Writer slow = bench.source->begin();
  slow.put(Bench::source_table, bench.row(50, "late"));
  bench.tick();
  bench.put(51, "after it");
  bench.tick();
  Outcome outcome = bench.run();
  CHECK(outcome.result == RunResult::success);
  CHECK(bench.target_rows().empty());
  slow.commit();
  bench.run_until_quiet();
  CHECK(bench.target_rows().size() == 6);
  bench.put(1, "second version");
  bench.run_until_quiet();
  CHECK(bench.target_rows().size() == 7);
}

TEST_CASE("an append without a key never splits rows of one cursor value", "[sync][append]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  bench.source->create(Bench::source_table,
                       {.columns = {{"v", text_type()}, {"c", time_type(TypeKind::instant), false}},
                        .primary_key = {}});
  for (int row = 0; row < 30; ++row) {
    if (row % 8 == 0) bench.tick();
    bench.source->put(Bench::source_table, {"v" + std::to_string(row), bench.now_text()});
  }
  bench.tick();
  for (std::size_t after = 1; after < 8; ++after) {
    bench.target->inject(lost_connection(memory::Operation::write, after));
    bench.run();
    bench.target->clear_faults();
  }
  bench.run_until_quiet();
  auto target = bench.target_rows();
  auto source = bench.source_rows();
  std::sort(target.begin(), target.end());
  std::sort(source.begin(), source.end());
  CHECK(target == source);
}

TEST_CASE("an append through a lookback is absorbed by its key", "[sync][append]") {
  Bench bench;
  bench.job.write = WriteMode::append;
  bench.job.cursor->safety = Safety::lookback;
  fill(bench, 4);
  for (int turn = 0; turn < 3; ++turn)
    CHECK(bench.run().result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
}

TEST_CASE("a refused row is found, and told by table, column and a hash of its key",
          "[sync][data]") {
  Bench bench;
  bench.target->create(bench.job.target_table,
                       {.columns = {{"id", make_type(TypeKind::int64), false},
                                    {"v", text_type(), false},
                                    {"c", time_type(TypeKind::instant), false}},
                        .primary_key = {"id"}});
  bench.job.batch_rows = 100;
  fill(bench, 20);
  bench.source->put(Bench::source_table, {"13", std::nullopt, bench.now_text()});
  bench.tick();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::constraint);
  CHECK(outcome.failure->error_class() == ErrorClass::data);
  CHECK(outcome.failure->table == "t");
  CHECK(outcome.failure->column == "v");
  CHECK(outcome.failure->key_hash == "c8c66415e708bd4dd33652f1bda4f4ec");
  CHECK(bench.target_rows().empty());
}

TEST_CASE("a row that meets another one's unique value is found by halving", "[sync][data]") {
  Bench bench;
  bench.target->create(bench.job.target_table,
                       {.columns = bench.source->shape(Bench::source_table)->columns,
                        .primary_key = {"id"},
                        .unique = {{"v"}}});
  bench.target->put(bench.job.target_table, {"100", "v7", "2000-01-01 00:00:00+00"});
  bench.job.batch_rows = 100;
  fill(bench, 16);
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::constraint);
  CHECK(outcome.failure->key_hash.size() == 32);
}

TEST_CASE("two rows with one key in a read are a data error", "[sync][data]") {
  Bench bench;
  const bool full = GENERATE(false, true);
  std::vector<memory::Row> rows;
  for (int row = 0; row < 10; ++row) {
    const int id = row == 9 ? 8 : row;
    rows.push_back(
        {std::to_string(id), "v", row >= 8 ? bench.now_text() : "2025-01-01 00:00:00+00"});
  }
  bench.source->define_query("SELECT",
                             {.columns = bench.source->shape(Bench::source_table)->columns,
                              .rows = [rows] { return rows; }});
  if (full) make_full(bench, WriteMode::upsert);
  bench.job.source_table.reset();
  bench.job.source_query = "SELECT";
  bench.job.key = {{"id", "id"}};
  for (const std::size_t size : {3U, 100U}) {
    bench.job.batch_rows = size;
    bench.tick();
    const Outcome outcome = bench.run();
    REQUIRE(outcome.failure);
    CHECK(outcome.failure->message.find("key is not unique") != std::string::npos);
    CHECK(outcome.failure->error_class() == ErrorClass::data);
    CHECK_FALSE(outcome.failure->key_hash.empty());
  }
}

TEST_CASE("a NULL in the key is a data error", "[sync][data]") {
  Bench bench;
  bench.source->define_query(
      "SELECT",
      {.columns = {{"id", make_type(TypeKind::int64)}, {"c", time_type(TypeKind::instant), false}},
       .rows = [text = bench.now_text()] {
         return std::vector<memory::Row>{{"1", text}, {std::nullopt, text}};
       }});
  bench.job.source_table.reset();
  bench.job.source_query = "SELECT";
  bench.job.key = {{"id", "id"}};
  bench.tick();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->column == "id");
  CHECK(outcome.failure->error_class() == ErrorClass::data);
}

TEST_CASE("a value that a transform can't carry is located", "[sync][data]") {
  Bench bench;
  bench.job.columns = {{.column = "v", .type = make_type(TypeKind::int32)}};
  bench.put(1, "42");
  bench.tick();
  CHECK(bench.run().result == RunResult::success);
  CHECK(bench.target->rows(bench.job.target_table).front()[1] == "42");
  bench.put(2, "forty-two");
  bench.tick();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::conversion);
  CHECK(outcome.failure->column == "v");
  CHECK(outcome.failure->key_hash.size() == 32);
  CHECK(outcome.failure->message.find("forty-two") == std::string::npos);
}

TEST_CASE("a row larger than half of the memory is refused, a large one travels alone",
          "[sync][data]") {
  Bench bench;
  bench.job.batch_bytes = 1000;
  bench.put(1, std::string(3 << 20, 'x'));
  bench.put(2, "small");
  bench.tick();
  CHECK(bench.run().result == RunResult::success);
  CHECK(bench.target_rows() == bench.source_rows());
  CHECK(bench.memory.used() == 0);
  bench.put(3, std::string(5 << 20, 'x'));
  bench.tick();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->kind == FailureKind::conversion);
  CHECK(outcome.failure->message.find("half of daemon.memory") != std::string::npos);
}

TEST_CASE("hooks run when the job says", "[sync][hooks]") {
  Bench bench;
  bench.job.hooks.before = {"before"};
  bench.job.hooks.after = {"after"};
  const std::vector<std::string> both{"before", "after"};
  bench.put(1, "a");
  bench.tick();
  SECTION("changed") {
    bench.run();
    CHECK(bench.target->hooks_run() == both);
    bench.tick();
    bench.run();
    CHECK(bench.target->hooks_run() == both);
  }
  SECTION("initial") {
    bench.job.hooks.when = HookWhen::initial;
    bench.run();
    bench.put(2, "b");
    bench.tick();
    bench.run();
    CHECK(bench.target->hooks_run() == both);
  }
  SECTION("always") {
    bench.job.hooks.when = HookWhen::always;
    bench.run();
    bench.tick();
    bench.run();
    CHECK(bench.target->hooks_run().size() == 4);
  }
  SECTION("a failing hook fails the run, or is told only") {
    memory::Fault fault = lost_connection(memory::Operation::hook);
    fault.breaks_session = false;
    bench.target->inject(fault);
    CHECK(bench.run().result == RunResult::failed);
    bench.job.hooks.on_error = HookError::warn;
    bench.target->inject(fault);
    CHECK(bench.run().result == RunResult::success);
    CHECK(bench.told.notes().size() == 1);
  }
}

TEST_CASE("a dry run counts and changes nothing", "[sync][options]") {
  Bench bench;
  fill(bench, 9);
  Outcome outcome = bench.run({.dry_run = true});
  CHECK(outcome.result == RunResult::success);
  CHECK(outcome.counts.rows_read == 9);
  CHECK_FALSE(bench.target->shape(bench.job.target_table));
  CHECK_FALSE(bench.target->checkpoint(bench.key()));
  outcome = bench.run({.dry_run = true, .limit = 4});
  CHECK(outcome.counts.rows_read == 4);
  bench.run();
  outcome = bench.run({.dry_run = true});
  CHECK(outcome.counts.rows_read == 0);
}

TEST_CASE("a probe says whether the job could run", "[sync][options]") {
  Bench bench;
  bench.job.target_table.name = "missing";
  bench.job.create = CreatePolicy::never;
  Outcome outcome = bench.run({.probe = true});
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->error_class() == ErrorClass::config);
  bench.target->create(bench.job.target_table, *bench.source->shape(Bench::source_table));
  CHECK(bench.run({.probe = true}).result == RunResult::success);
  CHECK(bench.target->counts().commits == 0);
}

TEST_CASE("source.where reads what fulfils it", "[sync][options]") {
  Bench bench;
  bench.source->define_predicate(
      "id > 3", [](const Schema&, const memory::Row& row) { return std::stoi(*row[0]) > 3; });
  bench.job.source_where = "id > 3";
  fill(bench, 6);
  CHECK(bench.run().counts.rows_read == 3);
}

TEST_CASE("include, exclude and renamed keys reach the target", "[sync][options]") {
  Bench bench;
  bench.job.exclude = {"c"};
  bench.job.columns = {{.column = "number", .from = "id"}};
  fill(bench, 3);
  CHECK(bench.run().result == RunResult::success);
  const auto shape = bench.target->shape(bench.job.target_table);
  REQUIRE(shape);
  REQUIRE(shape->columns.size() == 2);
  CHECK(shape->columns[0].name == "number");
  CHECK(shape->primary_key == std::vector<std::string>{"number"});
  bench.put(2, "changed");
  bench.tick();
  CHECK(bench.run().counts.written == WriteCounts{.updated = 1});
}
