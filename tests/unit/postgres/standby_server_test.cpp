// A hot standby as source, with and without its primary.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

TEST_CASE("a standby is proven by its primary and by what it has replayed", "[postgres][standby]") {
  PostgresServer primary({"fsync=off"});
  primary.start();
  primary.sql(
      "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
      "at timestamptz NOT NULL DEFAULT now(), v text)");
  PostgresServer standby(PostgresServer::StandbyOf{primary}, {"fsync=off"});
  standby.start();
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
