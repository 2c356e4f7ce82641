// A MariaDB source that restarts, crashes, or is a replica (CUR-16, 21, 26, 35).
#include <catch2/catch.hpp>
#include <fstream>

#include "core/connector.h"
#include "integration/scenario_mysql.h"
#include "support/daemon.h"

using namespace tidemark::test;
using namespace tidemark::test::scenario;

namespace {

constexpr const char* moves_table =
    "CREATE TABLE moves (id INT AUTO_INCREMENT PRIMARY KEY, v INT, at TIMESTAMP(6) NOT NULL "
    "DEFAULT "
    "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (at));";

Job follow(MariaDbServer& source, const std::string& copy, const std::string& cursor,
           const std::string& from = "", const std::string& connections = "") {
  shared_mariadb().sql("DROP TABLE IF EXISTS " + copy);
  return Job({.from = from.empty() ? yaml_of(source) : from,
              .to = yaml_of(shared_mariadb()),
              .job = "    source: {connection: from, table: test.moves}\n"
                     "    target: {connection: to, table: test." +
                     copy + "}\n    mode: incremental\n    cursor: {column: " + cursor + "}\n",
              .connections = connections});
}

void arrives(Job& job, Server& source, const std::string& copy) {
  must_arrive(job, source, shared_mariadb(), "SELECT id, v, at FROM moves ORDER BY id",
              "SELECT id, v, at FROM " + copy + " ORDER BY id");
}

std::string position_of(Server& primary) {
  std::string position = primary.sql("SELECT @@gtid_binlog_pos");
  position.pop_back();
  return position;
}

}  // namespace

TEST_CASE("CUR-16 a prepared transaction holds the mark across a restart",
          "[scenario][mysql][CUR-16]") {
  MariaDbServer server;
  server.start();
  server.sql(moves_table);
  Job job = follow(server, "prepared_moves", "at");
  {
    Session writer(server);
    writer.run("XA START 'held-over'");
    writer.run("INSERT INTO moves (id, v) VALUES (1, 1)");
    writer.run("XA END 'held-over'");
    writer.run("XA PREPARE 'held-over'");
  }
  server.sql("INSERT INTO moves (id, v) VALUES (2, 2)");
  job.must_run();
  server.restart();
  server.sql("INSERT INTO moves (id, v) VALUES (3, 3)");
  job.must_run();
  job.must_run();
  CHECK(shared_mariadb().sql("SELECT id FROM prepared_moves ORDER BY id") == "2\n3\n");
  const auto* mysql = &tidemark::connectors().front();
  for (const tidemark::ConnectorInfo& info : tidemark::connectors())
    if (info.type == "mysql") mysql = &info;
  const auto source = mysql->make(server.settings(), {})->open_source();
  const tidemark::Relation moves{.table = tidemark::TableName{"test", "moves"}};
  const auto token = source->horizon(moves, {"at", "at"}, tidemark::ProofKind::transactions);
  const auto waiting = source->settled(token);
  CHECK_FALSE(waiting.settled);
  REQUIRE_FALSE(waiting.blockers.empty());
  CHECK(waiting.blockers[0].kind == "prepared");
  CHECK(waiting.blockers[0].gid == "held-over");
  server.sql("XA COMMIT 'held-over'");
  arrives(job, server, "prepared_moves");
}

TEST_CASE("CUR-01 status names who holds the mark: session, user and age",
          "[scenario][mysql][CUR-01]") {
  MariaDbServer& server = shared_mariadb();
  server.sql("DROP TABLE IF EXISTS moves, held_moves; " + std::string(moves_table));
  Daemon daemon("connections:\n  from: " + yaml_of(server) + "\n  to: " + yaml_of(server) +
                    "\njobs:\n  held:\n    source: {connection: from, table: test.moves}\n"
                    "    target: {connection: to, table: test.held_moves}\n"
                    "    mode: incremental\n    cursor: {column: at}\n"
                    "    schedule: {every: 200ms}\n",
                {"SCENARIO_PASSWORD=tidemark"});
  daemon.start();
  daemon.wait_ready();
  Session writer(server);
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (id, v) VALUES (1, 1)");
  server.sql("INSERT INTO moves (id, v) VALUES (2, 2)");
  const TempDir folder;
  const std::string file = folder / "status";
  const auto status = [&] {
    std::ofstream(file, std::ios::trunc).close();
    ChildProcess asking({TIDEMARK_BINARY, "status", "held", "-c", daemon.config()},
                        {.output = file});
    asking.wait();
    return read_file(file);
  };
  const std::string blocker = "transaction " + writer.id() + " of root, ";
  std::string said;
  wait_until("status to name the writer, which grows older", [&] {
    said = status();
    const std::size_t at = said.find(blocker);
    return at != std::string::npos && said[at + blocker.size()] > '0' &&
           said[at + blocker.size()] <= '9';
  });
  INFO(said);
  CHECK(said.find("blocked since") != std::string::npos);
  // The row of the one that is not held up has arrived.
  CHECK(server.sql("SELECT id FROM held_moves") == "2\n");
  writer.run("COMMIT");
  wait_until("nobody to be named",
             [&] { return status().find("blocked by") == std::string::npos; });
  CHECK(daemon.stop() == 0);
}

TEST_CASE("CUR-21 a replica that lags gives its rows later, and a mark waits for them",
          "[scenario][mysql][CUR-21]") {
  MariaDbServer primary({"--server-id=1", "--log-bin", "--binlog-format=ROW"});
  MariaDbServer replica({"--server-id=2", "--read-only"});
  primary.start();
  replica.start();
  replica.sql("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = " +
              std::to_string(primary.port()) +
              ", MASTER_USER = 'tidemark', MASTER_PASSWORD = 'tidemark', MASTER_USE_GTID = "
              "slave_pos; SET GLOBAL gtid_slave_pos = '" +
              position_of(primary) + "'; START SLAVE");
  primary.sql(moves_table);
  primary.sql("INSERT INTO moves (v) VALUES (1)");
  const auto caught_up = [&] {
    const std::string position = position_of(primary) + "\n";
    wait_until("the replica to catch up",
               [&] { return replica.sql("SELECT @@gtid_slave_pos") == position; });
  };
  caught_up();
  Job alone = follow(replica, "replica_moves", "at");
  CHECK(alone.run() == 78);
  CHECK(alone.said("primary"));
  Job job = follow(replica, "replica_moves", "at", yaml_of(replica, "primary: primary"),
                   "  primary: " + yaml_of(primary) + "\n");
  arrives(job, replica, "replica_moves");
  // While it stands still the clock goes on, and the mark must not go with it.
  replica.sql("STOP SLAVE SQL_THREAD");
  primary.sql("INSERT INTO moves (v) VALUES (2), (3); UPDATE moves SET v = 10 WHERE id = 1");
  job.must_run();
  job.must_run();
  CHECK(shared_mariadb().sql("SELECT COUNT(*) FROM replica_moves") == "1\n");
  replica.sql("START SLAVE SQL_THREAD");
  caught_up();
  arrives(job, primary, "replica_moves");
}

TEST_CASE("CUR-26 ids go on after a crash", "[scenario][mysql][CUR-26]") {
  MariaDbServer server({"--innodb-flush-log-at-trx-commit=1"});
  server.start();
  server.sql(moves_table);
  server.sql("INSERT INTO moves (v) VALUES (1), (2), (3)");
  Job job = follow(server, "crashed_moves", "id");
  arrives(job, server, "crashed_moves");
  {
    Session writer(server);
    writer.run("START TRANSACTION");
    writer.run("INSERT INTO moves (v) VALUES (4), (5)");
    server.crash();
  }
  server.start();
  server.sql("INSERT INTO moves (v) VALUES (6)");
  arrives(job, server, "crashed_moves");
  server.sql("INSERT INTO moves (v) VALUES (7)");
  arrives(job, server, "crashed_moves");
}

TEST_CASE("CUR-35 a table that was emptied or restored gives its numbers again, and is read again",
          "[scenario][mysql][CUR-35]") {
  MariaDbServer& server = shared_mariadb();
  const std::string ids = "SELECT id, v FROM moves ORDER BY id";
  const std::string copied = "SELECT id, v FROM gone_back ORDER BY id";
  const auto fill = [&](const std::string& value, int rows) {
    server.sql("INSERT INTO moves (v) SELECT " + value + " FROM seq_1_to_" + std::to_string(rows));
  };
  server.sql("DROP TABLE IF EXISTS moves; " + std::string(moves_table));
  Job job = follow(server, "gone_back", "id");
  fill("1", 5);
  must_arrive(job, server, server, ids, copied);
  // The newest rows are deleted: the highest number falls, and nothing has gone back.
  server.sql("DELETE FROM moves WHERE id > 3; DELETE FROM gone_back WHERE id > 3");
  must_arrive(job, server, server, ids, copied);
  CHECK_FALSE(job.said("given out before"));
  const std::string how = GENERATE("TRUNCATE moves",
                                   // What mariadb-dump makes of an older backup.
                                   "CREATE TABLE old AS SELECT id, v FROM moves WHERE id < 2; DROP "
                                   "TABLE moves; ");
  CAPTURE(how);
  if (how.starts_with("TRUNCATE")) {
    server.sql(how);
    fill("2", 2);
  } else {
    server.sql("DROP TABLE IF EXISTS old; " + how + moves_table +
               " INSERT INTO moves (id, v) SELECT id, v FROM old; DROP TABLE old");
    fill("3", 1);
  }
  job.must_run();
  CHECK(job.said("gives out numbers that were given out before"));
  // What is not in the source any more stays: nobody told that it was deleted.
  server.sql("DELETE FROM gone_back WHERE id > 2");
  must_arrive(job, server, server, ids, copied);
  CHECK_FALSE(job.said("given out before"));
}

TEST_CASE("CUR-35 an append does not read again what it may have appended",
          "[scenario][mysql][CUR-35]") {
  MariaDbServer& server = shared_mariadb();
  server.sql("DROP TABLE IF EXISTS moves, gone_back_too; " + std::string(moves_table) +
             " INSERT INTO moves (v) VALUES (1), (2), (3)");
  Job job({.from = yaml_of(server),
           .to = yaml_of(server),
           .job = "    source: {connection: from, table: test.moves}\n"
                  "    target: {connection: to, table: test.gone_back_too, write: append}\n"
                  "    mode: incremental\n    cursor: {column: id}\n"});
  const std::string copied = "SELECT id, v FROM gone_back_too ORDER BY id";
  must_arrive(job, server, server, "SELECT id, v FROM moves ORDER BY id", copied);
  server.sql("TRUNCATE moves; INSERT INTO moves (v) VALUES (9)");
  CHECK(job.run() != 0);
  CHECK(job.said("gives out numbers that were given out before"));
  CHECK(job.said("tidemark resync"));
  CHECK(server.sql(copied) == "1\t1\n2\t2\n3\t3\n");
}
