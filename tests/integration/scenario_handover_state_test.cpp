// What the target holds while it goes back, refuses or is refreshed.
#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "handover_scene.h"

using namespace tidemark::test;
using std::chrono::seconds;
using Moment = TcpGate::Cut::Moment;

namespace {

PostgresServer& target_postgres() {
  static PostgresServer server({"fsync=off"});
  if (!server.running()) server.start();
  return server;
}

std::string position_of(Scene& scene, const std::string& job) {
  return scene.target_value("SELECT reached, settled FROM tidemark_checkpoint WHERE job = '" + job +
                            "'");
}

void copy_folder(const std::string& from, const std::string& to) {
  run_command({"rm", "-rf", to});
  run_command({"cp", "-a", from, to});
}

}  // namespace

TEST_CASE("HND-06 a target that goes back takes its checkpoint with it", "[scenario][HND-06]") {
  const auto source = postgres_source(shared_postgres());
  source->make_tables();
  source->fill(200);
  PostgresServer target;
  target.start();
  const TempDir backups;
  Scene scene(*source, target, {});
  scene.daemon->start();
  scene.await_equal();
  target.stop();
  copy_folder(target.data_directory(), backups / "before");
  target.start();
  source->sql(
      "UPDATE big SET note = 'lost' WHERE id < 50; INSERT INTO big (id, note) VALUES (900, "
      "'lost'); INSERT INTO events (what) VALUES ('lost 1'), ('lost 2')");
  scene.await_equal();
  const std::string after = position_of(scene, "events");
  // The target fails over to a state without the last seconds, under a daemon that goes on as soon
  // as the test has seen that state.
  target.stop();
  copy_folder(backups / "before", target.data_directory());
  scene.daemon->signal(SIGSTOP);
  target.start();
  CHECK(rows_of(scene.target_rows("events")).size() == 200);
  CHECK(position_of(scene, "events") != after);
  scene.daemon->signal(SIGCONT);
  source->sql("INSERT INTO events (what) VALUES ('later')");
  scene.await_equal();
  CHECK(rows_of(scene.target_rows("events")).size() == 203);
  CHECK(scene.daemon->stop() == 0);
}

TEST_CASE("HND-07 a pass without rows or a failed write moves no position past what comes",
          "[scenario][HND-07]") {
  const auto source = postgres_source(shared_postgres());
  source->make_tables();
  source->fill(100);
  Scene scene(*source, target_postgres(), {});
  scene.daemon->start();
  scene.await_equal();
  const auto polls = [&] {
    const std::string runs =
        scene.daemon->metric("tidemark_job_runs_total{name=\"big\",result=\"success\"}");
    return runs.empty() ? 0 : std::stol(runs);
  };
  {
    // Rows that are there and can't be seen: many passes find nothing.
    std::atomic<bool> committed = false;
    std::thread slow([&] {
      source->sql(
          "BEGIN; INSERT INTO big (id, note) VALUES (500, 'slow'); INSERT INTO events "
          "(what) VALUES ('slow'); SELECT pg_sleep(3); COMMIT");
      committed = true;
    });
    const long before = polls();
    wait_until("passes that find nothing", [&] { return polls() >= before + 3 || committed; });
    slow.join();
  }
  scene.await_equal();

  // Writes that fail leave the position where it was, however often they are tried.
  scene.target.sql(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
      "USING ERRCODE = '40001', MESSAGE = 'not now'; END $$;"
      "CREATE TRIGGER refuse BEFORE INSERT ON big FOR EACH STATEMENT EXECUTE FUNCTION refuse();"
      "CREATE TRIGGER refuse BEFORE INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION refuse()");
  wait_until("both jobs at rest", [&] {
    return scene.job_state("big") == "waiting" && scene.job_state("events") == "waiting";
  });
  const std::string reached =
      scene.target_value("SELECT reached FROM tidemark_checkpoint WHERE job = 'events'");
  source->sql(
      "INSERT INTO big (id, note) VALUES (501, 'refused'); INSERT INTO events (what) VALUES "
      "('refused')");
  wait_until("both jobs to fail", [&] {
    return scene.job_state("big") == "backoff" && scene.job_state("events") == "backoff";
  });
  CHECK(scene.target_value("SELECT reached FROM tidemark_checkpoint WHERE job = 'events'") ==
        reached);
  CHECK(scene.target_value("SELECT COUNT(*) FROM events WHERE what = 'refused'") == "0");
  scene.target.sql("DROP FUNCTION refuse() CASCADE");
  scene.await_equal();
  CHECK(scene.daemon->stop() == 0);
}

TEST_CASE("HND-08 a batch that fails in its middle is written whole later, none of it skipped",
          "[scenario][HND-08]") {
  const auto source = mariadb_source(shared_mariadb());
  source->make_tables();
  source->fill(300);
  Scene scene(*source, target_postgres(), {});
  scene.daemon->start();
  scene.await_equal();
  scene.target.sql("ALTER TABLE big ADD CONSTRAINT no_bad CHECK (note <> 'bad')");
  source->sql("UPDATE big SET note = CASE id WHEN 150 THEN 'bad' ELSE 'good' END WHERE id > 100");
  wait_until("the job to halt", [&] { return scene.job_state("big") == "halted"; });
  CHECK(scene.target_value("SELECT COUNT(*) FROM big WHERE note = 'good'") == "0");
  scene.target.sql("ALTER TABLE big DROP CONSTRAINT no_bad");
  // A person answers; in their words a resume.
  run_command({TIDEMARK_BINARY, "resume", "big", "-c", scene.daemon->config()});
  scene.await_equal();
  CHECK(scene.target_value("SELECT COUNT(*) FROM big WHERE note = 'good'") == "199");
  CHECK(scene.daemon->stop() == 0);
}

namespace {

/// Looks at `big` until the end: every look must find one whole generation.
class Onlooker {
 public:
  explicit Onlooker(Server& server) : thread_([this, &server] { look(server); }) {}
  ~Onlooker() { finish(); }
  void finish() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int looks() const { return looks_; }
  std::string torn() const { return torn_; }  ///< after `finish`

 private:
  void look(Server& server) {
    while (!over_) {
      const std::string seen =
          server.sql("SELECT COUNT(*), COUNT(DISTINCT note), MIN(note) FROM big");
      ++looks_;
      if (!seen.starts_with("500\t1\t")) torn_ += seen;
    }
  }
  std::atomic<bool> over_ = false;
  std::atomic<int> looks_ = 0;
  std::string torn_;
  std::thread thread_;
};

void refresh_under_fire(SourceSide& source, Server& target,
                        const std::vector<TcpGate::Cut>& steps) {
  source.make_tables();
  source.fill(500);
  source.sql("UPDATE big SET note = 'g0'");
  Scene scene(source, target, {.replace = true});
  scene.daemon->start();
  scene.await_equal();
  Onlooker onlooker(target);
  for (std::size_t step = 0; step < steps.size(); ++step) {
    CAPTURE(step);
    TcpGate::Cut cut = steps[step];
    cut.hold = true;
    const std::size_t struck = scene.target_gate.struck();
    scene.target_gate.inject(cut);
    source.sql("UPDATE big SET note = 'g" + std::to_string(step + 1) + "'");
    wait_until(
        "the refresh at the step", [&] { return scene.target_gate.struck() > struck; },
        seconds(60));
    scene.daemon->kill();
    scene.target_gate.cut();
    scene.target_gate.restore();
    scene.daemon->start();
    scene.await_equal();
  }
  onlooker.finish();
  CHECK(onlooker.looks() > 0);
  CHECK(onlooker.torn() == "");
  CHECK(scene.daemon->stop() == 0);
}

}  // namespace

TEST_CASE(
    "DEL-05 readers of PostgreSQL see the old rows or the new through a refresh killed at "
    "every step",
    "[scenario][DEL-05]") {
  refresh_under_fire(*mariadb_source(shared_mariadb()), target_postgres(),
                     {{.texts = {"CREATE UNLOGGED"}, .moment = Moment::before},
                      {.texts = {"FROM STDIN"}, .moment = Moment::answer},
                      {.texts = {"ANALYZE"}, .moment = Moment::answer},
                      {.texts = {"DELETE FROM"}, .moment = Moment::answer},
                      {.texts = {"SET definition"}, .moment = Moment::answer},
                      {.texts = {"DELETE FROM", "COMMIT"}, .moment = Moment::before},
                      {.texts = {"DELETE FROM", "COMMIT"}, .moment = Moment::answer}});
}

TEST_CASE(
    "DEL-05 readers of MariaDB see the old rows or the new through a refresh killed at every "
    "step",
    "[scenario][DEL-05]") {
  refresh_under_fire(*postgres_source(shared_postgres()), shared_mariadb(),
                     {{.texts = {"CREATE TABLE"}, .moment = Moment::before},
                      {.texts = {"DELETE FROM"}, .moment = Moment::answer},
                      {.texts = {"SET definition"}, .moment = Moment::answer},
                      {.texts = {"DELETE FROM", "COMMIT"}, .moment = Moment::before},
                      {.texts = {"DELETE FROM", "COMMIT"}, .moment = Moment::answer}});
}

TEST_CASE("DEL-06 a table that is emptied and loaded again between two polls arrives",
          "[scenario][DEL-06]") {
  const bool postgres = GENERATE(true, false);
  const auto source =
      postgres ? postgres_source(shared_postgres()) : mariadb_source(shared_mariadb());
  source->make_tables();
  source->fill(300);
  Scene scene(*source, target_postgres(), {});
  scene.daemon->start();
  scene.await_equal();
  // No poll between the two: the daemon is away.
  CHECK(scene.daemon->stop() == 0);
  source->sql("TRUNCATE TABLE big");
  source->sql(
      "INSERT INTO big (id, note) SELECT id + 100, CONCAT('again ', id) FROM events WHERE "
      "id <= 300");
  scene.daemon->start();
  std::set<std::string> gone;
  for (int id = 1; id <= 100; ++id)
    gone.insert(std::to_string(id));
  scene.await_equal(gone);
  CHECK(rows_of(scene.target_rows("big")).size() == 400);
  CHECK(scene.daemon->stop() == 0);
}
