// A deadlock between our load and another writer, made for real.
#include <catch2/catch.hpp>
#include <thread>

#include "integration/scenario_postgres.h"

using namespace tidemark;
using namespace tidemark::test;

TEST_CASE("TGT-08 a deadlock is transient, and both sides end equal",
          "[scenario][postgres][TGT-08]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("circle");
  server.sql("CREATE TABLE " + table + " (id int PRIMARY KEY, v text); INSERT INTO " + table +
             " VALUES (1, 'a'), (2, 'b')");
  ScenarioJob job(table, server, server, "xmin");
  // Each who waits looks for a circle once, after so long; who finds one is ended. The other writer
  // does not look.
  job.connections.at(ConnectionName("to")).init_sql = {"SET deadlock_timeout = '4s'"};
  job.pass();
  server.sql("UPDATE " + table + " SET v = v || 'x'");
  Session other(server);
  other.run("SET deadlock_timeout = '1h'");
  other.run("BEGIN");
  other.run("UPDATE " + table + "_copy SET v = 'other' WHERE id = 2");
  Outcome outcome;
  std::thread running([&] { outcome = job.run(); });
  // It writes row 1 and then waits for row 2, which closes the circle.
  Session watch(server);
  wait_until("the job to wait for row 2",
             [&] { return watch.run("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"; });
  other.run("UPDATE " + table + "_copy SET v = 'other' WHERE id = 1");
  other.run("COMMIT");
  running.join();
  REQUIRE(outcome.result == RunResult::failed);
  CHECK(outcome.failure->kind == FailureKind::deadlock);
  CHECK(outcome.failure->error_class() == ErrorClass::transient);
  CHECK(server.sql("SELECT v FROM " + table + "_copy ORDER BY id") == "other\nother\n");
  job.settle();
  CHECK(differences(server, table) == "0");
}
