// PostgreSQL servers that stop, crash, wrap, stand by and go back in time.
#include <catch2/catch.hpp>
#include <fstream>

#include "integration/scenario_postgres.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const char* const with_xid =
    " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, c timestamptz NOT NULL DEFAULT "
    "now(), x xid8 NOT NULL DEFAULT pg_current_xact_id())";

std::string insert(const std::string& table, const std::string& v) {
  return "INSERT INTO " + table + " (v) VALUES ('" + v + "')";
}

/// pg_resetwal on a server that is stopped.
void set_next_xid(PostgresServer& server, std::uint32_t xid) {
  server.stop();
  // The page of the commit log where the next id stands is not there yet.
  char segment[5];
  std::snprintf(segment, sizeof segment, "%04X", xid >> 20);
  const std::string file = server.data_directory() + "/pg_xact/" + segment;
  std::ofstream(file, std::ios::binary) << std::string(256 * 1024, '\0');
  run_command({"chown", "postgres", file});
  run_command({"/usr/lib/postgresql/15/bin/pg_resetwal", "-f", "-x", std::to_string(xid), "-D",
               server.data_directory()},
              "postgres", server.socket_directory());
  server.start();
}

std::string differences_between(Server& left, Server& right, const std::string& table) {
  const std::string dump = "SELECT md5(coalesce(string_agg(id || '|' || v, ',' ORDER BY id), '')) ";
  return left.sql(dump + "FROM " + table) == right.sql(dump + "FROM " + table + "_copy") ? "0"
                                                                                         : "some";
}

}  // namespace

TEST_CASE("CUR-16 CUR-26 a prepared transaction holds the mark across a restart and a crash",
          "[scenario][postgres][CUR-16][CUR-26]") {
  PostgresServer source({"max_prepared_transactions=10"});
  source.start();
  PostgresServer& target = scenario_server();
  for (const std::string& cursor : std::vector<std::string>{"c", "id", "x", "xmin"}) {
    CAPTURE(cursor);
    const std::string table = fresh_table("prepared");
    source.sql("CREATE TABLE " + table + with_xid);
    ScenarioJob job(table, source, target, cursor);
    source.sql("BEGIN; " + insert(table, "prepared") + "; PREPARE TRANSACTION 'gid-" + table + "'");
    source.sql(insert(table, "other"));
    job.pass();
    source.restart();
    job.run();  // finds its session gone
    job.pass();
    const Outcome blocked = job.pass();
    REQUIRE_FALSE(blocked.progress.blockers.empty());
    CHECK(blocked.progress.blockers.front().gid == "gid-" + table);
    CHECK(blocked.progress.blockers.front().user == "tidemark");
    source.crash();
    source.start();
    job.run();
    source.sql("COMMIT PREPARED 'gid-" + table + "'");
    source.sql(insert(table, "last"));
    job.settle();
    CHECK(differences_between(source, target, table) == "0");
  }
}

TEST_CASE("CUR-18 xmin across 2^32 transactions", "[scenario][postgres][CUR-18]") {
  PostgresServer source({"autovacuum=off"});
  source.start();
  PostgresServer& target = scenario_server();
  source.sql("UPDATE pg_database SET datallowconn = true");
  const auto freeze = [&] {
    for (const char* database : {"template0", "template1", "postgres", "test"})
      run_command({"psql", "-X", "-q", "-h", source.socket_directory(), "-p",
                   std::to_string(source.port()), "-U", "tidemark", "-d", database, "-c",
                   "VACUUM (FREEZE)"});
  };
  // The server stops where its oldest row is 2^31 behind: in steps.
  for (const std::uint32_t next : {0x60000000U, 0xB0000000U, 0xFFFFFFD0U}) {
    freeze();
    set_next_xid(source, next);
  }
  const std::string table = fresh_table("wrap");
  source.sql("CREATE TABLE " + table + " (id int PRIMARY KEY, v text)");
  ScenarioJob job(table, source, target, "xmin");
  // Through the end of the 32 bits, a transaction a row.
  for (int id = 1; id <= 60; ++id) {
    source.sql("INSERT INTO " + table + " VALUES (" + std::to_string(id) + ", 'a')");
    if (id % 6 == 0) {
      job.pass();
      CHECK(differences_between(source, target, table) == "0");
    }
  }
  CHECK(source.sql("SELECT pg_current_xact_id()::text::bigint > 4294967296") == "t\n");
  source.sql("UPDATE " + table + " SET v = 'b' WHERE id IN (1, 60)");
  job.settle();
  CHECK(differences_between(source, target, table) == "0");
  CHECK(job.pass().counts.rows_read <= 2);
  // 2^31 transactions without a run: 32 bits do not tell any more.
  for (const std::uint32_t next : {0x50000000U, 0x90000000U}) {
    freeze();
    set_next_xid(source, next);
  }
  job.restart();
  job.run();
  const Outcome late = job.run();
  REQUIRE(late.result == RunResult::failed);
  CHECK(late.failure->kind == FailureKind::position_lost);
  RunOptions resync;
  resync.resync = true;
  CHECK(job.run(resync).result == RunResult::success);
  job.settle();
}

TEST_CASE("CUR-20 CUR-21 CUR-30 a hot standby as source",
          "[scenario][postgres][CUR-20][CUR-21][CUR-30]") {
  static PostgresServer primary({"fsync=off", "max_prepared_transactions=10"});
  if (!primary.running()) primary.start();
  static PostgresServer standby(
      PostgresServer::StandbyOf{primary},
      {"fsync=off", "max_standby_streaming_delay=0", "max_prepared_transactions=10"});
  if (!standby.running()) standby.start();
  const std::string cursor = GENERATE("c", "id", "x", "xmin");
  CAPTURE(cursor);
  const std::string table = fresh_table("stand");
  primary.sql("CREATE TABLE " + table + with_xid + "; " + insert(table, "first"));
  PostgresServer& target = scenario_server();
  ScenarioJob job(table, standby, target, cursor);
  const auto replayed = [&] {
    const std::string written = primary.sql("SELECT pg_current_wal_insert_lsn()");
    wait_until("the standby to replay", [&] {
      return standby.sql("SELECT pg_last_wal_replay_lsn() >= '" +
                         written.substr(0, written.size() - 1) + "'") == "t\n";
    });
  };
  replayed();
  if (cursor == "c" || cursor == "id") {
    const Outcome alone = job.run();
    REQUIRE(alone.result == RunResult::failed);
    CHECK(alone.failure->message.find("`primary`") != std::string::npos);
    ConnectionSettings open = primary.settings();
    open.name = ConnectionName("primary");
    job.connections[open.name] = open;
    job.connections.at(ConnectionName("from")).primary = open.name;
    job.restart();
  }
  // A transaction below one that has ended: not visible, and not to be passed.
  Session writer(primary);
  writer.run("BEGIN");
  writer.run(insert(table, "open"));
  primary.sql(insert(table, "ended"));
  primary.sql("BEGIN; " + insert(table, "prepared") + "; PREPARE TRANSACTION 'p'");
  replayed();
  job.pass();
  writer.run("COMMIT");
  replayed();
  job.pass();
  primary.sql("COMMIT PREPARED 'p'");
  // Late replay: rows with old cursors show up afterwards.
  standby.sql("SELECT pg_wal_replay_pause()");
  primary.sql(insert(table, "late"));
  job.pass();
  job.pass();
  standby.sql("SELECT pg_wal_replay_resume()");
  replayed();
  job.settle();
  CHECK(differences_between(primary, target, table) == "0");

  // Recovery ends reads that are in its way: the job goes on from the last row written.
  primary.sql("INSERT INTO " + table +
              " (v) SELECT repeat('v', 200) FROM generate_series(1, 20000)");
  replayed();
  job.settings.batch_rows = 500;
  bool disturbed = false;
  job.listener.on_batch = [&] {
    if (std::exchange(disturbed, true)) return;
    primary.sql("ALTER TABLE " + table +
                " SET (fillfactor = 90); DROP TABLE IF EXISTS none; LOCK "
                "TABLE " +
                table + " IN ACCESS EXCLUSIVE MODE");
    primary.sql("BEGIN; LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE; COMMIT");
  };
  const Outcome cut = job.run();
  job.listener.on_batch = {};
  CHECK(disturbed);
  if (cut.result == RunResult::failed) CHECK(cut.failure->error_class() == ErrorClass::transient);
  job.settle();
  CHECK(differences_between(primary, target, table) == "0");
}

TEST_CASE("CUR-23 an autovacuum that runs for long holds no timestamp up",
          "[scenario][postgres][CUR-23]") {
  PostgresServer source({"autovacuum_naptime=1s", "autovacuum_vacuum_cost_delay=100ms",
                         "autovacuum_vacuum_cost_limit=1"});
  source.start();
  PostgresServer& target = scenario_server();
  const std::string table = fresh_table("vacuumed");
  source.sql("CREATE TABLE " + table + with_xid +
             "; CREATE TABLE big AS SELECT g AS id, "
             "repeat('x', 500) AS v FROM generate_series(1, 20000) g; DELETE FROM big");
  wait_until("an autovacuum", [&] {
    return source.sql(
               "SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum "
               "worker' AND query LIKE '%big%'") == "t\n";
  });
  const std::string begun = source.sql(
      "SELECT max(xact_start) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'");
  ScenarioJob job(table, source, target, "c");
  source.sql(insert(table, "row"));
  wait_until("the mark to pass the start of the autovacuum", [&] {
    const Outcome outcome = job.pass();
    return !outcome.progress.settled.empty() &&
           source.sql("SELECT '" + outcome.progress.settled + "'::timestamptz > '" +
                      begun.substr(0, begun.size() - 1) + "'::timestamptz") == "t\n";
  });
  CHECK(source.sql("SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum "
                   "worker' AND query LIKE '%big%'") == "t\n");
}

TEST_CASE("CUR-35 a server that went back in time is noticed", "[scenario][postgres][CUR-35]") {
  PostgresServer primary;
  primary.start();
  const std::string table = fresh_table("back");
  primary.sql("CREATE TABLE " + table + with_xid + "; " + insert(table, "kept"));
  PostgresServer copy(PostgresServer::StandbyOf{primary}, {});
  copy.start();
  // Cut off: promotion replays whatever was received.
  copy.sql("ALTER SYSTEM SET primary_conninfo = ''");
  copy.sql("SELECT pg_reload_conf()");
  wait_until("the standby to be cut off",
             [&] { return copy.sql("SELECT count(*) FROM pg_stat_wal_receiver") == "0\n"; });
  PostgresServer& target = scenario_server();
  const std::string cursor = GENERATE("c", "x");
  ScenarioJob job(table, primary, target, cursor);
  primary.sql(insert(table, "lost") + "; " + insert(table, "lost too"));
  job.settle();
  // The server that took over never saw the last rows.
  copy.sql("SELECT pg_promote()");
  copy.sql("UPDATE " + table + " SET v = 'changed'; " + insert(table, "other"));
  job.connections.at(ConnectionName("from")).port = copy.port();
  job.restart();
  job.settle();
  CHECK(job.listener.heard("another server, or was restored"));
  CHECK(target.sql("SELECT v FROM " + table + "_copy WHERE id = 1") == "changed\n");
  CHECK(target.sql("SELECT count(*) FROM " + table + "_copy WHERE v = 'other'") == "1\n");
}
