// Cursors over a MariaDB source (docs/scenarios.md, CUR): what a late commit, a tie or a key does.
#include <catch2/catch.hpp>
#include <utility>
#include <vector>

#include "integration/scenario_mysql.h"

using namespace tidemark::test;
using namespace tidemark::test::scenario;

namespace {

constexpr const char* all_moves = "SELECT id, v, at FROM moves ORDER BY id";

/// `moves` with a time that the server sets on every write, and a job that follows it to the copy
/// in another database of the same server.
void make_moves(MariaDbServer& server, const std::string& type = "TIMESTAMP(6)",
                const std::string& key = "id INT PRIMARY KEY") {
  const std::string now = "CURRENT_TIMESTAMP" + (type == "TIMESTAMP" ? "" : type.substr(9));
  server.sql(
      "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy CHARACTER SET utf8mb4; DROP TABLE "
      "IF EXISTS moves; CREATE TABLE moves (" +
      key + ", v INT, at " + type + " NOT NULL DEFAULT " + now + " ON UPDATE " + now +
      ", KEY (at))");
}

Job follow(MariaDbServer& server, const std::string& more = "", const std::string& cursor = "at") {
  return Job({.from = yaml_of(server),
              .to = yaml_of(server),
              .job = "    source: {connection: from, table: test.moves}\n"
                     "    target: {connection: to, table: copy.moves}\n"
                     "    mode: incremental\n    cursor: {column: " +
                     cursor + "}\n" + more});
}

std::string copied(const std::string& select = "id, v, at") {
  return "SELECT " + select + " FROM copy.moves ORDER BY id";
}

void arrives(Job& job, MariaDbServer& server) {
  must_arrive(job, server, server, all_moves, copied());
}

/// The copy refuses one row, as a crash in the middle of a pass would: batches before it have
/// arrived, and the next run goes on behind them.
void refuse_at(MariaDbServer& server, const std::string& condition,
               const std::string& event = "INSERT") {
  Session(server).run("CREATE OR REPLACE TRIGGER copy.refuse BEFORE " + event +
                      " ON copy.moves FOR EACH ROW IF " + condition +
                      " THEN SIGNAL SQLSTATE '45000'; END IF");
}

void let_through(MariaDbServer& server) {
  server.sql("DROP TRIGGER copy.refuse");
}

}  // namespace

TEST_CASE("CUR-01 a transaction that was open over a poll arrives", "[scenario][mysql][CUR-01]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  Job job = follow(server);
  Session writer(server);
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (id, v) VALUES (1, 1)");
  server.sql("INSERT INTO moves (id, v) VALUES (2, 2)");
  job.must_run();
  CHECK(server.sql(copied("id")) == "2\n");
  writer.run("COMMIT");
  arrives(job, server);
}

TEST_CASE("CUR-02 CUR-03 a low id that commits after a higher one was read arrives, and once",
          "[scenario][mysql][CUR-02][CUR-03]") {
  MariaDbServer& server = shared_mariadb();
  server.sql(
      "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy; DROP TABLE IF EXISTS events; CREATE "
      "TABLE events (id BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20))");
  Job job({.from = yaml_of(server),
           .to = yaml_of(server),
           .job = "    source: {connection: from, table: test.events}\n"
                  "    target: {connection: to, table: copy.events, write: append}\n"
                  "    mode: incremental\n    cursor: {column: id}\n"});
  Session early(server);
  Session gap(server);
  early.run("START TRANSACTION");
  early.run("INSERT INTO events (what) VALUES ('early')");
  gap.run("START TRANSACTION");
  gap.run("INSERT INTO events (what) VALUES ('undone')");
  server.sql("INSERT INTO events (what) VALUES ('late')");
  // An append reads only what is settled: nothing may pass the open one.
  job.must_run();
  job.must_run();
  CHECK(server.sql("SELECT COUNT(*) FROM copy.events") == "0\n");
  gap.run("ROLLBACK");
  early.run("COMMIT");
  server.sql("INSERT INTO events (what) VALUES ('later')");
  must_arrive(job, server, server, "SELECT id, what FROM events ORDER BY id",
              "SELECT id, what FROM copy.events ORDER BY id");
}

TEST_CASE("CUR-25 the gap of a transaction that was undone stalls nothing",
          "[scenario][mysql][CUR-25]") {
  MariaDbServer& server = shared_mariadb();
  server.sql(
      "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy; DROP TABLE IF EXISTS events; CREATE "
      "TABLE events (id BIGINT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20)); INSERT INTO "
      "events (what) VALUES ('a'); START TRANSACTION; INSERT INTO events (what) VALUES ('b'), "
      "('c'); ROLLBACK; INSERT INTO events (what) VALUES ('d')");
  Job job({.from = yaml_of(server),
           .to = yaml_of(shared_postgres()),
           .job = "    source: {connection: from, table: test.events}\n"
                  "    target: {connection: to, table: public.gaps, write: append}\n"
                  "    mode: incremental\n    cursor: {column: id}\n"});
  shared_postgres().sql("DROP TABLE IF EXISTS gaps");
  must_arrive(job, server, shared_postgres(), "SELECT id, what FROM events ORDER BY id",
              "SELECT id, what FROM gaps ORDER BY id");
  server.sql("INSERT INTO events (what) VALUES ('e')");
  must_arrive(job, server, shared_postgres(), "SELECT id, what FROM events ORDER BY id",
              "SELECT id, what FROM gaps ORDER BY id");
}

TEST_CASE("CUR-04 rows that share a tick survive a stop in the middle of it",
          "[scenario][mysql][CUR-04]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  server.sql("INSERT INTO moves (id, v) SELECT seq, seq FROM seq_1_to_50");
  Job small = follow(server, "    batch: {rows: 7}\n");
  small.must_run();
  server.sql("UPDATE moves SET v = v + 100");
  refuse_at(server, "NEW.id = 30", "UPDATE");
  CHECK(small.run() == 1);
  let_through(server);
  arrives(small, server);
}

TEST_CASE("CUR-05 a row of the tick that was read last arrives", "[scenario][mysql][CUR-05]") {
  MariaDbServer& server = shared_mariadb();
  for (const char* type : {"TIMESTAMP", "TIMESTAMP(3)"}) {
    CAPTURE(type);
    make_moves(server, type);
    Job job = follow(server);
    // Three rows of one tick, which lies a little ahead so that no mark passes it in between.
    for (const char* id : {"1", "2", "3"}) {
      static std::string tick;
      if (std::string(id) == "1") {
        tick = server.sql("SELECT UNIX_TIMESTAMP() + 3600");
        tick.pop_back();
      }
      server.sql("SET timestamp = " + tick + "; INSERT INTO moves (id, v) VALUES (" +
                 std::string(id) + ", 1)");
      job.must_run();
      CHECK(server.sql(copied("id")) == server.sql("SELECT id FROM moves ORDER BY id"));
    }
  }
}

TEST_CASE("CUR-06 a millionth of a second apart is apart", "[scenario][mysql][CUR-06]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  Job job = follow(server);
  std::string second = server.sql("SELECT UNIX_TIMESTAMP() - 60");
  second.pop_back();
  for (int micro = 1; micro < 6; ++micro) {
    server.sql("SET timestamp = " + second + ".00000" + std::to_string(micro * 2 - 1) +
               "; INSERT INTO moves (id, v) VALUES (" + std::to_string(micro) + ", 1)");
  }
  arrives(job, server);
  CHECK(server.sql("SELECT COUNT(DISTINCT at) FROM copy.moves") == "5\n");
}

TEST_CASE("CUR-07 a row gets its cursor later than its row", "[scenario][mysql][CUR-07]") {
  MariaDbServer& server = shared_mariadb();
  server.sql(
      "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy; DROP TABLE IF EXISTS moves; CREATE "
      "TABLE moves (id INT PRIMARY KEY, v INT, at TIMESTAMP(6) NULL DEFAULT "
      "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)); INSERT INTO moves (id, v) VALUES "
      "(1, 1); INSERT INTO moves VALUES (2, 2, NULL)");
  Job stops = follow(server);
  CHECK(stops.run() != 0);
  server.sql("DROP DATABASE copy; CREATE DATABASE copy");
  Job ignores = follow(server, "", "at, nulls: ignore");
  ignores.must_run();
  CHECK(server.sql(copied("id")) == "1\n");
  server.sql("UPDATE moves SET v = 3 WHERE id = 2");
  arrives(ignores, server);
  server.sql("DROP DATABASE copy; CREATE DATABASE copy; INSERT INTO moves VALUES (3, 3, NULL)");
  Job scans = follow(server, "", "at, nulls: scan");
  scans.must_run();
  CHECK(server.sql(copied("id")) == "1\n2\n3\n");
}

TEST_CASE("CUR-09 CUR-10 CUR-24 CUR-32 columns that can't be followed exactly are refused",
          "[scenario][mysql][CUR-09][CUR-10][CUR-24][CUR-32]") {
  MariaDbServer& server = shared_mariadb();
  server.sql(
      "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy; DROP TABLE IF EXISTS moves; DROP "
      "SEQUENCE IF EXISTS ids; CREATE SEQUENCE ids CACHE 20; CREATE TABLE moves (id INT "
      "PRIMARY KEY, local DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE "
      "CURRENT_TIMESTAMP, cached BIGINT NOT NULL DEFAULT NEXT VALUE FOR ids, version INT NOT "
      "NULL DEFAULT 1); INSERT INTO moves (id) VALUES (1)");
  for (const std::string column : {"local", "cached", "version"}) {
    CAPTURE(column);
    Job exact = follow(server, "", column);
    CHECK(exact.check() != 0);
    CHECK(exact.said("can't be followed exactly"));
    CHECK(exact.run() == 78);
  }
  Job vouched = follow(server, "", "local, assume: [single_timezone]");
  vouched.must_run();
  Job lookback = follow(server, "", "local, safety: lookback");
  CHECK(lookback.check() == 0);
  CHECK(lookback.said("lookback"));
}

TEST_CASE(
    "CUR-09 local times of a zone with summer time are not followed exactly, vouched for or not",
    "[scenario][mysql][CUR-09]") {
  MariaDbServer& server = shared_mariadb();
  server.sql(
      "DROP DATABASE IF EXISTS copy; CREATE DATABASE copy; DROP TABLE IF EXISTS moves; CREATE "
      "TABLE moves (id INT PRIMARY KEY, local DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP ON "
      "UPDATE CURRENT_TIMESTAMP)");
  const auto follow_in = [&](const std::string& zone, const std::string& cursor) {
    std::string from = yaml_of(server);
    from.insert(from.rfind('}'), ", timezone: '" + zone + "'");
    return Job({.from = from,
                .to = yaml_of(server),
                .job = "    source: {connection: from, table: test.moves}\n"
                       "    target: {connection: to, table: copy.moves}\n"
                       "    mode: incremental\n    cursor: {column: local, " +
                       cursor + "}\n"});
  };
  Job vouched = follow_in("Europe/Berlin", "assume: [single_timezone]");
  CHECK(vouched.check() != 0);
  CHECK(vouched.said("local times of Europe/Berlin step back by 1h"));
  Job steady = follow_in("Asia/Shanghai", "assume: [single_timezone]");
  CHECK(steady.check() == 0);
  Job near = follow_in("Europe/Berlin", "safety: lookback, lookback: 15m");
  CHECK(near.check() == 0);
  CHECK(near.said("Look back further than that"));
  Job far = follow_in("Europe/Berlin", "safety: lookback, lookback: 90m");
  CHECK(far.check() == 0);
  CHECK_FALSE(far.said("Look back further than that"));
}

TEST_CASE("CUR-11 a row written under an old time is found, and the promise called broken",
          "[scenario][mysql][CUR-11]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  server.sql("INSERT INTO moves (id, v) VALUES (1, 1)");
  Job job = follow(server, "", "at, lookback: 10m");
  job.must_run();
  server.sql("SET timestamp = UNIX_TIMESTAMP() - 300; INSERT INTO moves (id, v) VALUES (2, 2)");
  job.must_run();
  CHECK(server.sql(copied("id")) == "1\n2\n");
  INFO(job.output());
  CHECK(job.said("came behind the settled mark"));
}

TEST_CASE("CUR-12 a statement that waited for a metadata lock keeps its old time, and arrives",
          "[scenario][mysql][CUR-12]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  Job job = follow(server);
  job.must_run();
  Session locker(server);
  Session writer(server);
  locker.run("LOCK TABLES moves WRITE");
  writer.run("START TRANSACTION");
  writer.start("INSERT INTO moves (id, v) VALUES (1, 1)");
  wait_until("the insert to wait for its lock", [&] {
    return server.sql("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = " +
                      writer.id() + " AND STATE LIKE 'Waiting%'") == "1\n";
  });
  // A later time for what another session writes as soon as the table is free.
  server.sql("SELECT SLEEP(0.05)");
  locker.run("INSERT INTO moves (id, v) VALUES (2, 2)");
  locker.run("UNLOCK TABLES");
  writer.finish();
  job.must_run();
  CHECK(server.sql(copied("id")) == "2\n");
  writer.run("COMMIT");
  CHECK(server.sql("SELECT a.at < b.at FROM moves a, moves b WHERE a.id = 1 AND b.id = 2") ==
        "1\n");
  arrives(job, server);
}

TEST_CASE("CUR-13 a monitor that freezes the view holds the mark and loses nothing",
          "[scenario][mysql][CUR-13]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  Job job = follow(server);
  job.must_run();
  Session writer(server);
  writer.run("START TRANSACTION");
  writer.run("INSERT INTO moves (id, v) VALUES (1, 1)");
  {
    Session monitor(server);
    monitor.start(
        "BEGIN NOT ATOMIC DECLARE n INT DEFAULT 0; WHILE n < 200 DO SELECT COUNT(*) INTO "
        "@open FROM information_schema.INNODB_TRX; SET n = n + 1; DO SLEEP(0.01); END "
        "WHILE; END");
    server.sql("INSERT INTO moves (id, v) VALUES (2, 2)");
    job.must_run();
    CHECK(server.sql(copied("id")) == "2\n");
    writer.run("COMMIT");
    monitor.finish();
  }
  arrives(job, server);
}

TEST_CASE("CUR-14 without PROCESS nothing is called exact", "[scenario][mysql][CUR-14]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  server.sql(
      "DROP USER IF EXISTS blind@'127.0.0.1'; CREATE USER blind@'127.0.0.1' IDENTIFIED BY "
      "'tidemark'; GRANT SELECT ON test.* TO blind@'127.0.0.1'; INSERT INTO moves (id) VALUES "
      "(1)");
  const auto job = [&](const std::string& cursor) {
    return Job({.from = yaml_of(server, "", "blind"),
                .to = yaml_of(server),
                .job = "    source: {connection: from, table: test.moves}\n"
                       "    target: {connection: to, table: copy.moves}\n"
                       "    mode: incremental\n    cursor: {" +
                       cursor + "}\n"});
  };
  Job exact = job("column: at");
  CHECK(exact.run() == 78);
  CHECK(exact.said("GRANT PROCESS"));
  Job lookback = job("column: at, safety: lookback");
  CHECK(lookback.check() == 0);
  CHECK(lookback.said("lookback 15m"));
  arrives(lookback, server);
}

TEST_CASE("CUR-27 a row that moves forward, and a key that changes, between two pages",
          "[scenario][mysql][CUR-27]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  Job job = follow(server, "    batch: {rows: 2}\n");
  job.must_run();
  refuse_at(server, "NEW.id = 6");
  server.sql("INSERT INTO moves (id, v) SELECT seq, seq FROM seq_1_to_10");
  CHECK(job.run() == 1);
  server.sql(
      "UPDATE moves SET v = 20 WHERE id = 2; UPDATE moves SET v = 90 WHERE id = 9; UPDATE "
      "moves SET id = 80 WHERE id = 8");
  let_through(server);
  arrives(job, server);
}

TEST_CASE("CUR-28 a composite key whose first part repeats over a page's edge",
          "[scenario][mysql][CUR-28]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server, "TIMESTAMP(6)", "id INT, part INT, PRIMARY KEY (id, part)");
  Job job = follow(server, "    batch: {rows: 3}\n");
  job.must_run();
  refuse_at(server, "NEW.id = 2 AND NEW.part = 3");
  server.sql("INSERT INTO moves (id, part, v) SELECT 1 + seq DIV 7, seq % 7, seq FROM seq_0_to_20");
  CHECK(job.run() == 1);
  let_through(server);
  must_arrive(job, server, server, "SELECT id, part, v FROM moves ORDER BY id, part",
              "SELECT id, part, v FROM copy.moves ORDER BY id, part");
}

TEST_CASE("CUR-29 pages over keys under collations that ignore case, accents and blanks",
          "[scenario][mysql][CUR-29]") {
  MariaDbServer& server = shared_mariadb();
  const std::vector<std::pair<std::string, std::string>> cases{{"utf8mb4_general_ci", "ä"},
                                                               {"utf8mb4_unicode_ci", "e f"},
                                                               {"utf8mb4_bin", "Zz"},
                                                               {"latin1_german2_ci", "B"}};
  for (const auto& [collation, stop] : cases) {
    CAPTURE(collation, stop);
    make_moves(server, "TIMESTAMP(6)",
               "id VARCHAR(20) CHARACTER SET " + collation.substr(0, collation.find('_')) +
                   " COLLATE " + collation + " PRIMARY KEY");
    Job job = follow(server, "    batch: {rows: 1}\n");
    job.must_run();
    refuse_at(server, "BINARY NEW.id = '" + stop + "'");
    server.sql(
        "INSERT INTO moves (id) VALUES ('B'), ('a1'), ('ä'), ('Zz'), ('e f'), ('e'), "
        "('ef'), ('_'), ('ö'), ('z'), (''), ('0')");
    CHECK(job.run() == 1);
    let_through(server);
    must_arrive(job, server, server, "SELECT HEX(CONVERT(id USING utf8mb4)) FROM moves ORDER BY 1",
                "SELECT HEX(id) FROM copy.moves ORDER BY 1");
  }
}

TEST_CASE("CUR-31 rows that a partition brings are found behind the mark",
          "[scenario][mysql][CUR-31]") {
  MariaDbServer& server = shared_mariadb();
  make_moves(server);
  server.sql(
      "ALTER TABLE moves PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (100), "
      "PARTITION high VALUES LESS THAN MAXVALUE); INSERT INTO moves (id, v) VALUES (200, 1); "
      "DROP TABLE IF EXISTS moves_before; CREATE TABLE moves_before LIKE moves; ALTER TABLE "
      "moves_before REMOVE PARTITIONING; SET timestamp = UNIX_TIMESTAMP() - 300; INSERT INTO "
      "moves_before (id, v) VALUES (1, 1), (2, 2)");
  Job job = follow(server, "", "at, lookback: 10m");
  job.must_run();
  CHECK(server.sql(copied("id")) == "200\n");
  server.sql("ALTER TABLE moves EXCHANGE PARTITION low WITH TABLE moves_before");
  job.must_run();
  CHECK(server.sql(copied("id")) == "1\n2\n200\n");
  INFO(job.output());
  CHECK(job.said("came behind the settled mark"));
}
