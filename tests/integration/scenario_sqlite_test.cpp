// What a cursor on an SQLite file must survive, with the real program; writers and comparisons
// through SQLite itself.
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <fstream>

#include "connector/sqlite/connection.h"
#include "support/daemon.h"

using namespace tidemark::test;
using tidemark::sqlite::Connection;

namespace {

constexpr const char* by_time = "    mode: incremental\n    cursor: {column: updated_at}\n";
constexpr const char* by_id = "    mode: incremental\n    cursor: {column: id}\n";

/// Two files in a folder of their own, with a session on each.
struct Files {
  TempDir dir;
  Connection source{dir / "source.db", Connection::Opening::create, std::chrono::seconds(30)};
  Connection target{dir / "target.db", Connection::Opening::create, std::chrono::seconds(30)};

  /// As a job of its own: `settings` are lines of the job.
  Daemon daemon(const std::string& settings) const {
    return Daemon("connections:\n  from: {type: sqlite, path: " + dir / "source.db" +
                  "}\n  to: {type: sqlite, path: " + dir / "target.db" +
                  "}\njobs:\n  t:\n    source: {connection: from, table: t}\n"
                  "    target: {connection: to, table: t}\n" +
                  settings);
  }
  static std::string value(Connection& connection, const std::string& select) {
    return connection.execute(select).scalar().value_or("NULL");
  }
  std::string rows(Connection& connection, const std::string& columns = "id || ':' || v") const {
    return value(connection,
                 "SELECT group_concat(" + columns + ", ' ') FROM (SELECT * FROM t ORDER BY id)");
  }
};

void create_timed(Connection& connection) {
  connection.execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, "
      "updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)");
  connection.execute(
      "CREATE TRIGGER touch AFTER UPDATE ON t BEGIN "
      "UPDATE t SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id; END");
  connection.execute("CREATE INDEX t_updated_at ON t (updated_at, id)");
}

/// A job on two files, run by the program as often as a test likes.
class FileJob {
 public:
  FileJob(const Files& files, const std::string& settings, const std::string& target = "target.db")
      : config_(files.dir / "tidemark.yaml"), output_(files.dir / "output") {
    std::ofstream(config_) << "version: 1\ndaemon: {listen: none, socket: " << files.dir / "socket"
                           << ", state_dir: " << files.dir.path().string()
                           << "}\nconnections:\n  from: {type: sqlite, path: "
                           << files.dir / "source.db"
                           << "}\n  to: {type: sqlite, path: " << files.dir / target
                           << "}\njobs:\n  t:\n"
                           << "    source: {connection: from, table: t}\n"
                           << "    target: {connection: to, table: "
                           << (target == "source.db" ? "copy" : "t")
                           << "}\n    schedule: {manual: true}\n"
                           << settings;
  }
  ChildProcess start(std::vector<std::string> verb) const {
    verb.insert(verb.begin(), TIDEMARK_BINARY);
    verb.insert(verb.end(), {"-c", config_});
    return {verb, {.output = output_}};
  }
  int call(std::vector<std::string> verb) const {
    return start(std::move(verb)).wait(std::chrono::minutes(2));
  }
  void run() const {
    const int status = call({"run", "t"});
    INFO(output());
    REQUIRE(status == 0);
  }
  std::string output() const { return read_file(output_); }

 private:
  std::string config_;
  std::string output_;
};

}  // namespace

TEST_CASE("CUR-33 SQLite: an id that can be given again is no exact cursor",
          "[scenario][sqlite][CUR-33]") {
  Files files;
  files.source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  files.source.execute("INSERT INTO t VALUES (1, 'a')");
  const FileJob job(files, by_id);
  CHECK(job.call({"check", "--connect"}) == 78);
  CHECK(job.output().find("AUTOINCREMENT") != std::string::npos);
  CHECK(job.call({"run", "t"}) == 78);
}

TEST_CASE("CUR-33 SQLite: a row after the deleted last one arrives", "[scenario][sqlite][CUR-33]") {
  Files files;
  files.source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)");
  files.source.execute("INSERT INTO t (v) VALUES ('a'), ('b'), ('c')");
  const FileJob job(files, by_id);
  job.run();
  files.source.execute("DELETE FROM t WHERE id = 3");
  files.source.execute("INSERT INTO t (v) VALUES ('d')");
  job.run();
  CHECK(files.rows(files.source) == "1:a 2:b 4:d");
  // Deletes are not seen by a cursor; what was inserted is.
  CHECK(files.rows(files.target) == "1:a 2:b 3:c 4:d");
}

TEST_CASE("CUR-33 SQLite: a writer under way in WAL mode holds nothing up and loses nothing",
          "[scenario][sqlite][CUR-33]") {
  Files files;
  files.source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT)");
  files.source.execute("INSERT INTO t (v) VALUES ('a')");
  REQUIRE(Files::value(files.source, "PRAGMA journal_mode") == "wal");
  const FileJob job(files, by_id);
  job.run();
  files.source.execute("INSERT INTO t (v) VALUES ('b')");
  files.source.execute("BEGIN IMMEDIATE");
  files.source.execute("INSERT INTO t (v) VALUES ('late')");
  job.run();
  CHECK(files.rows(files.target) == "1:a 2:b");
  files.source.execute("COMMIT");
  files.source.execute("INSERT INTO t (v) VALUES ('d')");
  job.run();
  CHECK(files.rows(files.target) == files.rows(files.source));
}

TEST_CASE("CUR-33 SQLite: a timestamp of a writer under way is not passed",
          "[scenario][sqlite][CUR-33]") {
  Files files;
  create_timed(files.source);
  files.source.execute("INSERT INTO t (id, v) VALUES (1, 'a')");
  const FileJob job(files, by_time);
  job.run();
  // The writer takes its time now and commits after rows with later times could have been read.
  files.source.execute("BEGIN IMMEDIATE");
  files.source.execute("INSERT INTO t (id, v) VALUES (2, 'late')");
  const std::string taken = Files::value(files.source, "SELECT updated_at FROM t WHERE id = 2");
  wait_until("the clock to go on", [&] {
    return Files::value(files.target, "SELECT CURRENT_TIMESTAMP > datetime('" + taken +
                                          "', '+3 seconds')") == "1";
  });
  job.run();
  files.source.execute("COMMIT");
  job.run();
  CHECK(files.rows(files.target) == files.rows(files.source));
}

TEST_CASE("CUR-04 SQLite: rows of one tick, cut by batches and by a crash, all arrive",
          "[scenario][sqlite][CUR-04]") {
  Files files;
  create_timed(files.source);
  files.source.execute(
      "INSERT INTO t (id, v) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
      "WHERE i < 20000) SELECT i, 'v' || i FROM n");
  REQUIRE(Files::value(files.source, "SELECT count(DISTINCT updated_at) FROM t") == "1");
  const FileJob job(files, std::string(by_time) + "    batch: {rows: 7}\n");
  {
    ChildProcess process = job.start({"run", "t"});
    wait_until("some rows", [&] {
      return Files::value(files.target, "SELECT count(*) FROM sqlite_master WHERE name = 't'") ==
                 "1" &&
             Files::value(files.target, "SELECT count(*) > 50 FROM t") == "1";
    });
    process.signal(SIGKILL);
    process.wait();
  }
  // Where the killed run holds the job, its lease has to run out first.
  wait_until(
      "the job to be free",
      [&] {
        return job.call({"run", "t"}) == 0;
      },
      std::chrono::minutes(3));
  CHECK(Files::value(files.target, "SELECT count(*) || ' ' || count(DISTINCT v) FROM t") ==
        "20000 20000");
}

TEST_CASE("CUR-05 SQLite: rows of the tick that was read last arrive",
          "[scenario][sqlite][CUR-05]") {
  Files files;
  create_timed(files.source);
  files.source.execute("INSERT INTO t (id, v) VALUES (0, 'first')");
  Daemon daemon = files.daemon(std::string(by_time) + "    schedule: {every: 100ms}\n");
  daemon.start();
  daemon.wait_ready();
  const auto arrived = [&](const std::string& id) {
    return Files::value(files.target, "SELECT count(*) FROM sqlite_master WHERE name = 't'") ==
               "1" &&
           Files::value(files.target, "SELECT count(*) FROM t WHERE id = " + id) == "1";
  };
  // A tick is a second: each of these comes after a poll that has read the one before it, many of
  // them within its tick.
  for (int row = 1; row <= 60; ++row) {
    files.source.execute("INSERT INTO t (id, v) VALUES (" + std::to_string(row) + ", 'v')");
    if (row % 3 == 0)
      wait_until("row " + std::to_string(row), [&] { return arrived(std::to_string(row)); });
  }
  wait_until("all rows",
             [&] { return Files::value(files.target, "SELECT count(*) FROM t") == "61"; });
  CHECK(daemon.stop() == 0);
  CHECK(Files::value(files.source, "SELECT count(DISTINCT updated_at) < 61 FROM t") == "1");
  CHECK(files.rows(files.target) == files.rows(files.source));
}

TEST_CASE("CUR-07 SQLite: a cursor that is NULL first", "[scenario][sqlite][CUR-07]") {
  Files files;
  files.source.execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT, updated_at TIMESTAMP DEFAULT "
      "CURRENT_TIMESTAMP)");
  files.source.execute("INSERT INTO t (id, v) VALUES (1, 'a')");
  files.source.execute("INSERT INTO t VALUES (2, 'b', NULL)");
  const std::string cursor =
      "    mode: incremental\n    cursor: {column: updated_at, assume: [server_assigned, "
      "every_write_moves_it]";
  SECTION("it is an error, not a row left out") {
    const FileJob job(files, cursor + "}\n");
    CHECK(job.call({"run", "t"}) == 1);
    CHECK(job.output().find("updated_at") != std::string::npos);
    files.source.execute("UPDATE t SET updated_at = CURRENT_TIMESTAMP WHERE id = 2");
    job.run();
    CHECK(files.rows(files.target) == "1:a 2:b");
  }
  SECTION("or it is read again each time, until it has one") {
    const FileJob job(files, cursor + ", nulls: scan}\n");
    job.run();
    CHECK(files.rows(files.target) == "1:a 2:b");
    files.source.execute("UPDATE t SET v = 'still without' WHERE id = 2");
    job.run();
    CHECK(files.rows(files.target) == "1:a 2:still without");
    files.source.execute("UPDATE t SET v = 'with', updated_at = CURRENT_TIMESTAMP WHERE id = 2");
    job.run();
    CHECK(files.rows(files.target) == "1:a 2:with");
  }
}

TEST_CASE("CUR-32 SQLite: a version of its own row is no cursor", "[scenario][sqlite][CUR-32]") {
  Files files;
  files.source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)");
  files.source.execute("INSERT INTO t VALUES (1, 1)");
  const FileJob job(files, "    mode: incremental\n    cursor: {column: version}\n");
  CHECK(job.call({"check", "--connect"}) == 78);
  CHECK(job.output().find("version") != std::string::npos);
  CHECK(job.call({"run", "t"}) == 78);
}

TEST_CASE("a job from an SQLite file to itself is refused where readers block writers",
          "[scenario][sqlite]") {
  Files files;
  files.source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
  files.source.execute("INSERT INTO t VALUES (1, 'a')");
  const FileJob job(files, "    mode: full\n", "source.db");
  files.source.execute("PRAGMA journal_mode = DELETE");
  CHECK(job.call({"check", "--connect"}) == 78);
  CHECK(job.output().find("journal_mode=WAL") != std::string::npos);
  files.source.execute("PRAGMA journal_mode = WAL");
  job.run();
  CHECK(Files::value(files.source, "SELECT id || v FROM copy") == "1a");
}

TEST_CASE("values of any class go to a file as they are, or as the user's word takes them",
          "[scenario][sqlite]") {
  Files files;
  files.source.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v INTEGER, d DATETIME, x)");
  files.source.execute(
      "INSERT INTO t VALUES (1, 12, '2024-02-29 12:00:00', 1.0), (2, 'twelve', 1700000000, "
      "x'00ff'), "
      "(3, 1.5, 2460369.5, '1')");
  const std::string full = "    mode: full\n";
  const FileJob plain(files, full);
  CHECK(plain.call({"run", "t"}) == 1);
  CHECK(plain.output().find("column v") != std::string::npos);
  CHECK(plain.output().find("twelve") == std::string::npos);
  CHECK(plain.output().find("sqlite:any") != std::string::npos);
  files.target.execute("DROP TABLE t");
  const FileJob worded(files,
                       full + "    columns: {v: {type: \"sqlite:any\"}, d: {type: timestamp}}\n");
  worded.run();
  CHECK(files.rows(files.target, "id || ' ' || quote(v) || ' ' || d || ' ' || quote(x)") ==
        "1 12 2024-02-29 12:00:00 1.0 2 'twelve' 2023-11-14 22:13:20 X'00FF' "
        "3 1.5 2024-02-29 00:00:00 '1'");
}
