// What a person asks of a job, through the program and between real servers: backfill, accept,
// resync, check --diff, and columns that a source gets later.
#include <catch2/catch.hpp>
#include <fstream>

#include "integration/database.h"
#include "support/process.h"

using namespace tidemark::test;

namespace {

/// The job `wishes` between the table `wishes` of a source and that of a target, whose definition a
/// test changes.
class Wished {
 public:
  Wished(Database& its_source, Database& its_target) : source(its_source), target(its_target) {
    source.run(
        "DROP TABLE IF EXISTS wishes;\nCREATE TABLE wishes (id bigint NOT NULL PRIMARY KEY, "
        "v varchar(40), " +
        source.cursor_ddl() + ");\n");
    target.run("DROP TABLE IF EXISTS copied_wishes;\n");
    std::string values;
    // Old rows: what is younger than the mark is read again anyway.
    for (int id = 1; id <= 30; ++id)
      values += (id == 1 ? "(" : ", (") + std::to_string(id) + ", 'v" + std::to_string(id) +
                "', '2020-01-01 00:00:00')";
    source.run("INSERT INTO wishes (id, v, updated_at) VALUES " + values + ";\n");
    source.run(source.after_create("wishes"));
    define("id > 0");
  }

  void define(const std::string& where) const {
    std::ofstream(dir_ / "tidemark.yaml")
        << "version: 1\ndaemon: {listen: none, socket: " << dir_ / "socket"
        << ", state_dir: " << dir_.path().string()
        << ", instance: wishes}\nconnections:\n  from: " << source.connection_yaml()
        << "\n  to: " << target.connection_yaml()
        << "\njobs:\n  wishes:\n    source: {connection: from, table: " << source.table("wishes")
        << ", where: \"" << where
        << "\"}\n    target: {connection: to, table: " << target.table("copied_wishes")
        << ", schema_changes: add}\n    mode: incremental\n    cursor: {column: updated_at}\n"
           "    schedule: {manual: true}\n";
  }
  int call(std::vector<std::string> words) {
    words.insert(words.begin(), TIDEMARK_BINARY);
    words.insert(words.end(), {"-c", dir_ / "tidemark.yaml"});
    return ChildProcess(words,
                        {.output = dir_ / "output", .environment = {"PAIR_PASSWORD=tidemark"}})
        .wait(std::chrono::minutes(2));
  }
  void must(const std::vector<std::string>& words) {
    const int status = call(words);
    INFO(output());
    REQUIRE(status == 0);
  }
  std::string output() const { return read_file(dir_ / "output"); }
  bool equal(const std::vector<std::string>& columns = {"v"}) {
    return source.lines("wishes", columns) == target.lines("copied_wishes", columns);
  }
  std::string copied(int id) {
    const std::string line = std::to_string(id) + "\t";
    for (const std::string& one : target.lines("copied_wishes", {"v"}))
      if (one.starts_with(line)) return one.substr(line.size());
    return "none";
  }
  void damage(const std::string& ids) {
    target.run("UPDATE copied_wishes SET v = 'damaged' WHERE id IN (" + ids + ");\n");
  }

  Database& source;
  Database& target;

 private:
  TempDir dir_;
};

void every_wish(Database& source, Database& target) {
  CAPTURE(source.name(), target.name());
  Wished job(source, target);
  job.must({"run", "wishes"});
  REQUIRE(job.equal());

  // A range is read again, and nothing else; the mark stays.
  job.damage("3, 20");
  job.target.run("DELETE FROM copied_wishes WHERE id = 4;\n");
  job.must({"run", "wishes"});
  CHECK(job.copied(3) == "damaged");
  job.must({"backfill", "wishes", "--where", "id < 10"});
  CHECK(job.copied(3) == "v3");
  CHECK(job.copied(4) == "v4");
  CHECK(job.copied(20) == "damaged");
  job.must({"backfill", "wishes", "--from", "2000-01-01", "--to", "2001-01-01"});
  CHECK(job.copied(20) == "damaged");
  job.must({"backfill", "wishes", "--from", "2000-01-01"});
  CHECK(job.equal());
  CHECK(job.call({"backfill", "wishes", "--where", "nothing = 1"}) != 0);
  job.source.run("UPDATE wishes SET v = 'changed' WHERE id = 7;\n");
  job.must({"run", "wishes"});
  CHECK(job.equal());

  // A column that comes later has its values for the rows that were there.
  job.source.run("ALTER TABLE wishes ADD COLUMN more varchar(9) DEFAULT 'seven';\n");
  job.must({"run", "wishes"});
  CHECK(job.equal({"v", "more"}));
  CHECK(job.target.lines("copied_wishes", {"more"}).front() == "1\tseven");

  // Another definition: nothing runs until somebody says what the mark is worth.
  job.must({"check", "--diff"});
  job.define("id > -1");
  CHECK(job.call({"check", "--diff"}) == 1);
  CHECK(job.output().find("wishes: would halt") != std::string::npos);
  CHECK(job.call({"run", "wishes"}) != 0);
  CHECK(job.output().find("tidemark accept wishes") != std::string::npos);
  job.damage("6");
  job.must({"accept", "wishes", "--keep-mark"});
  CHECK(job.copied(6) == "damaged");
  job.must({"check", "--diff"});
  job.define("id > -2");
  job.must({"accept", "wishes", "--backfill"});
  CHECK(job.equal());
  job.define("id > -3");
  job.target.run("DELETE FROM copied_wishes WHERE id > 9;\n");
  job.must({"accept", "wishes", "--resync"});
  CHECK(job.equal());

  job.target.run("DELETE FROM copied_wishes;\n");
  job.must({"run", "wishes"});
  CHECK(job.target.lines("copied_wishes", {"v"}).size() < 30);
  job.must({"resync", "wishes", "--yes"});
  CHECK(job.equal({"v", "more"}));
}

}  // namespace

TEST_CASE("backfill, accept, resync and later columns from PostgreSQL to MariaDB",
          "[integration][verbs]") {
  every_wish(*postgres_database(), *mariadb_database());
}

TEST_CASE("backfill, accept, resync and later columns from MariaDB to PostgreSQL",
          "[integration][verbs]") {
  every_wish(*mariadb_database(), *postgres_database());
}
