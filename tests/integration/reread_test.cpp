// How often a row version is read: once fresh, once behind a mark that settled, however long a
// transaction stays open and however often the job polls.
#include <catch2/catch.hpp>
#include <functional>

#include "integration/scenario_mysql.h"
#include "integration/scenario_postgres.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

constexpr std::uint64_t rounds = 24;
constexpr std::uint64_t rows_a_round = 20;
constexpr std::uint64_t changes_a_round = 5;

/// Polls while rows come and change and, for half of the time, `session` holds a transaction open,
/// with a row of its own where it writes; until there is nothing left to read.
void polls_read_at_most_twice(Server& server, ScenarioJob& job, bool changes, bool blocker_writes,
                              const std::function<void(const std::string&)>& session) {
  job.limits.audit_every = std::chrono::hours(1);
  const std::string table = job.settings.source_table->name;
  std::uint64_t read = job.pass().counts.rows_read;
  REQUIRE(read == 0);
  std::uint64_t versions = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    if (round == rounds / 4) {
      session("BEGIN");
      session(blocker_writes ? "INSERT INTO " + table + " (v) VALUES (-1)"
                             : "SELECT count(*) FROM " + table);
      versions += blocker_writes ? 1 : 0;
    }
    if (round == 3 * rounds / 4) session("COMMIT");
    std::string values;
    for (std::uint64_t row = 0; row < rows_a_round; ++row)
      values += (row == 0 ? "(" : ", (") + std::to_string(round) + ")";
    server.sql("INSERT INTO " + table + " (v) VALUES " + values);
    versions += rows_a_round;
    if (changes && round > 0) {
      // By their keys: a search would wait for the row of the open transaction.
      server.sql("UPDATE " + table + " SET v = v + 1000 WHERE id > " +
                 std::to_string((round - 1) * changes_a_round) +
                 " AND id <= " + std::to_string(round * changes_a_round));
      versions += changes_a_round;
    }
    read += job.pass().counts.rows_read;
  }
  wait_until("nothing to be left to read", [&] {
    const std::uint64_t more = job.pass().counts.rows_read;
    read += more;
    return more == 0;
  });
  INFO(versions << " row versions, " << read << " read");
  CHECK(read >= rounds * rows_a_round);
  CHECK(read <= 2 * versions);
}

}  // namespace

TEST_CASE("each row version of PostgreSQL is read at most twice", "[integration][reread]") {
  PostgresServer& server = scenario_server();
  const std::string cursor = GENERATE("c", "id", "x");
  const bool writes = GENERATE(true, false);
  CAPTURE(cursor, writes);
  const std::string table = fresh_table("reread");
  server.sql("CREATE TABLE " + table +
             " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, c timestamptz NOT NULL "
             "DEFAULT now(), x xid8 NOT NULL DEFAULT pg_current_xact_id()); CREATE "
             "INDEX ON " +
             table + " (c, id); CREATE INDEX ON " + table + " (x, id)");
  ScenarioJob job(table, server, server, cursor);
  Session blocker(server);
  polls_read_at_most_twice(server, job, false, writes,
                           [&](const std::string& sql) { blocker.run(sql); });
}

TEST_CASE("each row version of MariaDB is read at most twice", "[integration][reread]") {
  MariaDbServer& server = shared_mariadb();
  const std::string cursor = GENERATE("c", "id");
  CAPTURE(cursor);
  const std::string table = fresh_table("reread");
  server.sql("CREATE TABLE " + table +
             " (id bigint AUTO_INCREMENT PRIMARY KEY, v int, c timestamp(6) NOT NULL DEFAULT "
             "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (c, id))");
  ScenarioJob job(table, server, scenario_server(), cursor);
  job.settings.source_table = TableName{"test", table};
  scenario::Session blocker(server);
  polls_read_at_most_twice(server, job, cursor == "c", true,
                           [&](const std::string& sql) { blocker.run(sql); });
}
