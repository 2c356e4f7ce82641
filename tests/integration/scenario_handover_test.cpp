// From the first row to the last increment: nothing is lost or doubled, whoever writes, whatever
// breaks, and wherever it breaks.
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <mutex>
#include <thread>

#include "handover_scene.h"

using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr int rows = 30'000;  // enough for ranges
const std::string in_ranges = "    parallel: 2\n    batch: {rows: 1000}\n";

PostgresServer& target_postgres() {
  static PostgresServer server({"fsync=off"});
  if (!server.running()) server.start();
  return server;
}

/// Changes rows of `big` in transactions of its own class of keys, and remembers which ids went.
class Storm {
 public:
  Storm(SourceSide& source, int writers) {
    for (int number = 0; number < writers; ++number)
      threads_.emplace_back([this, &source, number, writers] { work(source, number, writers); });
  }
  ~Storm() { finish(); }
  void finish() {
    stop_ = true;
    for (std::thread& thread : threads_)
      thread.join();
    threads_.clear();
  }
  const std::set<std::string>& gone() const { return gone_; }
  int transactions() const { return transactions_; }

 private:
  void work(SourceSide& source, int number, int writers) {
    int fresh = 100'000 * (number + 1);
    for (int round = 0; !stop_; ++round) {
      // Ids of this writer's class only, so that no two writers wait for each other.
      const auto pick = [&](int step) {
        return std::to_string(1 + number +
                              writers * ((round * 7919 + step * 104'729) % (rows / writers - 1)));
      };
      const std::string deleted = pick(1);
      const std::string moved = pick(2);
      std::string sql = "BEGIN;";
      sql += "UPDATE big SET note = 'u" + std::to_string(round) + "' WHERE id = " + pick(3) + ";";
      sql += "DELETE FROM big WHERE id = " + deleted + ";";
      // A key that moves across the table, to either side.
      sql += "UPDATE big SET id = " + std::to_string(round % 2 == 0 ? ++fresh : -++fresh) +
             " WHERE id = " + moved + ";";
      sql += "INSERT INTO big (id, note) VALUES (" + std::to_string(++fresh) + ", 'new');";
      sql += "INSERT INTO events (what) VALUES ('w" + std::to_string(fresh) + "');";
      if (round % 5 == 0) sql += source.pause();
      const bool keep = round % 7 != 3;
      sql += keep ? "COMMIT;" : "ROLLBACK;";
      source.sql(sql);
      ++transactions_;
      if (!keep) continue;
      const std::lock_guard lock(mutex_);
      gone_.insert(deleted);
      gone_.insert(moved);
    }
  }

  std::atomic<bool> stop_ = false;
  std::atomic<int> transactions_ = 0;
  std::mutex mutex_;
  std::set<std::string> gone_;
  std::vector<std::thread> threads_;
};

bool loads_in_ranges(Scene& scene) {
  const std::string count = scene.target_value("SELECT COUNT(*) FROM tidemark_range");
  return !count.empty() && count != "0";
}

/// Writers from the first row of the load to its last, and a daemon that is killed meanwhile.
void storm_during_load(SourceSide& source, Server& target) {
  constexpr int kills = 3;
  source.make_tables();
  source.fill(rows);
  // Slow enough that the writers are at work while the ranges are read.
  Scene scene(source, target, {.limits = "limits: {rows: 3000/s}", .job = in_ranges});
  scene.daemon->start();
  const auto await_ranges = [&] {
    wait_until(
        "a first load in ranges", [&] { return loads_in_ranges(scene); }, seconds(60));
  };
  await_ranges();
  Storm storm(source, 3);
  for (int kill = 1; kill <= kills; ++kill) {
    wait_until(
        "writers at work", [&] { return storm.transactions() >= 5 * kill; }, seconds(60));
    CHECK(loads_in_ranges(scene));
    scene.daemon->kill();
    scene.daemon->start();
  }
  wait_until(
      "the load to be over", [&] { return !loads_in_ranges(scene) && storm.transactions() > 30; },
      seconds(120));
  storm.finish();
  scene.await_equal(storm.gone());
  CHECK(scene.daemon->metric("tidemark_job_late_rows_total{name=\"big\"}") == "0");
  CHECK(scene.daemon->stop() == 0);
}

}  // namespace

TEST_CASE("HND-01 writers and kills during the first load of PostgreSQL", "[scenario][HND-01]") {
  storm_during_load(*postgres_source(shared_postgres()), target_postgres());
}

TEST_CASE("HND-01 writers and kills during the first load of MariaDB", "[scenario][HND-01]") {
  storm_during_load(*mariadb_source(shared_mariadb()), target_postgres());
}

TEST_CASE("HND-01 writers and kills during the first load of SQLite", "[scenario][HND-01]") {
  storm_during_load(*sqlite_source(), target_postgres());
}

TEST_CASE("HND-01 writers and kills during the first load into MariaDB", "[scenario][HND-01]") {
  storm_during_load(*postgres_source(shared_postgres()), shared_mariadb());
}

TEST_CASE("HND-03 killed at each step of a first load and of an increment", "[scenario][HND-03]") {
  using Moment = TcpGate::Cut::Moment;
  const auto source = postgres_source(shared_postgres());
  struct Step {
    const char* name;
    bool at_source;
    TcpGate::Cut cut;
  };
  const std::vector<Step> steps{
      {"before a read", true, {.texts = {"COPY (SELECT"}, .moment = Moment::before}},
      {"in a read", true, {.texts = {"COPY (SELECT"}, .moment = Moment::answer}},
      {"before rows are written", false, {.texts = {"FROM STDIN"}, .moment = Moment::before}},
      {"when rows are written", false, {.texts = {"FROM STDIN"}, .moment = Moment::answer}},
      {"before a range is saved", false, {.texts = {"SET position"}, .moment = Moment::before}},
      {"before the range's COMMIT",
       false,
       {.texts = {"SET position", "COMMIT"}, .moment = Moment::before}},
      {"after the range's COMMIT",
       false,
       {.texts = {"SET position", "COMMIT"}, .moment = Moment::answer}},
      {"before the checkpoint's COMMIT",
       false,
       {.texts = {"SET definition", "COMMIT"}, .moment = Moment::before}},
      {"after the checkpoint's COMMIT",
       false,
       {.texts = {"SET definition", "COMMIT"}, .moment = Moment::answer}},
      // What comes next on the session is another write, or the lease, renewed when half of it is
      // over.
      {"after the COMMIT was acknowledged",
       false,
       {.texts = {"SET definition", "COMMIT", "UPDATE"}, .moment = Moment::before}},
  };
  for (const Step& step : steps) {
    INFO(step.name);
    source->make_tables();
    source->fill(rows);
    Scene scene(*source, target_postgres(), {.job = in_ranges});
    TcpGate& gate = step.at_source ? scene.source_gate : scene.target_gate;
    const auto kill_there = [&] {
      wait_until(
          "the daemon at the step", [&] { return gate.struck() > 0; }, seconds(60));
      scene.daemon->kill();
      scene.source_gate.cut();
      scene.target_gate.cut();
      gate.restore();
    };
    TcpGate::Cut cut = step.cut;
    cut.hold = true;
    gate.inject(cut);
    scene.daemon->start();
    kill_there();
    const std::size_t struck = gate.struck();
    scene.daemon->start();
    scene.await_equal();
    if (std::string(step.name).find("range") != std::string::npos) continue;
    gate.inject(cut);
    source->sql(
        "UPDATE big SET note = 'later' WHERE id <= 500;"
        "INSERT INTO big (id, note) VALUES (900000, 'new');"
        "INSERT INTO events (what) VALUES ('later')");
    wait_until(
        "the daemon at the step again", [&] { return gate.struck() > struck; }, seconds(60));
    kill_there();
    scene.daemon->start();
    scene.await_equal();
  }
}

TEST_CASE("HND-03 a load killed in the middle of its ranges reads only what is missing",
          "[scenario][HND-03]") {
  const auto source = postgres_source(shared_postgres());
  source->make_tables();
  source->fill(rows);
  source->sql("TRUNCATE events");
  Scene scene(*source, target_postgres(), {.job = in_ranges});
  // One session has finished its range and begins to write the next.
  scene.target_gate.inject({.texts = {"finished = '1'", "BEGIN"}, .hold = true});
  scene.daemon->start();
  wait_until(
      "a range to be finished", [&] { return scene.target_gate.struck() > 0; }, seconds(60));
  scene.daemon->kill();
  scene.target_gate.cut();
  scene.target_gate.restore();
  const int arrived = std::stoi(scene.target_value("SELECT COUNT(*) FROM big"));
  REQUIRE(std::stoi(scene.target_value("SELECT COUNT(*) FROM tidemark_range")) > 1);
  CHECK(arrived > rows / 4);
  REQUIRE(arrived < rows);
  scene.daemon->start();
  scene.await_equal();
  wait_until("the ranges to be over",
             [&] { return scene.target_value("SELECT COUNT(*) FROM tidemark_range") == "0"; });
  CHECK(scene.daemon->metric("tidemark_job_rows_read_total{name=\"big\"}") ==
        std::to_string(rows - arrived));
  CHECK(scene.daemon->stop() == 0);
}

namespace {

/// The answer to a COMMIT is lost, of ranges and of increments, arrived or not.
void lose_commits(SourceSide& source, Server& target) {
  using Moment = TcpGate::Cut::Moment;
  for (const Moment moment : {Moment::answer, Moment::before}) {
    CAPTURE(moment == Moment::before);
    source.make_tables();
    source.fill(rows);
    Scene scene(source, target, {.job = in_ranges});
    scene.target_gate.inject({.texts = {"SET position", "COMMIT"}, .moment = moment, .times = 2});
    scene.target_gate.inject({.texts = {"SET definition", "COMMIT"}, .moment = moment, .times = 2});
    scene.daemon->start();
    scene.await_equal();
    CHECK(scene.target_gate.struck() >= 4);
    scene.target_gate.restore();
    const std::size_t before = scene.target_gate.struck();
    for (int round = 0; round < 3; ++round) {
      scene.target_gate.inject({.texts = {"SET definition", "COMMIT"}, .moment = moment});
      source.sql("INSERT INTO events (what) VALUES ('round " + std::to_string(round) + "');" +
                 "UPDATE big SET note = 'round " + std::to_string(round) + "' WHERE id < 100");
      scene.await_equal();
    }
    CHECK(scene.target_gate.struck() >= before + 3);
    CHECK(scene.daemon->stop() == 0);
  }
}

/// The same of replacements, which are one COMMIT each.
void lose_replacements(SourceSide& source, Server& target) {
  using Moment = TcpGate::Cut::Moment;
  for (const Moment moment : {Moment::answer, Moment::before}) {
    CAPTURE(moment == Moment::before);
    source.make_tables();
    source.fill(300);
    Scene scene(source, target, {.replace = true});
    scene.daemon->start();
    scene.await_equal();
    for (int round = 0; round < 3; ++round) {
      const std::size_t struck = scene.target_gate.struck();
      scene.target_gate.inject({.texts = {"DELETE FROM", "COMMIT"}, .moment = moment});
      source.sql("UPDATE big SET note = 'round " + std::to_string(round) +
                 "' WHERE id < 100; DELETE FROM big WHERE id = " + std::to_string(200 + round));
      wait_until(
          "a COMMIT to be cut off", [&] { return scene.target_gate.struck() > struck; },
          seconds(60));
      scene.await_equal();
    }
    CHECK(scene.daemon->stop() == 0);
  }
}

}  // namespace

TEST_CASE("HND-04 the answer to COMMIT is lost on PostgreSQL", "[scenario][HND-04]") {
  lose_commits(*mariadb_source(shared_mariadb()), target_postgres());
}

TEST_CASE("HND-04 the answer to COMMIT is lost on MariaDB", "[scenario][HND-04]") {
  lose_commits(*postgres_source(shared_postgres()), shared_mariadb());
}

TEST_CASE("HND-04 the answer to the COMMIT of a replacement is lost", "[scenario][HND-04]") {
  lose_replacements(*mariadb_source(shared_mariadb()), target_postgres());
  lose_replacements(*postgres_source(shared_postgres()), shared_mariadb());
}

namespace {

/// A second daemon on the scene's configuration, around the gate that holds the first.
std::unique_ptr<Daemon> second_daemon(const Scene& scene) {
  std::string sections = scene.sections();
  const std::string gate = "port: " + std::to_string(scene.target_gate.port());
  sections.replace(sections.find(gate), gate.size(),
                   "port: " + std::to_string(scene.target.port()));
  return std::make_unique<Daemon>(sections, scene_environment);
}

void await_sleep(Scene& scene, const TcpGate::Cut& cut, const std::function<void()>& cause) {
  scene.target_gate.inject(cut);
  cause();
  wait_until(
      "the daemon before its fence", [&] { return scene.target_gate.struck() > 0; }, seconds(60));
  scene.daemon->signal(SIGSTOP);
}

void await_awake(Scene& scene) {
  scene.target_gate.restore();
  scene.daemon->signal(SIGCONT);
  wait_until("the first daemon awake", [&] { return !scene.daemon->get("/metrics").empty(); });
}

}  // namespace

TEST_CASE("HND-05 a daemon that slept through its lease in a first load doubles nothing",
          "[scenario][HND-05]") {
  const auto source = postgres_source(shared_postgres());
  source->make_tables();
  source->fill(rows);
  Scene scene(*source, target_postgres(), {.job = in_ranges});
  await_sleep(scene, {.texts = {"FROM STDIN", "FOR SHARE"}, .hold = true},
              [&] { scene.daemon->start(); });
  // Past the lease the server has ended what stood idle in a transaction.
  scene.target.sql(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle in "
      "transaction' AND pid <> pg_backend_pid()");
  scene.target.sql("UPDATE tidemark_checkpoint SET lease_until = 0");
  const auto other = second_daemon(scene);
  other->start();
  wait_until(
      "the other daemon to have it all", [&] { return scene.equal(); }, seconds(90));
  await_awake(scene);
  source->sql("INSERT INTO events (what) VALUES ('after'); UPDATE big SET note = 'x' WHERE id = 7");
  scene.await_equal();
  CHECK(other->stop() == 0);
  source->sql("INSERT INTO events (what) VALUES ('last'); UPDATE big SET note = 'y' WHERE id = 7");
  scene.await_equal();
  CHECK(scene.daemon->stop() == 0);
}

TEST_CASE("HND-05 an append that slept through its lease meets its fence", "[scenario][HND-05]") {
  const auto source = postgres_source(shared_postgres());
  source->make_tables();
  Scene scene(*source, target_postgres(), {});
  scene.daemon->start();
  source->sql("INSERT INTO events (what) VALUES ('first')");
  scene.await_equal();
  // Its rows are in an open transaction, and its session lives on.
  await_sleep(scene, {.texts = {"FROM STDIN", "SET definition"}, .hold = true},
              [&] { source->sql("INSERT INTO events (what) VALUES ('second'), ('third')"); });
  scene.target.sql("UPDATE tidemark_checkpoint SET lease_until = 0");
  const auto other = second_daemon(scene);
  other->start();
  wait_until(
      "the other daemon to have it all", [&] { return scene.equal(); }, seconds(60));
  await_awake(scene);
  wait_until("the first daemon to see its fence",
             [&] { return scene.daemon->log().find("has taken over") != std::string::npos; });
  source->sql("INSERT INTO events (what) VALUES ('fourth')");
  scene.await_equal();
  CHECK(other->stop() == 0);
  source->sql("INSERT INTO events (what) VALUES ('fifth')");
  scene.await_equal();
  CHECK(scene.daemon->stop() == 0);
}
