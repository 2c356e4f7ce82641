#include "support/servers.h"

#include <catch2/catch.hpp>

using namespace tidemark::test;

TEST_CASE("a PostgreSQL server starts, answers, crashes and comes back", "[support]") {
  PostgresServer server;
  server.start();
  server.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (7)");
  server.crash();
  CHECK_FALSE(server.running());
  server.start();
  CHECK(server.sql("SELECT id FROM t") == "7\n");
}

TEST_CASE("a MariaDB server starts, answers and restarts", "[support]") {
  MariaDbServer server;
  server.start();
  server.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (7)");
  server.restart();
  CHECK(server.sql("SELECT id FROM t") == "7\n");
}
