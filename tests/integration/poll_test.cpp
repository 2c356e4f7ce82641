// What a poll that finds nothing costs two real servers, by their own counters.
#include <catch2/catch.hpp>

#include "engine.h"
#include "support/servers.h"

using namespace tidemark;
using namespace tidemark::test;

TEST_CASE("an empty poll of MariaDB asks little, and writes nothing to PostgreSQL",
          "[integration][poll]") {
  MariaDbServer source;
  source.start();
  PostgresServer target({"fsync=off", "autovacuum=off"});
  target.start();
  source.sql(
      "CREATE TABLE t (id bigint PRIMARY KEY, c timestamp(6) NOT NULL DEFAULT "
      "CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (c, id));"
      "INSERT INTO t (id) VALUES (1), (2), (3)");
  Engine engine(source.settings(), target.settings());
  JobSettings job = job_of("poll", {"test", "t"}, {"public", "t"});
  job.cursor = CursorSettings{.column = "c", .source = "c"};
  const auto runner = engine.runner(std::chrono::hours(1));
  // Until the mark has passed the rows and the plan is that of a table that is there.
  wait_until("the job to come to rest", [&] { return must(*runner, job).counts.rows_read == 0; });

  const auto questions = [&] {
    const std::string line = source.sql("SHOW GLOBAL STATUS LIKE 'Questions'");
    return std::stoul(line.substr(line.find('\t') + 1));
  };
  const auto next_xid = [&] {
    return target.sql("SELECT pg_snapshot_xmax(pg_current_snapshot())");
  };
  const auto sessions = [&] {
    return target.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
  };
  const std::string xid = next_xid();
  const std::string open = sessions();
  const unsigned long own = questions();
  const unsigned long before = questions();
  constexpr unsigned long polls = 10;
  for (unsigned long poll = 0; poll < polls; ++poll)
    CHECK(must(*runner, job).counts.rows_read == 0);
  const unsigned long asked = questions() - before - (before - own);
  CHECK(next_xid() == xid);
  CHECK(sessions() == open);
  // The drain looks at the server again until its own canary shows: that is most of it.
  INFO(asked << " statements in " << polls << " polls");
  CHECK(asked <= polls * 14);
  WARN(asked << " statements in " << polls << " polls of MariaDB");
}
