// A first load in key ranges: every row once, on from where it stood, correct under writers.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "bench.h"
#include "sync/checkpoint.h"

using namespace tidemark;
using namespace tidemark::test;
using memory::Operation;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr int rows = 200;

std::vector<std::string> sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

void fill(Bench& bench, int count = rows) {
  for (int id = 1; id <= count; ++id) {
    if (id % 10 == 0) bench.tick();
    bench.put(id, "v" + std::to_string(id));
  }
  bench.tick();
}

/// A bench with rows whose job loads in ranges.
struct Loading : Bench {
  explicit Loading(std::uint32_t parallel = 4, WriteMode write = WriteMode::upsert) {
    job.parallel = parallel;
    job.write = write;
    fill(*this);
  }
  bool equal() const { return sorted(target_rows()) == sorted(source_rows()); }
  std::uint64_t read() const { return source->counts().rows_read; }
  std::size_t finished() const {
    const auto all = target->ranges(key());
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [](const auto& one) { return one.finished; }));
  }
  std::optional<RangedLoad> under_way() const {
    return decode(target->checkpoint(key()).value()).ranged_load;
  }
  void set_connections(std::uint32_t limit) {
    Connections::SettingsMap settings;
    for (const auto& name : {job.source_connection, job.target_connection}) {
      ConnectionSettings one = *connections->settings(name);
      one.max_connections = limit;
      settings.emplace(name, one);
    }
    connections->replace(settings);
  }
};

}  // namespace

TEST_CASE("a first load in ranges reads every row once and leaves no ranges behind",
          "[sync][first-load]") {
  const auto write = GENERATE(WriteMode::upsert, WriteMode::append);
  Loading bench(4, write);
  const Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(bench.equal());
  CHECK(bench.read() == rows);
  CHECK(outcome.counts.rows_read == rows);
  CHECK(outcome.counts.written.inserted == rows);
  CHECK(outcome.progress.initial_done);
  CHECK(outcome.progress.ranges == 0);
  CHECK(outcome.progress.fresh_as_of);
  CHECK(bench.target->ranges(bench.key()).empty());
  CHECK_FALSE(bench.under_way());
  bench.tick();
  bench.put(3, "changed");
  bench.put(900, "new");
  if (write == WriteMode::append) bench.source->erase(Bench::source_table, {"3"});
  bench.run_until_quiet();
  if (write == WriteMode::upsert) CHECK(bench.equal());
  CHECK(bench.target_rows().size() == rows + 1);
}

TEST_CASE("progress tells the ranges of a load that is under way", "[sync][first-load]") {
  Loading bench;
  bench.target->inject(lost_connection(Operation::commit, 30));
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.progress.ranges == 32);
  CHECK(outcome.progress.ranges_finished == bench.finished());
  CHECK_FALSE(outcome.progress.initial_done);
}

TEST_CASE("small tables, keyless jobs and one reader keep the single pass", "[sync][first-load]") {
  Bench bench;
  std::size_t plans = 0;
  bench.target->on_operation([&](Operation operation) {
    if (operation == Operation::commit && !bench.target->ranges(bench.key()).empty()) ++plans;
  });
  SECTION("one reader") {
    bench.job.parallel = 1;
    fill(bench);
  }
  SECTION("a small table") {
    bench.job.parallel = 4;
    fill(bench, 3);
  }
  SECTION("a cursor that stays when the key changes, and is not the key") {
    bench.job.parallel = 4;
    bench.source->set_evidence(Bench::source_table, {.proof = ProofKind::transactions,
                                                     .method = "memory",
                                                     .server_assigned = true,
                                                     .moves_on_write = true,
                                                     .inserts_only = true,
                                                     .not_null = true});
    fill(bench);
  }
  REQUIRE(bench.run().result == RunResult::success);
  CHECK(plans == 0);
  CHECK(sorted(bench.target_rows()) == sorted(bench.source_rows()));
}

TEST_CASE("a load killed in the middle of its ranges reads only what is missing",
          "[sync][first-load][crash]") {
  const auto write = GENERATE(WriteMode::upsert, WriteMode::append);
  const auto parallel = GENERATE(2U, 4U);
  for (const std::size_t step : {2U, 5U, 17U, 40U}) {
    CAPTURE(to_string(write), parallel, step);
    Loading bench(parallel, write);
    bench.target->inject(lost_connection(Operation::commit, step));
    REQUIRE(bench.run().failure);
    const std::size_t arrived = bench.target_rows().size();
    const std::size_t finished = bench.finished();
    REQUIRE(bench.under_way());
    const std::uint64_t before = bench.read();
    bench.restart();
    const Outcome outcome = bench.run();
    REQUIRE(outcome.result == RunResult::success);
    CHECK(bench.equal());
    CHECK(outcome.counts.rows_read == rows - arrived);
    CHECK(bench.read() - before == rows - arrived);
    CHECK(finished < 8 * parallel);
  }
}

TEST_CASE("who slept while another finished its ranges stands back, and asks nobody for anything",
          "[sync][first-load][lease]") {
  const auto write = GENERATE(WriteMode::upsert, WriteMode::append);
  CAPTURE(to_string(write));
  Loading bench(4, write);
  bench.target->inject(lost_connection(Operation::commit, 12));
  REQUIRE(bench.run().failure);
  bench.restart();
  const auto other = bench.other_runner("two");
  std::optional<Outcome> outcome_of_other;
  bool holds = false;
  bench.target->on_operation([&](Operation operation) {
    if (operation == Operation::acquire) holds = true;
    // The first question after the job was taken is for its ranges.
    if (operation != Operation::describe || !holds || outcome_of_other) return;
    outcome_of_other.emplace();
    bench.tick(minutes(5));
    outcome_of_other = other->run(bench.request());
  });
  const Outcome outcome = bench.run();
  REQUIRE(outcome_of_other);
  CHECK(outcome_of_other->result == RunResult::success);
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->code == "fenced");
  CHECK(outcome.failure->kind == FailureKind::conflict);
  CHECK(bench.equal());
  CHECK(bench.target_rows().size() == rows);
}

TEST_CASE("a load that dies at any step is made good by the next run",
          "[sync][first-load][crash]") {
  for (const WriteMode write : {WriteMode::upsert, WriteMode::append}) {
    for (const bool at_source : {true, false}) {
      for (std::size_t step = 1; step < 400; step += step < 20 ? 1 : 23) {
        CAPTURE(to_string(write), at_source, step);
        Loading bench(2, write);
        memory::Database& side = at_source ? *bench.source : *bench.target;
        side.inject({.operation = std::nullopt, .after = step});
        const Outcome broken = bench.run();
        side.clear_faults();
        bench.restart();
        bench.run_until_quiet();
        REQUIRE(bench.equal());
        if (broken.result == RunResult::success) break;
      }
    }
  }
}

TEST_CASE("the table that a first load makes gets its key with the last row",
          "[sync][first-load][key-last]") {
  const auto key_of = [](Bench& bench) { return bench.target->shape(bench.job.target_table); };
  Loading bench;
  bench.target->inject(lost_connection(Operation::commit, 17));
  REQUIRE(bench.run().failure);
  CHECK(key_of(bench)->primary_key.empty());
  CHECK(key_of(bench)->pending_key == std::vector<std::string>{"id"});
  bench.restart();
  SECTION("a load that goes on") {
    bench.target->inject(lost_connection(Operation::commit, 17));
    REQUIRE(bench.run().failure);
    CHECK(key_of(bench)->primary_key.empty());
    bench.restart();
  }
  SECTION("a load that begins anew: what was loaded is there already, and may have changed since") {
    bench.tick();
    for (int id = 1; id <= rows; ++id)
      bench.put(id, "changed");
    bench.tick();
    bench.target->drop_ranges(bench.key());
  }
  SECTION("a job that reads with one reader from now on") {
    bench.job.parallel = 1;
  }
  REQUIRE(bench.run().result == RunResult::success);
  bench.run_until_quiet();
  CHECK(key_of(bench)->primary_key == std::vector<std::string>{"id"});
  CHECK(key_of(bench)->pending_key.empty());
  CHECK(bench.equal());
}

TEST_CASE("a range's commit in doubt is found out from its row", "[sync][first-load][doubt]") {
  const auto write = GENERATE(WriteMode::upsert, WriteMode::append);
  const bool arrived = GENERATE(true, false);
  CAPTURE(to_string(write), arrived);
  Loading bench(4, write);
  bench.target->inject(commit_in_doubt(arrived, 20));
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->error_class() == ErrorClass::transient);
  bench.run_until_quiet();
  CHECK(bench.equal());
}

TEST_CASE("a deadlock between ranges is no failure of the run", "[sync][first-load]") {
  Loading bench;
  memory::Fault deadlock{.operation = Operation::write, .after = 9, .breaks_session = false};
  deadlock.error = {.kind = FailureKind::deadlock, .message = "deadlock found"};
  bench.target->inject(deadlock);
  REQUIRE(bench.run().result == RunResult::success);
  CHECK(bench.equal());
}

TEST_CASE("who is overtaken in the middle of the ranges stops writing",
          "[sync][first-load][fence]") {
  Loading bench;
  std::atomic<int> saves = 0;
  bench.target->on_operation([&](Operation operation) {
    if (operation == Operation::save && ++saves == 15)
      bench.target->seize(bench.key(), {.host = "h", .pid = 2, .process = "other"}, seconds(1));
  });
  const Outcome outcome = bench.run();
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->code == "fenced");
  bench.target->on_operation({});
  const auto stood = bench.target_rows();
  CHECK(stood.size() < rows);
  bench.tick(minutes(2));
  const auto other = bench.other_runner("other");
  REQUIRE(other->run(bench.request()).result == RunResult::success);
  CHECK(bench.equal());
}

TEST_CASE("with one connection the ranges go one after the other", "[sync][first-load]") {
  Loading bench;
  bench.set_connections(1);
  const Outcome outcome = bench.run();
  INFO((outcome.failure ? outcome.failure->message : ""));
  REQUIRE(outcome.result == RunResult::success);
  CHECK(bench.equal());
  CHECK(bench.source->open_sessions() == 1);
}

TEST_CASE("without room in memory for a second batch no second range is begun",
          "[sync][first-load]") {
  Loading bench;
  bench.job.batch_bytes = 4000;
  const bool room = GENERATE(true, false);
  bench.memory.set_limit(room ? 8000 : 7999);
  std::atomic<std::size_t> sessions = 0;
  bench.source->on_operation([&](Operation operation) {
    if (operation == Operation::fetch)
      sessions = std::max(sessions.load(), bench.source->open_sessions());
  });
  REQUIRE(bench.run().result == RunResult::success);
  CHECK(bench.equal());
  CHECK(bench.memory.used() == 0);
  if (!room) CHECK(sessions == 1);
}

TEST_CASE("loads that share few connections all come through", "[sync][first-load]") {
  Loading bench(4);
  bench.set_connections(3);
  std::vector<std::future<Outcome>> runs;
  for (int number = 0; number < 6; ++number) {
    JobSettings job = bench.job;
    job.name = JobName("job" + std::to_string(number));
    job.target_table = {"", "t" + std::to_string(number)};
    RunRequest request = bench.request();
    request.job = std::make_shared<const JobSettings>(job);
    runs.push_back(
        std::async(std::launch::async, [&bench, request] { return bench.run_with(request); }));
  }
  for (auto& run : runs)
    CHECK(run.get().result == RunResult::success);
  for (int number = 0; number < 6; ++number)
    CHECK(sorted(Bench::lines(*bench.target, {"", "t" + std::to_string(number)})) ==
          sorted(bench.source_rows()));
  CHECK(bench.target->open_sessions() <= 4);  // and one beside, for leases
}

TEST_CASE("a stop ends the load after the batches in flight, and it goes on later",
          "[sync][first-load]") {
  Loading bench;
  std::atomic<int> commits = 0;
  bench.target->on_operation([&](Operation operation) {
    if (operation == Operation::commit && ++commits == 12) bench.stop.request_stop();
  });
  const Outcome outcome = bench.run();
  CHECK(outcome.result == RunResult::cancelled);
  bench.target->on_operation({});
  const std::size_t arrived = bench.target_rows().size();
  CHECK(arrived > 0);
  CHECK(arrived < rows);
  CHECK(bench.under_way());
  bench.stop = std::stop_source();
  const Outcome rest = bench.run();
  REQUIRE(rest.result == RunResult::success);
  CHECK(rest.counts.rows_read == rows - arrived);
  CHECK(bench.equal());
}

TEST_CASE("an open transaction delays what the load proves, not its rows", "[sync][first-load]") {
  Loading bench;
  memory::Writer writer = bench.source->begin();
  writer.put(Bench::source_table, bench.row(77, "late"));
  bench.tick();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(outcome.progress.initial_done);
  CHECK(bench.target_rows().size() == rows);
  CHECK(outcome.progress.settled.empty());
  writer.commit();
  bench.run_until_quiet();
  CHECK(bench.equal());
  const Outcome quiet = bench.run();
  CHECK_FALSE(quiet.progress.settled.empty());
}

TEST_CASE("an append loads nothing before its horizon has settled", "[sync][first-load][append]") {
  Loading bench(4, WriteMode::append);
  memory::Writer writer = bench.source->begin();
  writer.put(Bench::source_table, bench.row(777, "late"));
  bench.tick();
  REQUIRE(bench.run().result == RunResult::success);
  CHECK(bench.target_rows().empty());
  CHECK(bench.target->ranges(bench.key()).empty());
  writer.commit();
  bench.run_until_quiet();
  bench.tick();
  bench.run_until_quiet();
  CHECK(bench.equal());
}

TEST_CASE("rows that change, move and go during the load end as the source has them",
          "[sync][first-load][writers]") {
  const auto parallel = GENERATE(2U, 4U);
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(parallel, seed);
    Loading bench(parallel);
    SeededRandom random(seed);
    std::mutex mutex;
    std::vector<std::string> gone;
    int left = 150;
    int fresh = 1000;
    // Between any two fetches the application does something.
    bench.source->on_operation([&](Operation operation) {
      const std::lock_guard lock(mutex);
      if (operation != Operation::fetch || left == 0) return;
      --left;
      const int id = 1 + static_cast<int>(random.below(rows));
      bench.tick(std::chrono::milliseconds(random.below(3)));
      switch (random.below(4)) {
        case 0:
          bench.put(id, "changed " + std::to_string(left));
          break;
        case 1:
          bench.source->erase(Bench::source_table, {std::to_string(id)});
          gone.push_back(std::to_string(id));
          break;
        case 2: {  // the key moves, across ranges
          bench.source->erase(Bench::source_table, {std::to_string(id)});
          gone.push_back(std::to_string(id));
          const int to = random.below(2) == 0 ? ++fresh : -static_cast<int>(random.below(500));
          bench.put(to, "moved " + std::to_string(id));
          break;
        }
        default:
          bench.put(++fresh, "new");
      }
    });
    REQUIRE(bench.run().result == RunResult::success);
    bench.source->on_operation({});
    bench.run_until_quiet();
    bench.tick();
    bench.run_until_quiet();
    const auto there = sorted(bench.target_rows());
    const auto wanted = sorted(bench.source_rows());
    std::vector<std::string> extra;
    std::set_difference(there.begin(), there.end(), wanted.begin(), wanted.end(),
                        std::back_inserter(extra));
    CHECK(std::includes(there.begin(), there.end(), wanted.begin(), wanted.end()));
    for (const std::string& line : extra)
      CHECK(std::find(gone.begin(), gone.end(), line.substr(0, line.find('|'))) != gone.end());
  }
}

TEST_CASE("a resync drops the ranges of the load before", "[sync][first-load]") {
  Loading bench;
  bench.target->inject(lost_connection(Operation::commit, 20));
  REQUIRE(bench.run().failure);
  REQUIRE_FALSE(bench.target->ranges(bench.key()).empty());
  bench.job.parallel = 1;
  REQUIRE(bench.run({.resync = true}).result == RunResult::success);
  CHECK(bench.target->ranges(bench.key()).empty());
  CHECK(bench.equal());
}

TEST_CASE("ranges that went missing make the load begin anew", "[sync][first-load]") {
  Loading bench;
  bench.target->inject(lost_connection(Operation::commit, 20));
  REQUIRE(bench.run().failure);
  // Somebody has emptied tidemark_range: the checkpoint alone must not pass for a finished load.
  bench.target->drop_ranges(bench.key());
  bench.restart();
  const Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(outcome.counts.rows_read == rows);
  CHECK(bench.equal());
}

TEST_CASE("a clock set back during the load takes its mark back", "[sync][first-load][clock]") {
  Loading bench;
  bench.target->inject(lost_connection(Operation::commit, 20));
  REQUIRE(bench.run().failure);
  bench.source->advance(-minutes(10));
  // Written behind the mark, into a range that is finished already.
  bench.put(1, "behind");
  const Outcome outcome = bench.run();
  REQUIRE(outcome.result == RunResult::success);
  CHECK(outcome.progress.epoch == 2);
  bench.run_until_quiet();
  CHECK(bench.equal());
}
