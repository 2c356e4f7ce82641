// What a poll that finds nothing costs two real servers, by their own counters.
#include <catch2/catch.hpp>
#include <thread>

#include "engine.h"
#include "support/servers.h"
#include "support/tcp_gate.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

constexpr std::size_t polls = 10;

/// Connections to a server through a gate that counts.
struct Counted {
  explicit Counted(const Server& server) : gate(server.port()), settings(server.settings()) {
    settings.port = gate.port();
  }
  TcpGate gate;
  ConnectionSettings settings;
};

void comes_to_rest(SyncRunner& runner, const JobSettings& job) {
  // Until the mark has passed the rows and the plan is that of a table that is there.
  wait_until("the job to come to rest", [&] { return must(runner, job).counts.rows_read == 0; });
}

/// What `polls` that find nothing cost the source, in round trips; nothing at the target.
std::size_t trips_of_empty_polls(SyncRunner& runner, const JobSettings& job, const Counted& source,
                                 const Counted& target) {
  const auto sessions = [&] { return source.gate.connections() + target.gate.connections(); };
  const std::size_t open = sessions();
  const std::size_t told = target.gate.messages();
  const std::size_t asked = source.gate.messages();
  for (std::size_t poll = 0; poll < polls; ++poll)
    CHECK(must(runner, job).counts.rows_read == 0);
  CHECK(target.gate.messages() == told);
  CHECK(sessions() == open);
  return source.gate.messages() - asked;
}

}  // namespace

TEST_CASE("an empty poll of MariaDB is two round trips, and none to PostgreSQL",
          "[integration][poll]") {
  MariaDbServer server;
  server.start();
  PostgresServer other({"fsync=off", "autovacuum=off"});
  other.start();
  server.sql(
      "CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, c timestamp(6) NOT NULL DEFAULT "
      "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), v int, KEY (c, id));"
      "INSERT INTO t (v) VALUES (1), (2), (3)");
  Counted source(server);
  Counted target(other);
  Engine engine(source.settings, target.settings);
  const std::string cursor = GENERATE("c", "id");
  CAPTURE(cursor);
  JobSettings job = job_of("poll", {"test", "t"}, {"public", "t"});
  job.cursor = CursorSettings{.column = cursor, .source = cursor};
  const auto runner = engine.runner(std::chrono::hours(1));
  comes_to_rest(*runner, job);

  const auto questions = [&] {
    const std::string line = server.sql("SHOW GLOBAL STATUS LIKE 'Questions'");
    return std::stoul(line.substr(line.find('\t') + 1));
  };
  const auto next_xid = [&] { return other.sql("SELECT pg_snapshot_xmax(pg_current_snapshot())"); };
  const std::string xid = next_xid();
  const unsigned long own = questions();
  const unsigned long before = questions();
  const std::size_t taken = trips_of_empty_polls(*runner, job, source, target);
  const unsigned long asked = questions() - before - (before - own);
  INFO(taken << " round trips and " << asked << " statements in " << polls << " polls");
  // The sample, which all jobs share, and the read; for an id its highest value, too. A sample is
  // five statements. It is repeated where the server was looking elsewhere: seldom.
  const std::size_t mark = cursor == "id" ? 1 : 0;
  CHECK(taken <= (2 + mark) * polls + 2);
  CHECK(asked <= (6 + mark) * polls + 10);
  CHECK(next_xid() == xid);
}

TEST_CASE("the jobs of a MariaDB server share a sample", "[integration][poll]") {
  MariaDbServer server;
  server.start();
  Counted source(server);
  Engine engine(source.settings, server.settings());
  const auto runner = engine.runner(std::chrono::hours(1));
  std::vector<JobSettings> jobs;
  for (const std::string name : {"a", "b", "c", "d"}) {
    server.sql("CREATE TABLE " + name +
               " (id int PRIMARY KEY, c timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON "
               "UPDATE CURRENT_TIMESTAMP(6), KEY (c, id)); INSERT INTO " +
               name + " (id) VALUES (1)");
    JobSettings& job = jobs.emplace_back(job_of(name, {"test", name}, {"test", "of_" + name}));
    job.cursor = CursorSettings{.column = "c", .source = "c"};
    comes_to_rest(*runner, job);
  }
  // One sample for all who ask at once, and a read for each; on a machine that is slow now, sooner
  // or later.
  wait_until("a round of polls to share one sample", [&] {
    const std::size_t asked = source.gate.messages();
    std::vector<std::thread> polling;
    for (const JobSettings& job : jobs)
      polling.emplace_back([&] {
        runner->run({.job = std::make_shared<const JobSettings>(job), .run_id = "poll"});
      });
    for (std::thread& one : polling)
      one.join();
    return source.gate.messages() - asked <= jobs.size() + 1;
  });
}

TEST_CASE("an empty poll of PostgreSQL is two round trips, and none to PostgreSQL",
          "[integration][poll]") {
  // No autovacuum and no other job: nobody else's transaction has to be waited for.
  PostgresServer server({"fsync=off", "autovacuum=off"});
  server.start();
  server.sql(
      "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
      "c timestamptz NOT NULL DEFAULT now(), l timestamp NOT NULL DEFAULT timezone('utc', now()), "
      "x xid8 NOT NULL DEFAULT pg_current_xact_id(), v text); CREATE INDEX ON t (c, id); "
      "CREATE INDEX ON t (l, id); CREATE INDEX ON t (x, id); INSERT INTO t (v) VALUES ('a'), "
      "('b')");
  Counted source(server);
  Counted target(server);
  Engine engine(source.settings, target.settings);
  const auto runner = engine.runner(std::chrono::hours(1));
  const std::string cursor = GENERATE("c", "l", "x", "id", "xmin");
  const WriteMode write = GENERATE(WriteMode::upsert, WriteMode::append);
  CAPTURE(cursor, write == WriteMode::append);
  JobSettings job = job_of("poll", {"public", "t"}, {"public", "copy_of_t"});
  job.write = write;
  job.key = {{"id", "id"}};
  job.cursor = CursorSettings{.column = cursor, .source = cursor};
  // An append has read nothing until the mark is past the rows.
  wait_until("both rows to arrive", [&] {
    must(*runner, job);
    return server.sql("SELECT count(*) FROM copy_of_t") == "2\n";
  });
  comes_to_rest(*runner, job);
  CHECK(trips_of_empty_polls(*runner, job, source, target) <= 2 * polls);
}

TEST_CASE("the jobs of a PostgreSQL server share a horizon", "[integration][poll]") {
  PostgresServer server({"fsync=off", "autovacuum=off"});
  server.start();
  Counted source(server);
  Engine engine(source.settings, server.settings());
  const auto runner = engine.runner(std::chrono::hours(1));
  std::vector<JobSettings> jobs;
  for (const std::string name : {"a", "b", "c", "d"}) {
    server.sql("CREATE TABLE " + name +
               " (id int PRIMARY KEY, c timestamptz NOT NULL DEFAULT now()); CREATE INDEX ON " +
               name + " (c, id); INSERT INTO " + name + " VALUES (1)");
    JobSettings& job = jobs.emplace_back(job_of(name, {"public", name}, {"public", "of_" + name}));
    job.cursor = CursorSettings{.column = "c", .source = "c"};
    comes_to_rest(*runner, job);
  }
  // One sample for all and a read for each; on a machine that is slow now, sooner or later.
  wait_until("a round of polls to share one sample", [&] {
    const std::size_t asked = source.gate.messages();
    for (const JobSettings& job : jobs)
      must(*runner, job);
    const std::size_t trips = source.gate.messages() - asked;
    return trips == jobs.size() + 1;
  });
}
