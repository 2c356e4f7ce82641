// A MariaDB target with traps (docs/scenarios.md, TGT), and every type in both modes (TYP).
#include <catch2/catch.hpp>
#include <thread>

#include "integration/scenario_mysql.h"

using namespace tidemark::test;
using namespace tidemark::test::scenario;

namespace {

struct Copying {
  std::string table;
  std::string copy;
  std::string mode = "full";
  std::string more = {};
  std::string init = {};
};

/// From the shared MariaDB server's `test` to its `copy`, or to PostgreSQL.
Job copying(const Copying& what, Server* target = nullptr) {
  const bool incremental = what.mode == "incremental";
  const auto* postgres = dynamic_cast<PostgresServer*>(target);
  return Job({.from = yaml_of(shared_mariadb()),
              .to = postgres != nullptr ? yaml_of(*postgres) : yaml_of(shared_mariadb(), what.init),
              .job = "    source: {connection: from, table: test." + what.table +
                     "}\n    target: {connection: to, table: " +
                     (postgres != nullptr ? "public." : "copy.") + what.copy +
                     "}\n    mode: " + what.mode + "\n" +
                     (incremental ? "    cursor: {column: at}\n" : "") + what.more});
}

MariaDbServer& fresh() {
  MariaDbServer& server = shared_mariadb();
  server.sql("DROP DATABASE IF EXISTS copy; CREATE DATABASE copy CHARACTER SET utf8mb4");
  return server;
}

constexpr const char* touched =
    "at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)";

}  // namespace

TEST_CASE("TGT-01 TGT-02 unique values move between rows, in both modes",
          "[scenario][mysql][TGT-01][TGT-02]") {
  MariaDbServer& server = fresh();
  for (const std::string mode : {"full", "incremental"}) {
    CAPTURE(mode);
    server.sql(
        "DROP TABLE IF EXISTS codes, copy.codes; CREATE TABLE codes (id INT PRIMARY KEY, code "
        "VARCHAR(9) NOT NULL, " +
        std::string(touched) +
        "); INSERT INTO codes (id, code) VALUES (1, 'a'), (2, 'b'), (3, 'c'); CREATE TABLE "
        "copy.codes (id INT PRIMARY KEY, code VARCHAR(9) NOT NULL UNIQUE, at TIMESTAMP(6) "
        "NULL)");
    Job job = copying({.table = "codes", .copy = "codes", .mode = mode});
    const auto same = [&] {
      must_arrive(job, server, server, "SELECT id, code FROM codes ORDER BY id",
                  "SELECT id, code FROM copy.codes ORDER BY id");
    };
    same();
    server.sql("UPDATE codes SET code = ELT(id, 'b', 'c', 'a')");
    same();
    // Somebody else's row is in the way: it stays, and the error names the place.
    server.sql(
        "INSERT INTO copy.codes (id, code) VALUES (77, 'own'); INSERT INTO codes (id, code) "
        "VALUES (4, 'own')");
    if (mode == "full") continue;
    CHECK(job.run() == 1);
    CHECK(job.said("copy.codes"));
    CHECK_FALSE(job.said("'own'"));
    CHECK(server.sql("SELECT id FROM copy.codes WHERE code = 'own'") == "77\n");
  }
}

TEST_CASE("TGT-03 children before parents, to themselves and in a circle, in both modes",
          "[scenario][mysql][TGT-03]") {
  MariaDbServer& server = fresh();
  const std::string mode = GENERATE("full", "incremental");
  CAPTURE(mode);
  server.sql(
      "DROP TABLE IF EXISTS staff; CREATE TABLE staff (id INT PRIMARY KEY, boss INT, " +
      std::string(touched) +
      "); INSERT INTO staff (id, boss) VALUES (1, 3), (2, 1), (3, 2), (4, 5), (5, NULL), (6, 6); "
      "CREATE TABLE copy.staff (id INT PRIMARY KEY, boss INT, at TIMESTAMP(6) NULL, FOREIGN KEY "
      "(boss) REFERENCES copy.staff (id))");
  Job job = copying({.table = "staff", .copy = "staff", .mode = mode});
  const auto same = [&] {
    must_arrive(job, server, server, "SELECT id, boss FROM staff ORDER BY id",
                "SELECT id, boss FROM copy.staff ORDER BY id");
  };
  same();
  // A row that is there comes to refer to one that is not, and the circle turns.
  server.sql(
      "INSERT INTO staff (id, boss) VALUES (8, 9), (9, 8); UPDATE staff SET boss = ELT(id, 2, 3, "
      "1, "
      "8) WHERE id < 5");
  same();
  if (mode == "full") {
    server.sql("DELETE FROM staff WHERE id IN (1, 2, 3)");
    same();
  }
  // A parent that never comes is an error of data, and nothing of the batch is written.
  server.sql("INSERT INTO staff (id, boss) VALUES (20, 21), (21, 20), (22, 99)");
  CHECK(job.run() != 0);
  CHECK(job.said("a parent row is missing"));
  CHECK(server.sql("SELECT COUNT(*) FROM copy.staff WHERE id >= 20") == "0\n");
  CHECK(
      server.sql("SELECT COUNT(*) FROM copy.staff AS c LEFT JOIN copy.staff AS p ON p.id = c.boss "
                 "WHERE c.boss IS NOT NULL AND p.id IS NULL") == "0\n");
  server.sql("INSERT INTO staff (id, boss) VALUES (99, NULL)");
  same();
}

TEST_CASE("TGT-08 a lock that is not granted in time is tried again", "[scenario][mysql][TGT-08]") {
  MariaDbServer& server = fresh();
  server.sql(
      "DROP TABLE IF EXISTS codes; CREATE TABLE codes (id INT PRIMARY KEY, code VARCHAR(9), " +
      std::string(touched) + "); INSERT INTO codes (id, code) VALUES (1, 'a'), (2, 'b')");
  Job job = copying({.table = "codes",
                     .copy = "codes",
                     .mode = "incremental",
                     .init = "init_sql: [SET SESSION innodb_lock_wait_timeout = 1]"});
  job.must_run();
  server.sql("UPDATE codes SET code = 'c'");
  Session other(server);
  other.run("START TRANSACTION");
  other.run("SELECT * FROM copy.codes WHERE id = 1 FOR UPDATE");
  const std::string waits = server.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'");
  std::thread release([&] {
    wait_until("the job to wait for the lock, be refused and wait again", [&] {
      const std::string now = server.sql("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_waits'");
      return std::stol(now.substr(now.find('\t'))) > std::stol(waits.substr(waits.find('\t'))) + 1;
    });
    other.run("ROLLBACK");
  });
  const int status = job.run();
  release.join();
  INFO(job.output());
  CHECK(status == 0);
  CHECK(server.sql("SELECT GROUP_CONCAT(code) FROM copy.codes") == "c,c\n");
}

TEST_CASE("TGT-08 a deadlock is tried again, and both sides end equal",
          "[scenario][mysql][TGT-08]") {
  MariaDbServer& server = fresh();
  const auto figure = [&](const std::string& name) {
    const std::string line = server.sql("SHOW GLOBAL STATUS LIKE '" + name + "'");
    return std::stol(line.substr(line.find('\t')));
  };
  server.sql(
      "DROP TABLE IF EXISTS codes; CREATE TABLE codes (id INT PRIMARY KEY, code VARCHAR(9), " +
      std::string(touched) +
      "); INSERT INTO codes (id, code) VALUES (1, 'a'), (2, 'b'); CREATE TABLE copy.heavy (id INT "
      "PRIMARY KEY)");
  Job job = copying({.table = "codes", .copy = "codes", .mode = "incremental"});
  job.must_run();
  server.sql("UPDATE codes SET code = 'c'");
  const long before = figure("Innodb_deadlocks");
  Session other(server);
  other.run("START TRANSACTION");
  // The server ends the transaction that has changed less: the job's.
  other.run("INSERT INTO copy.heavy SELECT seq FROM seq_1_to_1000");
  other.run("UPDATE copy.codes SET code = 'x' WHERE id = 2");
  int status = -1;
  std::thread running([&] { status = job.run(); });
  // It writes row 1 and then waits for row 2, which closes the circle.
  wait_until("the job to wait for row 2",
             [&] { return figure("Innodb_row_lock_current_waits") > 0; });
  other.run("UPDATE copy.codes SET code = 'y' WHERE id = 1");
  other.run("COMMIT");
  running.join();
  INFO(job.output());
  CHECK(status == 0);
  CHECK(figure("Innodb_deadlocks") == before + 1);
  CHECK(server.sql("SHOW ENGINE INNODB STATUS").find("LATEST DETECTED DEADLOCK") !=
        std::string::npos);
  CHECK(server.sql("SELECT GROUP_CONCAT(code) FROM copy.codes") == "c,c\n");
}

TEST_CASE("TGT-09 a table without transactions is refused before anything is written",
          "[scenario][mysql][TGT-09]") {
  MariaDbServer& server = fresh();
  server.sql(
      "DROP TABLE IF EXISTS codes; CREATE TABLE codes (id INT PRIMARY KEY); INSERT INTO codes "
      "VALUES (1); CREATE TABLE copy.codes (id INT PRIMARY KEY) ENGINE=MyISAM");
  Job job = copying({.table = "codes", .copy = "codes"});
  CHECK(job.run() == 78);
  CHECK(job.said("MyISAM"));
  CHECK(job.said("InnoDB"));
  CHECK(server.sql("SELECT COUNT(*) FROM copy.codes") == "0\n");
}

TEST_CASE("TYP-02 TYP-03 TYP-05 TYP-06 TYP-07 TYP-08 TYP-10 TYP-11 TYP-12 every type, both modes",
          "[scenario][mysql][TYP-02][TYP-03][TYP-05][TYP-06][TYP-07][TYP-08][TYP-10][TYP-11]") {
  MariaDbServer& server = fresh();
  server.sql(
      "SET time_zone = '+00:00'; DROP TABLE IF EXISTS kinds; CREATE TABLE kinds (id INT PRIMARY "
      "KEY, "
      "y YEAR, t TIME(6), u BIGINT UNSIGNED, f FLOAT, d DOUBLE, n DECIMAL(65,30), b1 BIT(1), b64 "
      "BIT(64), e ENUM('a','b','it''s'), s SET('x','y','z'), j JSON, g GEOMETRY, uu UUID, i4 "
      "INET4, "
      "i6 INET6, bi BINARY(4), c CHAR(5), v VARCHAR(9) CHARACTER SET latin1, " +
      std::string(touched) +
      "); INSERT INTO kinds (id) VALUES (0); INSERT INTO kinds VALUES (1, 0, '-838:59:59.000001', "
      "18446744073709551615, 16777217, 5e-324, "
      "-99999999999999999999999999999999999.999999999999999999999999999999, b'1', ~0, 'it''s', "
      "'x,z', '{\"b\": 1, \"a\": 1e400, \"b\": \"\\\\u0001\"}', ST_GeomFromText('POINT(1 2)', "
      "4326), "
      "'00000000-0000-0000-0000-00000000ff00', '10.0.0.1', '2001:db8::1', X'0100', 'ab ', 'Käse', "
      "DEFAULT), (2, 2155, '838:59:59.999999', 0, -1.5, 0.1, 1e-30, b'0', 1, 1, '', '[]', "
      "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2))'), NULL, NULL, '::', '', '', '', DEFAULT)");
  for (const std::string mode : {"full", "incremental"}) {
    CAPTURE(mode);
    server.sql("DROP TABLE IF EXISTS copy.kinds");
    Job job = copying({.table = "kinds", .copy = "kinds", .mode = mode});
    job.must_run();
    std::string differs;
    for (const std::string column :
         {"t", "u", "n", "b1", "b64", "e", "s", "j", "g", "uu", "i4", "i6", "bi", "c", "at"})
      differs += (differs.empty() ? "" : " OR ") + ("NOT (BINARY a." + column) + " <=> BINARY b." +
                 column + ")";
    CHECK(server.sql(
              "SET time_zone = '+00:00'; SELECT COUNT(*) FROM kinds a LEFT JOIN copy.kinds b "
              "ON a.id = b.id WHERE b.id IS NULL OR NOT (a.f <=> b.f) OR NOT (a.d <=> b.d) OR "
              "NOT (a.y <=> b.y) OR NOT (BINARY CONVERT(a.v USING utf8mb4) <=> BINARY b.v) OR " +
              differs) == "0\n");
    CHECK(
        server.sql("SELECT GROUP_CONCAT(CONCAT(COLUMN_NAME, ' ', COLUMN_TYPE) SEPARATOR ';') FROM "
                   "information_schema.COLUMNS WHERE TABLE_SCHEMA = 'copy' AND TABLE_NAME = "
                   "'kinds' AND COLUMN_NAME IN ('b64', 'e', 'g', 'i6')") ==
        "b64 bit(64);e enum('a','b','it''s');g geometry;i6 inet6\n");
    // And nothing is written again.
    job.must_run();
  }
}

TEST_CASE("TYP-01 zero dates stop a job by name, and are carried as texts both ways",
          "[scenario][mysql][TYP-01]") {
  MariaDbServer& server = fresh();
  server.sql(
      "SET sql_mode = ''; DROP TABLE IF EXISTS days; CREATE TABLE days (id INT PRIMARY KEY, d "
      "DATE, t DATETIME(3), " +
      std::string(touched) +
      "); INSERT INTO days (id, d, t) VALUES (1, '2024-01-02', '2024-01-02 03:04:05.006'), (2, "
      "'0000-00-00', '0000-00-00'), (3, '2024-00-00', '2024-05-00 00:00:01')");
  const std::string wanted =
      "1\t2024-01-02\t2024-01-02 03:04:05.006\n2\t0000-00-00\t0000-00-00 00:00:00.000\n"
      "3\t2024-00-00\t2024-05-00 00:00:01.000\n";
  for (const std::string mode : {"full", "incremental"}) {
    CAPTURE(mode);
    server.sql("DROP TABLE IF EXISTS copy.days");
    Job plain = copying({.table = "days", .copy = "days", .mode = mode});
    CHECK(plain.run() == 1);
    CHECK(plain.said("column d"));
    CHECK(plain.said("type: text"));
    server.sql("DROP TABLE IF EXISTS copy.days");
    Job native = copying({.table = "days",
                          .copy = "days",
                          .mode = mode,
                          .more = "    columns:\n      d: {type: 'mysql:date'}\n      t: {type: "
                                  "'mysql:datetime(3)'}\n"});
    native.must_run();
    CHECK(server.sql("SELECT id, d, t FROM copy.days ORDER BY id") == wanted);
    CHECK(server.sql("SELECT DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'copy' "
                     "AND COLUMN_NAME = 'd'") == "date\n");
    shared_postgres().sql("DROP TABLE IF EXISTS days");
    Job text = copying({.table = "days",
                        .copy = "days",
                        .mode = mode,
                        .more = "    types: {'mysql:DATE': text, 'mysql:datetime(3)': text}\n"},
                       &shared_postgres());
    text.must_run();
    CHECK(shared_postgres().sql("SELECT id, d, t FROM days ORDER BY id") == wanted);
  }
}

TEST_CASE("TYP-09 texts that a side can't hold are located, and no byte of them is told",
          "[scenario][mysql][TYP-09]") {
  MariaDbServer& server = fresh();
  server.sql(
      "DROP TABLE IF EXISTS words; CREATE TABLE words (id INT PRIMARY KEY, w VARCHAR(20) "
      "CHARACTER SET utf8mb4, " +
      std::string(touched) + "); INSERT INTO words (id, w) VALUES (1, 'geheim\\0')");
  shared_postgres().sql("DROP TABLE IF EXISTS words");
  Job nul = copying({.table = "words", .copy = "words", .mode = "incremental"}, &shared_postgres());
  CHECK(nul.run() == 1);
  CHECK(nul.said("column w"));
  CHECK_FALSE(nul.said("geheim"));
  Job same = copying({.table = "words", .copy = "words", .mode = "incremental"});
  must_arrive(same, server, server, "SELECT id, HEX(w) FROM words ORDER BY id",
              "SELECT id, HEX(w) FROM copy.words ORDER BY id");
  // Four bytes do not fit utf8mb3.
  server.sql(
      "UPDATE words SET w = 'geheim🐔'; DROP TABLE copy.words; CREATE TABLE copy.words (id INT "
      "PRIMARY KEY, w VARCHAR(20) CHARACTER SET utf8mb3, at TIMESTAMP(6) NULL)");
  Job narrow = copying({.table = "words", .copy = "words"});
  CHECK(narrow.run() == 1);
  CHECK(narrow.said("column w"));
  CHECK_FALSE(narrow.said("geheim"));
}

TEST_CASE("TYP-13 a TIMESTAMP is one moment in every zone, also when the clock is put back",
          "[scenario][mysql][TYP-13]") {
  MariaDbServer& server = fresh();
  server.sql(
      "SET time_zone = '+00:00'; DROP TABLE IF EXISTS moments; CREATE TABLE moments (id INT "
      "PRIMARY KEY, m TIMESTAMP NULL, " +
      std::string(touched) +
      "); INSERT INTO moments (id, m) VALUES (1, '2024-10-27 00:30:00'), (2, '2024-10-27 "
      "01:30:00'), (3, '2038-01-19 03:14:07'); SET GLOBAL time_zone = '+08:00'");
  shared_postgres().sql("DROP TABLE IF EXISTS moments");
  Job there = copying({.table = "moments", .copy = "moments", .mode = "incremental"});
  Job away = copying({.table = "moments", .copy = "moments"}, &shared_postgres());
  const int first = there.run();
  const int second = away.run();
  server.sql("SET GLOBAL time_zone = 'SYSTEM'");
  CHECK(first == 0);
  CHECK(second == 0);
  const std::string wanted = "1729989000\n1729992600\n2147483647\n";
  // The copy's column is a DATETIME in UTC: it does not end in 2038.
  CHECK(server.sql("SET time_zone = '+00:00'; SELECT UNIX_TIMESTAMP(m) FROM copy.moments ORDER BY "
                   "id") == wanted);
  CHECK(shared_postgres().sql("SELECT EXTRACT(EPOCH FROM m)::bigint FROM moments ORDER BY id") ==
        wanted);
}
