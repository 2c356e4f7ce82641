// A replica: no proof by itself, one through its primary (docs/horizon.md).
#include <catch2/catch.hpp>

#include "core/error.h"
#include "on_server.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

std::string position_of(MariaDbServer& primary) {
  std::string position = primary.sql("SELECT @@gtid_binlog_pos");
  position.pop_back();
  return position;
}

}  // namespace

TEST_CASE("a replica settles what its primary has drained, once it has applied it",
          "[mysql][server][replica]") {
  MariaDbServer primary({"--server-id=1", "--log-bin", "--binlog-format=ROW"});
  MariaDbServer replica({"--server-id=2"});
  primary.start();
  replica.start();
  replica.sql("CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = " +
              std::to_string(primary.port()) +
              ", MASTER_USER = 'tidemark', MASTER_PASSWORD = 'tidemark', MASTER_USE_GTID = "
              "slave_pos; SET GLOBAL gtid_slave_pos = '" +
              position_of(primary) + "'");
  const auto applied = [&] {
    const std::string position = position_of(primary);
    wait_until("the replica to catch up",
               [&] { return replica.sql("SELECT @@gtid_slave_pos") == position + "\n"; });
  };
  replica.sql("START SLAVE");
  primary.sql(
      "CREATE TABLE moves (id INT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP(6) NOT NULL "
      "DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)); INSERT INTO moves (id) "
      "VALUES (1)");
  applied();
  const Relation moves{.table = TableName{"test", "moves"}};
  const CursorRef at{"at", "at"};

  const auto alone = connect_to(replica.settings())->open_source();
  const CursorEvidence evidence = alone->inspect(moves, at);
  CHECK(evidence.proof == ProofKind::lookback);
  REQUIRE_FALSE(evidence.obstacles.empty());
  CHECK(evidence.obstacles.front().find("primary") != std::string::npos);

  // A replica that is stopped will go on with old times later, and a login that may not ask about
  // replication sees as much.
  replica.sql("STOP SLAVE");
  CHECK(connect_to(replica.settings())->open_source()->inspect(moves, at).proof ==
        ProofKind::lookback);
  ConnectionSettings blind = replica.settings();
  blind.user = "blind";
  blind.password = Secret("p");
  replica.sql(
      "CREATE USER blind@'127.0.0.1' IDENTIFIED BY 'p'; GRANT SELECT, PROCESS ON *.* TO "
      "blind@'127.0.0.1'");
  const CursorEvidence unseen = connect_to(blind)->open_source()->inspect(moves, at);
  CHECK(unseen.proof == ProofKind::lookback);
  REQUIRE_FALSE(unseen.obstacles.empty());
  CHECK(unseen.obstacles.front().find("REPLICA MONITOR") != std::string::npos);
  replica.sql("START SLAVE");

  const auto source =
      connect_to(replica.settings(), {.primary = primary.settings()})->open_source();
  CHECK(source->inspect(moves, at).proof == ProofKind::transactions);
  const auto settled = [&](const HorizonToken& token) { return source->settled(token).settled; };
  wait_until("an idle pair to settle",
             [&] { return settled(source->horizon(moves, at, ProofKind::transactions)); });

  // What the replica has not applied yet is not settled, though nothing is open on the primary.
  replica.sql("STOP SLAVE SQL_THREAD");
  primary.sql("INSERT INTO moves (id) VALUES (2)");
  const HorizonToken token = source->horizon(moves, at, ProofKind::transactions);
  const Settlement waiting = source->settled(token);
  CHECK_FALSE(waiting.settled);
  CHECK_FALSE(waiting.lost);
  replica.sql("START SLAVE SQL_THREAD");
  wait_until("the token to settle", [&] { return settled(token); });
  CHECK(rows_of(*source, "moves", {"id"}).size() == 2);
}
