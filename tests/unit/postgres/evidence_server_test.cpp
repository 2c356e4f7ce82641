// What the catalogue shows about cursor columns.
#include <catch2/catch.hpp>

#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

CursorEvidence inspect(const std::string& table, const std::string& column) {
  const auto source = connect(shared_postgres().settings())->open_source();
  return source->inspect({.table = TableName{"public", table}}, {column, column});
}

}  // namespace

TEST_CASE("a dated row is shown by default, trigger, NOT NULL and zone", "[postgres][evidence]") {
  shared_postgres().sql(
      "CREATE TABLE dated (id int PRIMARY KEY, touched timestamptz NOT NULL DEFAULT now(), "
      "made timestamptz DEFAULT now(), local timestamp NOT NULL DEFAULT now(), "
      "utc timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'), app timestamptz NOT NULL, "
      "byhand timestamptz NOT NULL);"
      "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN NEW.touched := clock_timestamp(); RETURN NEW; END$$;"
      "CREATE TRIGGER touch BEFORE UPDATE ON dated FOR EACH ROW EXECUTE FUNCTION touch();"
      "CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN NEW.byhand := now(); RETURN NEW; END$$;"
      "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON dated FOR EACH ROW EXECUTE FUNCTION "
      "stamp()");
  const CursorEvidence touched = inspect("dated", "touched");
  CHECK(touched.proof == ProofKind::transactions);
  CHECK(touched.method == "P3");
  CHECK(touched.server_assigned);
  CHECK(touched.moves_on_write);
  CHECK(touched.not_null);
  CHECK(touched.single_timezone);
  CHECK_FALSE(touched.inserts_only);
  CHECK(touched.obstacles.empty());

  const CursorEvidence made = inspect("dated", "made");
  CHECK(made.server_assigned);
  CHECK_FALSE(made.moves_on_write);
  CHECK_FALSE(made.not_null);
  CHECK_FALSE(inspect("dated", "local").single_timezone);
  CHECK(inspect("dated", "utc").single_timezone);
  CHECK_FALSE(inspect("dated", "app").server_assigned);
  CHECK(inspect("dated", "byhand").server_assigned);
  CHECK(inspect("dated", "byhand").moves_on_write);

  shared_postgres().sql("ALTER TABLE dated DISABLE TRIGGER touch");
  CHECK_FALSE(inspect("dated", "touched").moves_on_write);
  shared_postgres().sql("ALTER TABLE dated ENABLE REPLICA TRIGGER touch");
  CHECK_FALSE(inspect("dated", "touched").moves_on_write);
  shared_postgres().sql(
      "DROP TRIGGER touch ON dated; CREATE TRIGGER touch BEFORE UPDATE OF app ON dated "
      "FOR EACH ROW EXECUTE FUNCTION touch()");
  CHECK_FALSE(inspect("dated", "touched").moves_on_write);
  shared_postgres().sql(
      "DROP TRIGGER touch ON dated; CREATE TRIGGER touch BEFORE UPDATE ON dated FOR EACH ROW "
      "WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION touch()");
  CHECK(inspect("dated", "touched").moves_on_write);
}

TEST_CASE("a numbered row is shown by its sequence", "[postgres][evidence]") {
  shared_postgres().sql(
      "CREATE SEQUENCE shared_seq; CREATE SEQUENCE cached_seq CACHE 20; "
      "CREATE SEQUENCE down_seq INCREMENT -1;"
      "CREATE TABLE counted (i bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, "
      "d int NOT NULL DEFAULT nextval('shared_seq'), c int NOT NULL DEFAULT nextval('cached_seq'), "
      "b int NOT NULL DEFAULT nextval('down_seq'), n int NOT NULL, "
      "x int NOT NULL DEFAULT (nextval('shared_seq') * 2), t text)");
  for (const char* column : {"i", "s", "d"}) {
    CAPTURE(column);
    const CursorEvidence evidence = inspect("counted", column);
    CHECK(evidence.method == "P4");
    CHECK(evidence.proof == ProofKind::transactions);
    CHECK(evidence.server_assigned);
    CHECK(evidence.inserts_only);
    CHECK(evidence.not_null);
    CHECK(evidence.obstacles.empty());
  }
  for (const char* column : {"c", "b"}) {
    CAPTURE(column);
    const CursorEvidence evidence = inspect("counted", column);
    CHECK(evidence.proof == ProofKind::lookback);
    CHECK_FALSE(evidence.server_assigned);
    CHECK(evidence.obstacles.size() == 1);
  }
  CHECK(inspect("counted", "c").obstacles.front().find("CACHE 1") != std::string::npos);
  for (const char* column : {"n", "x"})
    CHECK_FALSE(inspect("counted", column).server_assigned);
  CHECK(inspect("counted", "t").proof == ProofKind::lookback);
}

TEST_CASE("a query's cursor is traced to its table, and an outer join is minded",
          "[postgres][evidence]") {
  shared_postgres().sql(
      "CREATE TABLE orders (id int PRIMARY KEY, changed timestamptz NOT NULL DEFAULT now());"
      "CREATE TABLE lines (order_id int, note text)");
  const auto source = connect(shared_postgres().settings())->open_source();
  const CursorRef cursor{"last_time", "o.changed"};
  const CursorEvidence traced = source->inspect(
      {.query = "SELECT o.id, o.changed AS last_time FROM orders o WHERE {{cursor}}"}, cursor);
  CHECK(traced.server_assigned);
  CHECK(traced.not_null);
  const CursorEvidence padded = source->inspect(
      {.query = "SELECT o.id, o.changed AS last_time FROM lines l LEFT JOIN orders o "
                "ON o.id = l.order_id WHERE {{cursor}}"},
      cursor);
  CHECK(padded.server_assigned);
  CHECK_FALSE(padded.not_null);
  const CursorEvidence computed = source->inspect(
      {.query = "SELECT o.id, max(o.changed) AS last_time FROM orders o WHERE {{cursor}} "
                "GROUP BY o.id"},
      cursor);
  CHECK_FALSE(computed.server_assigned);
  CHECK_FALSE(computed.notes.empty());
}

TEST_CASE("rows that come by other ways than transactions are not proven", "[postgres][evidence]") {
  shared_postgres().sql(
      "CREATE TABLE base (id int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());"
      "CREATE MATERIALIZED VIEW copied AS SELECT * FROM base;"
      "CREATE VIEW seen AS SELECT * FROM base");
  CHECK(inspect("copied", "at").proof == ProofKind::lookback);
  const CursorEvidence view = inspect("seen", "at");
  CHECK_FALSE(view.server_assigned);
  CHECK_FALSE(view.not_null);
}
