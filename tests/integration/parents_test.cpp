// A child that arrives before its parent: refused by the target's foreign key, tried again, there.
#include <catch2/catch.hpp>

#include "engine.h"
#include "support/servers.h"
#include "sync/retry.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

constexpr const char* source_tables =
    "CREATE TABLE parent (id bigint PRIMARY KEY); CREATE TABLE child (id bigint PRIMARY KEY, "
    "parent bigint); INSERT INTO parent VALUES (7); INSERT INTO child VALUES (1, 7)";
constexpr const char* target_tables =
    "CREATE TABLE parent (id bigint PRIMARY KEY); CREATE TABLE child (id bigint PRIMARY KEY, "
    "parent bigint, FOREIGN KEY (parent) REFERENCES parent (id))";

JobSettings full_job(const std::string& table, const std::string& from, const std::string& to) {
  JobSettings job = job_of(table, {from, table}, {to, table});
  job.mode = Mode::full;
  return job;
}

void child_first(Engine& engine, const std::string& from, const std::string& to) {
  const auto runner = engine.runner(std::chrono::hours(1));
  const JobSettings child = full_job("child", from, to);
  const Outcome early =
      runner->run({.job = std::make_shared<const JobSettings>(child), .run_id = "early"});
  REQUIRE(early.failure);
  INFO(early.failure->message);
  CHECK(early.failure->kind == FailureKind::constraint);
  CHECK(RetryPolicy({}).decide(*early.failure, {.live = 1}, 0).action ==
        RetryDecision::Action::retry);
  must(*runner, full_job("parent", from, to));
  CHECK(must(*runner, child).counts.written.inserted == 1);
}

}  // namespace

TEST_CASE("a child before its parent is tried again, on PostgreSQL and on MariaDB",
          "[integration][parents]") {
  MariaDbServer maria;
  maria.start();
  PostgresServer postgres({"fsync=off"});
  postgres.start();
  SECTION("PostgreSQL") {
    maria.sql(source_tables);
    postgres.sql(target_tables);
    Engine engine(maria.settings(), postgres.settings());
    child_first(engine, "test", "public");
  }
  SECTION("MariaDB") {
    postgres.sql(source_tables);
    maria.sql(target_tables);
    Engine engine(postgres.settings(), maria.settings());
    child_first(engine, "public", "test");
  }
}
