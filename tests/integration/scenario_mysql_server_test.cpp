// A MariaDB source that restarts, crashes, or is a replica (correctness: E, CUR-16, 21, 26, 35).
#include <catch2/catch.hpp>

#include "core/connector.h"
#include "integration/scenario_mysql.h"

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
