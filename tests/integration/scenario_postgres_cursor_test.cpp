// Cursors on PostgreSQL: rows that become visible late, in every order that the server allows.
#include <catch2/catch.hpp>

#include "integration/scenario_postgres.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// A table with every kind of cursor: c (P3), id (P4), x (P1), and xmin (P2).
std::string make_table(Server& server, const std::string& prefix) {
  const std::string name = fresh_table(prefix);
  server.sql("CREATE TABLE " + name +
             " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, c timestamptz NOT NULL "
             "DEFAULT now(), x xid8 NOT NULL DEFAULT pg_current_xact_id()); "
             "CREATE OR REPLACE FUNCTION move_cursors() RETURNS trigger LANGUAGE plpgsql AS "
             "'BEGIN NEW.c := now(); NEW.x := pg_current_xact_id(); RETURN NEW; END'; "
             "CREATE TRIGGER move BEFORE UPDATE ON " +
             name + " FOR EACH ROW EXECUTE FUNCTION move_cursors(); CREATE INDEX ON " + name +
             " (x, id); CREATE INDEX ON " + name + " (c, id)");
  return name;
}

std::string insert(const std::string& table, const std::string& v) {
  return "INSERT INTO " + table + " (v) VALUES ('" + v + "')";
}

std::size_t rows(Server& server, const std::string& table) {
  return std::stoul(server.sql("SELECT count(*) FROM " + table));
}

bool refused(const Outcome& outcome, std::string_view part) {
  return outcome.result == RunResult::failed && outcome.failure &&
         outcome.failure->message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("CUR-01 CUR-02 a row that is committed late arrives",
          "[scenario][postgres][CUR-01][CUR-02]") {
  PostgresServer& server = scenario_server();
  const std::string cursor = GENERATE("c", "id", "x", "xmin");
  const std::string table = make_table(server, "late");
  ScenarioJob job(table, server, server, cursor);
  CAPTURE(cursor);
  Session late(server);
  Session early(server);
  late.run("BEGIN");
  late.run(insert(table, "late"));
  early.run(insert(table, "early"));
  job.pass();
  CHECK(rows(server, table + "_copy") == 1);
  CHECK_FALSE(job.run().progress.blockers.empty());
  late.run("COMMIT");
  job.settle();
  CHECK(differences(server, table, "id, v, c") == "0");
  CHECK(rows(server, table + "_copy") == 2);
}

TEST_CASE("CUR-03 a commit between mark and read is not passed", "[scenario][postgres][CUR-03]") {
  PostgresServer& server = scenario_server();
  const std::string cursor = GENERATE("c", "id", "x", "xmin");
  const std::string table = make_table(server, "between");
  ScenarioJob job(table, server, server, cursor);
  server.sql(insert(table, "first") + "; " + insert(table, "second"));
  // The commit of a batch falls between the horizon of the run and its later reads.
  Session other(server);
  other.run("BEGIN");
  other.run(insert(table, "open"));
  job.settings.batch_rows = 1;
  bool done = false;
  job.listener.on_batch = [&] {
    if (std::exchange(done, true)) return;
    other.run("COMMIT");
    server.sql(insert(table, "after"));
  };
  job.pass();
  CHECK(done);
  job.settle();
  CHECK(differences(server, table, "id, v") == "0");
  CHECK(rows(server, table + "_copy") == 4);
}

TEST_CASE("CUR-04 CUR-28 CUR-29 rows of one tick, cut by a batch and by a crash, all arrive",
          "[scenario][postgres][CUR-04][CUR-28][CUR-29]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("tick");
  server.sql("CREATE TABLE " + table +
             " (a text COLLATE \"und-x-icu\", id int, v text, c timestamptz NOT NULL DEFAULT "
             "now(), x xid8 NOT NULL DEFAULT pg_current_xact_id(), PRIMARY KEY (a, id)); "
             "INSERT INTO " +
             table +
             " (a, id, v) SELECT (ARRAY['a', 'A', 'ä', 'b ', 'b', 'B', 'é', 'e'])[1 + g % 8], g, "
             "'v' FROM generate_series(1, 100) g");
  const std::string cursor = GENERATE("c", "x", "xmin");
  CAPTURE(cursor);
  ScenarioJob job(table, server, server, cursor);
  job.settings.target_table.name = table + "_copy_" + cursor;
  job.settings.name = JobName(table + cursor);
  job.settings.batch_rows = 7;
  job.settings.batch_bytes = 1 << 20;
  // The third batch fails, after two were committed.
  const std::string copy = job.copy();
  int batches = 0;
  job.listener.on_batch = [&] {
    if (++batches == 2)
      server.sql("ALTER TABLE " + copy + " ADD CONSTRAINT stop CHECK (id < 0) NOT VALID");
  };
  const Outcome failed = job.run();
  REQUIRE(failed.result == RunResult::failed);
  CHECK(failed.failure->kind == FailureKind::constraint);
  CHECK_FALSE(failed.failure->key_hash.empty());
  job.listener.on_batch = {};
  const std::size_t half = rows(server, copy);
  CHECK(half >= 14);
  CHECK(half < 100);
  server.sql("ALTER TABLE " + copy + " DROP CONSTRAINT stop");
  job.restart();
  job.settle();
  CHECK(server.sql("SELECT count(*) FROM " + table + " s FULL JOIN " + copy +
                   " t USING (a, id) WHERE s.v IS DISTINCT FROM t.v") == "0\n");
  CHECK(rows(server, copy) == 100);
}

TEST_CASE("CUR-05 CUR-06 a row of the same tick after the poll arrives, to the microsecond",
          "[scenario][postgres][CUR-05][CUR-06]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("same");
  server.sql("CREATE TABLE " + table + " (id int PRIMARY KEY, c timestamptz NOT NULL)");
  ScenarioJob job(table, server, server, "c");
  job.settings.cursor->assume = {"server_assigned"};
  const std::string moment = server.sql("SELECT now() - interval '1 second'").substr(0, 29);
  server.sql("INSERT INTO " + table + " VALUES (1, '" + moment + "')");
  job.pass();
  server.sql("INSERT INTO " + table + " VALUES (0, '" + moment + "'), (2, '" + moment +
             "'::timestamptz + interval '1 microsecond')");
  // The one with the smaller key comes with the second look, when the mark has passed it.
  await_equal(job, server, table);
  CHECK(rows(server, table + "_copy") == 3);
  // Nothing new: nothing is written.
  const Outcome quiet = job.pass();
  CHECK(quiet.counts.written.inserted + quiet.counts.written.updated == 0);
}

TEST_CASE("CUR-07 a cursor that is NULL first", "[scenario][postgres][CUR-07]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("nulls");
  server.sql("CREATE TABLE " + table +
             " (id int PRIMARY KEY, v text, c timestamptz); INSERT INTO " + table +
             " VALUES (1, 'a', NULL), (2, 'b', now())");
  ScenarioJob job(table, server, server, "c");
  job.settings.cursor->assume = {"server_assigned"};
  CHECK(refused(job.run(), "null"));
  job.settings.cursor->nulls = CursorNulls::ignore;
  RunOptions accept;
  accept.accept = RunOptions::Accept::keep_mark;
  job.run(accept);
  job.pass();
  CHECK(rows(server, table + "_copy") == 1);
  server.sql("UPDATE " + table + " SET c = now() WHERE id = 1");
  job.pass();
  CHECK(rows(server, table + "_copy") == 2);
  server.sql("INSERT INTO " + table + " VALUES (3, 'c', NULL)");
  job.settings.cursor->nulls = CursorNulls::scan;
  job.run(accept);
  job.pass();
  CHECK(differences(server, table) == "0");
}

TEST_CASE("CUR-09 CUR-10 CUR-24 CUR-32 cursors that prove nothing are refused",
          "[scenario][postgres][CUR-09][CUR-10][CUR-24][CUR-32]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("refused");
  server.sql("CREATE SEQUENCE " + table + "_s CACHE 20; CREATE TABLE " + table +
             " (id int PRIMARY KEY, local timestamp NOT NULL DEFAULT now(), blocks bigint NOT NULL "
             "DEFAULT nextval('" +
             table +
             "_s'), version int NOT NULL DEFAULT 1, utc timestamp NOT NULL DEFAULT (now() "
             "AT TIME ZONE 'utc'), x xid8 NOT NULL DEFAULT '5')");
  const auto outcome = [&](const std::string& cursor) {
    ScenarioJob job(table, server, server, cursor);
    return job.run();
  };
  CHECK(refused(outcome("local"), "C5"));
  CHECK(refused(outcome("blocks"), "CACHE"));
  CHECK(refused(outcome("version"), "C1"));
  CHECK(refused(outcome("x"), "C1"));
  CHECK(outcome("utc").result == RunResult::success);
}

TEST_CASE("CUR-14 a login that does not see transactions gets no exact timestamps",
          "[scenario][postgres][CUR-14]") {
  PostgresServer& server = scenario_server();
  const std::string table = make_table(server, "unseen");
  server.sql(
      "DROP ROLE IF EXISTS blind; CREATE ROLE blind LOGIN PASSWORD 'tidemark'; GRANT SELECT "
      "ON " +
      table + " TO blind; " + insert(table, "a"));
  const auto outcome = [&](const std::string& cursor, Safety safety) {
    ScenarioJob job(table, server, server, cursor);
    job.settings.name = JobName(table + cursor);
    job.connections.at(ConnectionName("from")).user = "blind";
    job.settings.cursor->safety = safety;
    return job.run();
  };
  CHECK(refused(outcome("c", Safety::exact), "pg_read_all_stats"));
  CHECK(refused(outcome("id", Safety::exact), "pg_read_all_stats"));
  const Outcome lookback = outcome("c", Safety::lookback);
  CHECK(lookback.result == RunResult::success);
  CHECK(lookback.progress.proof == ProofKind::lookback);
  CHECK(lookback.progress.proof_text.starts_with("lookback"));
  // Ids of transactions are proven without any privilege.
  CHECK(outcome("x", Safety::exact).progress.proof == ProofKind::snapshot);
  CHECK(outcome("xmin", Safety::exact).progress.proof == ProofKind::snapshot);
  server.sql("DROP OWNED BY blind; DROP ROLE blind");
}

TEST_CASE("CUR-15 a transaction that reads first and writes late holds the mark",
          "[scenario][postgres][CUR-15]") {
  PostgresServer& server = scenario_server();
  const std::string table = make_table(server, "pause");
  ScenarioJob job(table, server, server, "c");
  Session slow(server);
  slow.run("BEGIN");
  const std::string begun = slow.run("SELECT now()");
  server.sql(insert(table, "other"));
  job.pass();
  slow.run(insert(table, "slow"));
  const Outcome held = job.pass();
  // The row will carry the transaction's start: nothing may be settled beyond it.
  CHECK(server.sql("SELECT '" +
                   (held.progress.settled.empty() ? "-infinity" : held.progress.settled) +
                   "'::timestamptz <= '" + begun + "'::timestamptz") == "t\n");
  slow.run("COMMIT");
  await_equal(job, server, table, "id, v, c");
}

TEST_CASE("CUR-17 rows of savepoints in xmin mode", "[scenario][postgres][CUR-17]") {
  PostgresServer& server = scenario_server();
  const std::string table = make_table(server, "sub");
  ScenarioJob job(table, server, server, "xmin");
  Session writer(server);
  writer.run("BEGIN");
  writer.run(insert(table, "top"));
  writer.run("SAVEPOINT a");
  writer.run(insert(table, "sub"));
  Session other(server);
  other.run(insert(table, "other"));
  job.pass();
  writer.run("SAVEPOINT b");
  writer.run(insert(table, "undone"));
  writer.run("ROLLBACK TO SAVEPOINT b");
  writer.run(insert(table, "again"));
  other.run(insert(table, "newer"));
  job.pass();
  CHECK(rows(server, table + "_copy") == 2);
  writer.run("COMMIT");
  job.settle();
  CHECK(differences(server, table, "id, v") == "0");
  CHECK(rows(server, table + "_copy") == 5);
}

TEST_CASE("CUR-19 freezing and rewriting a table loses nothing in xmin mode",
          "[scenario][postgres][CUR-19]") {
  PostgresServer& server = scenario_server();
  const std::string table = make_table(server, "rewritten");
  server.sql("INSERT INTO " + table + " (v) SELECT 'v' FROM generate_series(1, 50)");
  ScenarioJob job(table, server, server, "xmin");
  job.settle();
  for (const std::string& work :
       std::vector<std::string>{"VACUUM (FREEZE) " + table, "VACUUM (FULL) " + table,
                                "CLUSTER " + table + " USING " + table + "_pkey"}) {
    CAPTURE(work);
    server.sql(work);
    server.sql("UPDATE " + table + " SET v = v || 'x' WHERE id = 7; " + insert(table, "new"));
    CHECK(job.pass().counts.rows_read <= 4);
    job.settle();
    CHECK(differences(server, table, "id, v") == "0");
  }
  // All rows get the id of this transaction: they are read once more and none is written.
  server.sql("ALTER TABLE " + table + " ADD COLUMN r double precision DEFAULT random()");
  const Outcome again = job.pass();
  CHECK(again.counts.rows_read >= 53);
  CHECK(again.counts.written.updated == 0);
  job.settle();
  CHECK(job.pass().counts.rows_read == 0);
}

TEST_CASE("CUR-22 a long reader holds timestamps up and transaction ids not",
          "[scenario][postgres][CUR-22]") {
  PostgresServer& server = scenario_server();
  const std::string cursor = GENERATE("c", "x", "xmin");
  CAPTURE(cursor);
  const std::string table = make_table(server, "reader");
  ScenarioJob job(table, server, server, cursor);
  server.sql(insert(table, "before"));
  job.pass();
  Session reader(server);
  reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  reader.run("SELECT count(*) FROM pg_class");
  std::uint64_t read = 0;
  for (int turn = 0; turn < 5; ++turn) {
    server.sql(insert(table, "row"));
    const Outcome outcome = job.pass();
    read += outcome.counts.rows_read;
    // Rows flow in any case.
    CHECK(differences(server, table, "id, v") == "0");
    if (cursor != "c") CHECK_FALSE(outcome.progress.blocked_since);
  }
  if (cursor != "c") CHECK(read <= 2 * 6);
  reader.run("COMMIT");
  job.settle();
  CHECK(differences(server, table, "id, v") == "0");
}

TEST_CASE("CUR-25 numbers that were rolled back stop nothing", "[scenario][postgres][CUR-25]") {
  PostgresServer& server = scenario_server();
  const std::string table = make_table(server, "gaps");
  ScenarioJob job(table, server, server, "id");
  Session writer(server);
  for (int turn = 0; turn < 3; ++turn) {
    writer.run("BEGIN");
    writer.run(insert(table, "undone"));
    writer.run("ROLLBACK");
    writer.run(insert(table, "kept"));
  }
  job.settle();
  CHECK(differences(server, table, "id, v") == "0");
  CHECK(job.pass().progress.settled == server.sql("SELECT max(id) + 1 FROM " + table).substr(0, 1));
}

TEST_CASE("CUR-27 rows that move or change their key during the read arrive",
          "[scenario][postgres][CUR-27]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("moving");
  server.sql(
      "CREATE TABLE " + table +
      " (id int PRIMARY KEY, v text, x xid8 NOT NULL DEFAULT pg_current_xact_id()); "
      "CREATE FUNCTION " +
      table +
      "_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.x := pg_current_xact_id(); RETURN "
      "NEW; END'; CREATE TRIGGER move BEFORE UPDATE ON " +
      table + " FOR EACH ROW EXECUTE FUNCTION " + table + "_f(); INSERT INTO " + table +
      " SELECT g, 'v' FROM generate_series(1, 40) g");
  ScenarioJob job(table, server, server, "x");
  job.settings.batch_rows = 5;
  int batches = 0;
  job.listener.on_batch = [&] {
    ++batches;
    if (batches == 1) server.sql("UPDATE " + table + " SET v = 'moved' WHERE id IN (1, 40)");
    if (batches == 2) server.sql("UPDATE " + table + " SET id = 100 WHERE id = 39");
  };
  job.pass();
  job.listener.on_batch = {};
  job.settle();
  // Every source row is there; of keys that are gone, only the renamed one stays.
  CHECK(server.sql("SELECT count(*) FROM " + table + " s LEFT JOIN " + table +
                   "_copy t USING (id) WHERE s.v IS DISTINCT FROM t.v") == "0\n");
  CHECK(server.sql("SELECT string_agg(id::text, ',') FROM " + table +
                   "_copy t WHERE NOT EXISTS "
                   "(SELECT 1 FROM " +
                   table + " s WHERE s.id = t.id)") == "39\n");
}

TEST_CASE("CUR-31 an attached partition's old rows are announced, and found by a backfill",
          "[scenario][postgres][CUR-31]") {
  PostgresServer& server = scenario_server();
  const std::string table = fresh_table("parts");
  server.sql("CREATE TABLE " + table +
             " (id int PRIMARY KEY, v text, c timestamptz NOT NULL DEFAULT now()) PARTITION BY "
             "RANGE (id); CREATE TABLE " +
             table + "_1 PARTITION OF " + table + " FOR VALUES FROM (0) TO (100); CREATE TABLE " +
             table + "_2 (LIKE " + table + " INCLUDING ALL); INSERT INTO " + table +
             "_2 VALUES (150, 'old', '2020-01-01'); INSERT INTO " + table + " VALUES (1, 'a')");
  ScenarioJob job(table, server, server, "c");
  job.settle();
  const runtime::SystemClock clock;
  const auto connector = make_connections({.connections = job.connections}, clock);
  const auto source = connector->connector(ConnectionName("from"))->open_source();
  const CursorEvidence evidence =
      source->inspect({.table = TableName{"public", table}}, {"c", "c"});
  bool announced = false;
  for (const std::string& note : evidence.notes)
    announced = announced || note.find("attached") != std::string::npos;
  CHECK(announced);
  server.sql("ALTER TABLE " + table + " ATTACH PARTITION " + table +
             "_2 FOR VALUES FROM (100) TO (200)");
  job.settle();
  CHECK(rows(server, table + "_copy") == 1);
  RunOptions backfill;
  backfill.backfill = RunOptions::Backfill{.from = "2019-01-01 00:00:00+00"};
  CHECK(job.run(backfill).result == RunResult::success);
  CHECK(differences(server, table) == "0");
}
