// A hot standby as source, with and without its primary.
#include <catch2/catch.hpp>
#include <csignal>

#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// A hot standby of `primary` that lives as long as this object.
class Standby {
 public:
  explicit Standby(const PostgresServer& primary) : settings_(primary.settings()) {
    const std::string bin = "/usr/lib/postgresql/15/bin/";
    run_command({"chown", "postgres", dir_.path().string()});
    run_command(
        {bin + "pg_basebackup", "-h", primary.socket_directory(), "-p",
         std::to_string(primary.port()), "-U", "tidemark", "-D", dir_ / "data", "-R", "-c", "fast"},
        "postgres", dir_.path().string());
    settings_.port = free_port();
    process_ =
        ChildProcess({bin + "postgres", "-D", dir_ / "data", "-p", std::to_string(settings_.port),
                      "-k", dir_.path().string(), "-h", "127.0.0.1"},
                     {.user = "postgres", .output = dir_ / "log"});
    wait_until("the standby to take connections", [&] {
      try {
        connect(settings_)->probe();
        return true;
      } catch (const Error&) {
        return false;
      }
    });
  }
  ~Standby() {
    process_.signal(SIGINT);
    process_.wait();
  }
  const ConnectionSettings& settings() const { return settings_; }
  std::string sql(const std::string& statement) {
    return run_command({"psql", "-X", "-q", "-A", "-t", "-h", dir_.path().string(), "-p",
                        std::to_string(settings_.port), "-U", "tidemark", "-d", "test", "-c",
                        statement});
  }

 private:
  TempDir dir_;
  ConnectionSettings settings_;
  ChildProcess process_;
};

}  // namespace

TEST_CASE("a standby is proven by its primary and by what it has replayed", "[postgres][standby]") {
  PostgresServer primary({"fsync=off"});
  primary.start();
  primary.sql(
      "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
      "at timestamptz NOT NULL DEFAULT now(), v text)");
  Standby standby(primary);
  const Relation table{.table = TableName{"public", "t"}};
  const CursorRef by_time{"at", "at"};
  const CursorRef by_id{"id", "id"};

  const auto alone = connect(standby.settings())->open_source();
  const CursorEvidence blind = alone->inspect(table, by_time);
  CHECK(blind.proof == ProofKind::lookback);
  CHECK(blind.obstacles.front().find("standby") != std::string::npos);
  CHECK_THROWS_AS(alone->horizon(table, by_time, ProofKind::transactions), Error);

  const auto connector =
      connect(standby.settings(), {.clock = nullptr, .primary = primary.settings()});
  const auto source = connector->open_source();
  CHECK(source->inspect(table, by_time).proof == ProofKind::transactions);
  CHECK(source->identity() == connect(primary.settings())->open_source()->identity());

  standby.sql("SELECT pg_wal_replay_pause()");
  Application writer(primary);
  writer.run("BEGIN");
  writer.run("INSERT INTO t (v) VALUES ('open')");
  primary.sql("INSERT INTO t (v) VALUES ('done')");
  const HorizonToken by_clock = source->horizon(table, by_time, ProofKind::transactions);
  const HorizonToken numbered = source->horizon(table, by_id, ProofKind::transactions);
  CHECK_FALSE(source->settled(by_clock).settled);
  CHECK_FALSE(source->settled(by_clock).blockers.empty());
  writer.run("COMMIT");
  // All have ended on the primary, but the standby does not show it yet.
  CHECK_FALSE(source->settled(by_clock).settled);
  CHECK_FALSE(source->settled(numbered).settled);
  CHECK(source->settled(by_clock).blockers.empty());
  standby.sql("SELECT pg_wal_replay_resume()");
  wait_until("the standby to replay", [&] { return source->settled(by_clock).settled; });
  wait_until("the standby to replay", [&] { return source->settled(numbered).settled; });
  CHECK(read_rows(*source, table_plan(*source, {"public", "t"})).size() == 2);

  // A token of the primary's is none of the standby's.
  const HorizonToken foreign =
      connect(primary.settings())->open_source()->horizon(table, by_time, ProofKind::transactions);
  CHECK(source->settled(foreign).lost);
}
