#include "state/state_store.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "state/database.h"
#include "state/history_observer.h"
#include "state/schema.h"
#include "support/process.h"

using namespace tidemark;
using namespace tidemark::state;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

WallTime at(std::int64_t seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

RunRecord run_of(const std::string& job, std::int64_t number,
                 RunResult result = RunResult::success) {
  RunRecord record;
  record.run_id = "run-" + std::to_string(number);
  record.job = JobName(job);
  record.started = at(number);
  record.ended = at(number) + 250ms;
  record.took = 250ms;
  record.result = result;
  return record;
}

/// What the store said, from any thread.
class Problems {
 public:
  std::function<void(std::string_view)> listener() {
    return [this](std::string_view text) {
      const std::lock_guard guard(mutex_);
      all_.emplace_back(text);
    };
  }
  std::vector<std::string> all() const {
    const std::lock_guard guard(mutex_);
    return all_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> all_;
};

StateStore::Options in(const test::TempDir& dir) {
  StateStore::Options options;
  options.directory = dir / "state";
  return options;
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

/// Lets no file of this process grow beyond `bytes` while it lives: a full disk without one.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit tight = before_;
    tight.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FullDisk() { end(); }
  void end() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a run comes back from history as it was recorded") {
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  RunRecord written = run_of("orders", 100, RunResult::failed);
  written.trigger = Trigger::retry;
  written.failure =
      Failure{.kind = FailureKind::conversion, .message = "write shop.orders: no fit"};
  written.failure->code = "22003";
  written.failure->table = "shop.orders";
  written.failure->column = "price";
  written.failure->hint = "Widen the column.";
  written.failure->key_hash = "ab12";
  written.failure->remedy = "data";
  written.failure->needs_person = true;
  written.failure->driver_text = "value 12345 out of range";
  written.counts.rows_read = 18446744073709551615ULL;
  written.counts.rows_settle_read = 7;
  written.counts.written = {.inserted = 1, .updated = 2, .deleted = 3, .unchanged = 4};
  written.counts.batches = 9;
  written.phases.read = 1500us;
  written.phases.wait = 3us;
  written.lag = 90s;
  written.fresh_as_of = at(99);
  written.read_as_of = at(98);
  written.clock_skew = -2s;
  store->record_run(written);

  const std::vector<RunRecord> history = store->history(JobName("orders"));
  REQUIRE(history.size() == 1);
  const RunRecord& read = history.front();
  CHECK(read.run_id == "run-100");
  CHECK(read.trigger == Trigger::retry);
  CHECK(read.started == at(100));
  CHECK(read.ended == at(100) + 250ms);
  CHECK(read.took == 250ms);
  CHECK(read.result == RunResult::failed);
  REQUIRE(read.failure);
  CHECK(read.failure->kind == FailureKind::conversion);
  CHECK(read.failure->message == "write shop.orders: no fit");
  CHECK(read.failure->code == "22003");
  CHECK(read.failure->table == "shop.orders");
  CHECK(read.failure->column == "price");
  CHECK(read.failure->hint == "Widen the column.");
  CHECK(read.failure->key_hash == "ab12");
  CHECK(read.failure->remedy == "data");
  CHECK(read.failure->needs_person);
  CHECK(read.failure->driver_text.empty());
  CHECK(read.counts.rows_read == 18446744073709551615ULL);
  CHECK(read.counts.rows_settle_read == 7);
  CHECK(read.counts.written == written.counts.written);
  CHECK(read.counts.batches == 9);
  CHECK(read.phases.read == 1500us);
  CHECK(read.phases.wait == 3us);
  CHECK(read.lag == written.lag);
  CHECK(read.fresh_as_of == written.fresh_as_of);
  CHECK(read.read_as_of == written.read_as_of);
  CHECK(read.clock_skew == -2s);
}

TEST_CASE("what a driver said never reaches the file") {
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  RunRecord record = run_of("orders", 1, RunResult::failed);
  record.failure = Failure{.message = "failed"};
  record.failure->driver_text = "Key (email)=(someone@example.com) already exists";
  store->record_run(record);
  store->flush();
  for (const auto& entry : fs::directory_iterator(dir / "state")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    INFO(entry.path());
    CHECK(bytes.find("someone@example.com") == std::string::npos);
  }
}

TEST_CASE("history is newest first and pages by id") {
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  for (int number = 1; number <= 5; ++number) {
    store->record_run(run_of("orders", number));
    store->record_run(run_of("other", number));
  }
  const auto first = store->history(JobName("orders"), 2);
  REQUIRE(first.size() == 2);
  CHECK(first[0].run_id == "run-5");
  CHECK(first[1].run_id == "run-4");
  const auto second = store->history(JobName("orders"), 10, first[1].id);
  REQUIRE(second.size() == 3);
  CHECK(second[0].run_id == "run-3");
  CHECK(second[2].run_id == "run-1");
  CHECK(store->history(JobName("unknown")).empty());
}

TEST_CASE("history is bounded per job, and the newest success outlives any number of failures") {
  const test::TempDir dir;
  StateStore::Options options = in(dir);
  options.runs_per_job = 3;
  const auto store = StateStore::open(options);
  store->record_run(run_of("orders", 1));
  store->record_run(run_of("orders", 2));
  for (int number = 3; number <= 9; ++number)
    store->record_run(run_of("orders", number, RunResult::failed));
  store->record_run(run_of("other", 1));

  std::vector<std::string> kept;
  for (const RunRecord& record : store->history(JobName("orders"), 100))
    kept.push_back(record.run_id);
  CHECK(kept == std::vector<std::string>{"run-9", "run-8", "run-7", "run-2"});
  CHECK(store->history(JobName("other"), 100).size() == 1);

  const auto history = store->job_history();
  CHECK(history.at(JobName("orders")).last_success == at(2) + 250ms);
}

TEST_CASE("history passes its bound by a tenth at most, also over restarts") {
  const test::TempDir dir;
  StateStore::Options options = in(dir);
  options.runs_per_job = 20;
  int number = 0;
  for (const int runs : {45, 1, 1, 1, 1, 1}) {
    const auto store = StateStore::open(options);
    for (int run = 0; run < runs; ++run)
      store->record_run(run_of("orders", ++number));
    const std::vector<RunRecord> kept = store->history(JobName("orders"), 100);
    CHECK(kept.size() >= 20);
    CHECK(kept.size() <= 22);
    CHECK(kept.front().run_id == "run-" + std::to_string(number));
  }
}

TEST_CASE("runs are written though nobody asks for them") {
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  const std::uint64_t before = store->bytes();
  store->record_run(run_of("orders", 1));
  test::wait_until("the run to be written", [&] { return store->bytes() > before; });
}

TEST_CASE("job history tells last start, last success, and failures since") {
  const test::TempDir dir;
  {
    const auto store = StateStore::open(in(dir));
    store->record_run(run_of("orders", 10, RunResult::failed));
    store->record_run(run_of("orders", 20, RunResult::partial));
    RunRecord failed = run_of("orders", 30, RunResult::failed);
    failed.failure = Failure{.kind = FailureKind::auth, .message = "refused"};
    store->record_run(failed);
    store->record_run(failed);
    store->record_run(run_of("never", 5, RunResult::failed));
    store->record_run(run_of("fine", 7));
  }
  const auto store = StateStore::open(in(dir));
  const auto history = store->job_history();
  REQUIRE(history.size() == 3);
  const JobHistory& orders = history.at(JobName("orders"));
  CHECK(orders.last_start == at(30));
  CHECK(orders.last_end == at(30) + 250ms);
  CHECK(orders.last_took == 250ms);
  CHECK(orders.last_success == at(20) + 250ms);
  CHECK(orders.last_result == RunResult::failed);
  CHECK(orders.consecutive_failures == 2);
  CHECK(orders.last_failure_kind == FailureKind::auth);
  CHECK(orders.last_failure == "refused");
  CHECK_FALSE(history.at(JobName("never")).last_success);
  CHECK(history.at(JobName("never")).consecutive_failures == 1);
  CHECK(history.at(JobName("fine")).consecutive_failures == 0);
  CHECK_FALSE(history.at(JobName("fine")).last_failure_kind);
}

TEST_CASE("freshness of the newest run that knew it survives a restart") {
  const test::TempDir dir;
  {
    const auto store = StateStore::open(in(dir));
    RunRecord good = run_of("orders", 10);
    good.fresh_as_of = at(9);
    good.clock_skew = 1s;
    store->record_run(good);
    store->record_run(run_of("orders", 20, RunResult::failed));
    store->record_run(run_of("blind", 20));
  }
  const auto store = StateStore::open(in(dir));
  const auto progress = store->last_progress();
  REQUIRE(progress.size() == 1);
  CHECK(progress.at(JobName("orders")).fresh_as_of == at(9));
  CHECK(progress.at(JobName("orders")).clock_skew == 1s);
}

TEST_CASE("pauses survive a restart, with until, reason and author") {
  const test::TempDir dir;
  const Pause for_good{
      .job = JobName("a"), .reason = "moving house", .by = "uid 0", .since = at(1)};
  const Pause for_a_while{.job = JobName("b"), .since = at(2), .until = at(7200)};
  {
    const auto store = StateStore::open(in(dir));
    store->save(for_good);
    store->save(Pause{.job = JobName("b"), .since = at(1)});
    store->save(for_a_while);
    store->save(Pause{.job = JobName("c"), .since = at(3)});
    store->remove(JobName("c"));
    CHECK(store->load() == std::vector<Pause>{for_good, for_a_while});
  }
  const auto store = StateStore::open(in(dir));
  CHECK(store->load() == std::vector<Pause>{for_good, for_a_while});
}

TEST_CASE("purging a job forgets its runs and its pause and nothing else") {
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  store->record_run(run_of("old", 1));
  store->record_run(run_of("kept", 1));
  store->save(Pause{.job = JobName("old")});
  store->save(Pause{.job = JobName("kept")});
  store->purge(JobName("old"));
  CHECK(store->history(JobName("old")).empty());
  CHECK(store->history(JobName("kept")).size() == 1);
  REQUIRE(store->load().size() == 1);
  CHECK(store->load().front().job == JobName("kept"));
}

TEST_CASE("the key is made once per installation") {
  const test::TempDir dir;
  const test::TempDir other;
  const Secret key = StateStore::open(in(dir))->key_secret();
  CHECK(key.reveal().size() == 32);
  CHECK(StateStore::open(in(dir))->key_secret() == key);
  CHECK_FALSE(StateStore::open(in(other))->key_secret() == key);
}

TEST_CASE("audit records are kept in order and bounded") {
  const test::TempDir dir;
  StateStore::Options options = in(dir);
  options.audit_records = 3;
  const auto store = StateStore::open(options);
  for (int number = 1; number <= 5; ++number)
    store->record_audit({.at = at(number),
                         .actor = "uid 1000",
                         .action = "pause",
                         .object = "orders",
                         .result = "ok"});
  const auto records = store->audit();
  REQUIRE(records.size() == 3);
  CHECK(records.front().at == at(5));
  CHECK(records.back().at == at(3));
  CHECK(records.front().actor == "uid 1000");
  CHECK(records.front().action == "pause");
  CHECK(records.front().object == "orders");
  CHECK(records.front().result == "ok");
  CHECK(store->audit(10, records[1].id).size() == 1);
}

TEST_CASE("the directory and every file in it are for the daemon's user only") {
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  store->record_run(run_of("orders", 1));
  store->flush();
  CHECK(mode_of(dir / "state") == 0700);
  for (const char* name : {"state.db", "state.db-wal", "state.db-shm", "state.lock"}) {
    INFO(name);
    CHECK(mode_of((dir / "state/") + name) == 0600);
  }
  CHECK(store->bytes() > 0);
}

TEST_CASE("a second process on one directory is refused and told by whom") {
  const test::TempDir dir;
  auto store = StateStore::open(in(dir));
  try {
    StateStore::open(in(dir));
    FAIL("was not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conflict);
    CHECK(error.fields().code == "locked");
    CHECK(std::string(error.what()).find("process " + std::to_string(getpid())) !=
          std::string::npos);
  }
  store.reset();
  CHECK_NOTHROW(StateStore::open(in(dir)));
}

TEST_CASE("looking without a daemon makes nothing and needs no lock") {
  const test::TempDir dir;
  StateStore::Options look = in(dir);
  look.read_only = true;
  try {
    StateStore::open(look);
    FAIL("there is no file to open");
  } catch (const Error& error) {
    CHECK(error.fields().code == "absent");
  }
  CHECK_FALSE(fs::exists(dir / "state"));

  auto store = StateStore::open(in(dir));
  store->record_run(run_of("orders", 1));
  store->save(Pause{.job = JobName("orders"), .since = at(1)});
  store->flush();
  const auto beside = StateStore::open(look);
  CHECK(beside->history(JobName("orders")).size() == 1);
  CHECK(beside->load().size() == 1);
  store.reset();
  const auto after = StateStore::open(look);
  CHECK(after->history(JobName("orders")).size() == 1);
}

TEST_CASE("a file that is no database is moved aside and begun anew") {
  const test::TempDir dir;
  fs::create_directories(dir / "state");
  std::ofstream(dir / "state/state.db") << std::string(8192, 'x');
  Problems problems;
  StateStore::Options options = in(dir);
  options.on_problem = problems.listener();
  const auto store = StateStore::open(options);
  store->record_run(run_of("orders", 1));
  CHECK(store->history(JobName("orders")).size() == 1);
  REQUIRE(problems.all().size() == 1);
  CHECK(problems.all().front().find("state.db.damaged-") != std::string::npos);
  std::size_t aside = 0;
  for (const auto& entry : fs::directory_iterator(dir / "state"))
    aside += entry.path().filename().string().starts_with("state.db.damaged-") ? 1 : 0;
  CHECK(aside >= 1);
}

TEST_CASE("pauses and key are saved out of a file whose history is damaged") {
  const test::TempDir dir;
  Secret key;
  {
    const auto store = StateStore::open(in(dir));
    key = store->key_secret();
    store->save(Pause{.job = JobName("stopped"), .since = at(1)});
    for (int number = 0; number < 2000; ++number)
      store->record_run(run_of("job" + std::to_string(number % 100), number));
  }
  // Pages in the second half of the file belong to the run table.
  const std::string path = dir / "state/state.db";
  const auto size = fs::file_size(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size / 2));
  file << std::string(size / 2, '\xee');
  file.close();

  Problems problems;
  StateStore::Options options = in(dir);
  options.on_problem = problems.listener();
  const auto store = StateStore::open(options);
  CHECK(problems.all().size() == 1);
  CHECK(store->key_secret() == key);
  REQUIRE(store->load().size() == 1);
  CHECK(store->load().front().job == JobName("stopped"));
}

TEST_CASE("a file of a newer version is refused, not touched") {
  const test::TempDir dir;
  StateStore::open(in(dir)).reset();
  {
    Database database(dir / "state/state.db", Database::Open::create);
    database.execute("PRAGMA user_version = 4711");
  }
  try {
    StateStore::open(in(dir));
    FAIL("was not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::schema);
    CHECK(std::string(error.what()).find("4711") != std::string::npos);
  }
  Database database(dir / "state/state.db", Database::Open::create);
  Statement asked = database.prepare("PRAGMA user_version");
  REQUIRE(asked.step());
  CHECK(asked.integer(0) == 4711);
}

TEST_CASE("a directory that can't be made is an error that names the option") {
  const test::TempDir dir;
  std::ofstream(dir / "file") << "in the way";
  StateStore::Options options;
  options.directory = dir / "file/state";
  try {
    StateStore::open(options);
    FAIL("was not refused");
  } catch (const Error& error) {
    CHECK(error.fields().hint.find("daemon.state_dir") != std::string::npos);
  }
}

TEST_CASE("a full disk costs history, not the daemon, and pauses are written when it has room") {
  const test::TempDir dir;
  Problems problems;
  StateStore::Options options = in(dir);
  options.on_problem = problems.listener();
  auto store = StateStore::open(options);
  store->record_run(run_of("orders", 1));
  store->flush();
  REQUIRE(store->healthy());
  {
    FullDisk full(store->bytes());
    store->save(Pause{.job = JobName("orders"), .reason = std::string(100'000, 'x')});
    for (int number = 2; number <= 200; ++number)
      store->record_run(run_of("orders", number));
    store->flush();
    CHECK_FALSE(store->healthy());
    CHECK(store->errors() > 0);
    CHECK(store->load().size() == 1);
  }
  REQUIRE(problems.all().size() == 1);
  CHECK(problems.all().front().find("can't be written") != std::string::npos);

  store->record_run(run_of("orders", 201));
  store->flush();
  CHECK(store->healthy());
  CHECK(store->history(JobName("orders"), 1).front().run_id == "run-201");
  REQUIRE(problems.all().size() == 2);
  CHECK(problems.all().back().find("takes writes again") != std::string::npos);
  store.reset();
  CHECK(StateStore::open(in(dir))->load().size() == 1);
}

TEST_CASE("the history observer records runs, not probes and not standing back") {
  struct FixedClock final : Clock {
    WallTime now() const override { return at(1000); }
    SteadyTime steady() const override { return {}; }
  };
  const test::TempDir dir;
  const auto store = StateStore::open(in(dir));
  const FixedClock clock;
  HistoryObserver observer(*store, clock);
  RunFinished event;
  event.job = JobName("orders");
  event.run_id = "r1";
  event.started = at(990);
  event.ended = at(995);
  event.took = 5s;
  event.outcome.result = RunResult::success;
  event.outcome.progress.fresh_as_of = at(960);
  event.outcome.progress.clock_skew = -10s;
  observer.run_finished(event);
  event.run_id = "r2";
  event.trigger = Trigger::probe;
  observer.run_finished(event);
  event.run_id = "r3";
  event.trigger = Trigger::schedule;
  event.outcome.result = RunResult::held;
  observer.run_finished(event);

  const auto history = store->history(JobName("orders"));
  REQUIRE(history.size() == 1);
  CHECK(history.front().run_id == "r1");
  CHECK(history.front().took == 5s);
  CHECK(history.front().lag == Duration(30s));
}
