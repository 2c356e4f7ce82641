// CUR-08: a source whose clock is set, on servers that run under a clock of ours.
#include <catch2/catch.hpp>
#include <chrono>

#include "integration/scenario_postgres.h"
#include "support/fake_clock.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::hours;
using std::chrono::minutes;

namespace {

/// A server with a table `stepped` whose rows are stamped by a clock that a test sets.
struct Stepped {
  Stepped(Server& its_server, const std::string& schema, const std::string& create)
      : server(its_server), job(fresh_table("stepped"), its_server, scenario_server(), "c") {
    server.set_environment(clock.environment());
    server.start();
    clock.set(hours(1));
    server.sql(create + "; INSERT INTO stepped (id, v) VALUES (1, 'a'), (2, 'b')");
    job.settings.source_table = TableName{schema, "stepped"};
  }
  static std::string rows(Server& of, const std::string& table) {
    return of.sql("SELECT id, v FROM " + table + " ORDER BY id");
  }
  std::string copied() { return rows(scenario_server(), job.copy()); }
  bool equal() { return rows(server, "stepped") == copied(); }

  FakeClock clock;
  Server& server;
  ScenarioJob job;
};

void upsert_goes_back(Stepped& scene) {
  scene.clock.set(hours(1) + minutes(1));  // the mark passes what is there
  scene.job.settle();
  const Progress before = scene.job.pass().progress;
  REQUIRE(scene.equal());
  REQUIRE(before.epoch == 1);

  // All that is written now lies behind the mark, by an hour.
  scene.clock.set({});
  scene.server.sql(
      "INSERT INTO stepped (id, v) VALUES (3, 'behind'); "
      "UPDATE stepped SET v = 'changed behind' WHERE id = 1");
  const bool restarted = GENERATE(false, true);
  if (restarted) scene.job.restart();
  const Progress after = scene.job.pass().progress;
  CHECK(scene.equal());
  CHECK(after.epoch == 2);
  CHECK(after.settled < before.settled);
  CHECK(scene.job.listener.heard("clock was set back by about"));

  // The hour that the clock shows a second time, and what comes after it.
  scene.clock.set(minutes(30));
  scene.server.sql("INSERT INTO stepped (id, v) VALUES (4, 'within the hour')");
  scene.job.settle();
  CHECK(scene.equal());
  scene.clock.set(hours(2));
  scene.server.sql("UPDATE stepped SET v = 'after it' WHERE id = 3");
  scene.job.settle();
  CHECK(scene.equal());
  CHECK(scene.job.pass().progress.epoch == 2);
}

void append_waits_for_a_person(Stepped& scene) {
  scene.job.settings.write = WriteMode::append;
  scene.clock.set(hours(1) + minutes(1));
  wait_until("the rows to be appended", [&] {
    scene.job.pass();
    return scene.equal();
  });

  scene.clock.set({});
  scene.server.sql("INSERT INTO stepped (id, v) VALUES (3, 'behind')");
  const std::string there = scene.copied();
  // A look at the server's clock may be shared for a moment, and a session may end with the step.
  wait_until("the step to be noticed", [&] {
    const Outcome outcome = scene.job.run();
    return outcome.failure && outcome.failure->kind == FailureKind::position_lost;
  });
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Outcome halted = scene.job.run();
    REQUIRE(halted.result == RunResult::failed);
    CHECK(halted.failure->kind == FailureKind::position_lost);
    CHECK(halted.failure->needs_person);
    CHECK(halted.failure->message.find("clock was set back") != std::string::npos);
  }
  CHECK(scene.copied() == there);

  // The answer: the row behind the mark is looked after by hand, the job goes on from where it is.
  CHECK(scene.job.run({.accept = RunOptions::Accept::keep_mark}).result == RunResult::success);
  scenario_server().sql("INSERT INTO " + scene.job.copy() +
                        " (id, v, c) VALUES (3, 'behind', now())");
  scene.clock.set(hours(2));
  scene.server.sql("INSERT INTO stepped (id, v) VALUES (4, 'after it')");
  scene.clock.set(hours(2) + minutes(1));
  wait_until("the row after the hour", [&] {
    scene.job.pass();
    return scene.equal();
  });
  scene.job.settle();
  CHECK(scene.equal());
}

std::string postgres_table() {
  return "CREATE TABLE stepped (id int PRIMARY KEY, v text, c timestamptz NOT NULL DEFAULT now()); "
         "CREATE INDEX ON stepped (c, id); CREATE FUNCTION stamp() RETURNS trigger LANGUAGE "
         "plpgsql "
         "AS $$BEGIN NEW.c := now(); RETURN NEW; END$$; CREATE TRIGGER stamp BEFORE UPDATE ON "
         "stepped FOR EACH ROW EXECUTE FUNCTION stamp()";
}

std::string mariadb_table() {
  return "CREATE TABLE stepped (id int PRIMARY KEY, v text, c timestamp(6) NOT NULL DEFAULT "
         "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (c, id))";
}

}  // namespace

TEST_CASE("CUR-08 PostgreSQL: rows written after its clock was set back by an hour arrive",
          "[scenario][postgres][CUR-08]") {
  PostgresServer server({"fsync=off"});
  Stepped scene(server, "public", postgres_table());
  upsert_goes_back(scene);
}

TEST_CASE("CUR-08 MariaDB: rows written after its clock was set back by an hour arrive",
          "[scenario][mariadb][CUR-08]") {
  MariaDbServer server;
  Stepped scene(server, "test", mariadb_table());
  upsert_goes_back(scene);
}

TEST_CASE("CUR-08 PostgreSQL: an append whose source's clock was set back waits for a person",
          "[scenario][postgres][CUR-08]") {
  PostgresServer server({"fsync=off"});
  Stepped scene(server, "public", postgres_table());
  append_waits_for_a_person(scene);
}

TEST_CASE("CUR-08 MariaDB: an append whose source's clock was set back waits for a person",
          "[scenario][mariadb][CUR-08]") {
  MariaDbServer server;
  Stepped scene(server, "test", mariadb_table());
  append_waits_for_a_person(scene);
}

TEST_CASE("CUR-08 PostgreSQL: a transaction that is open while the clock is set back arrives",
          "[scenario][postgres][CUR-08]") {
  PostgresServer server({"fsync=off"});
  Stepped scene(server, "public", postgres_table());
  scene.clock.set(hours(1) + minutes(1));
  scene.job.settle();
  {
    Session writer(server);
    writer.run("BEGIN");
    writer.run("INSERT INTO stepped (id, v) VALUES (3, 'of the old time')");
    scene.clock.set({});
    server.sql("INSERT INTO stepped (id, v) VALUES (4, 'of the new time')");
    // A look at the server's clock may be shared for a moment.
    wait_until("the step to be noticed", [&] { return scene.job.pass().progress.epoch == 2; });
    writer.run("COMMIT");
  }
  scene.job.settle();
  CHECK(scene.equal());
}
