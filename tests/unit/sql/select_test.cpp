#include "connector/sql/select.h"

#include <catch2/catch.hpp>

#include "test_dialect.h"

using namespace tidemark;
using namespace tidemark::sql;

namespace {

Value number(const std::string& text) {
  return Value::of(make_type(TypeKind::int64), text);
}
Value words(const std::string& text) {
  return Value::of(text_type(), text);
}

ReadPlan table_plan() {
  ReadPlan plan;
  plan.relation.table = TableName{"s", "orders"};
  plan.columns = {{"id", make_type(TypeKind::int64), false},
                  {"changed", make_type(TypeKind::int64), false},
                  {"name", text_type()}};
  plan.key = {{"id", "id"}};
  return plan;
}

ReadPlan query_plan(const std::string& query) {
  ReadPlan plan = table_plan();
  plan.relation.table.reset();
  plan.relation.query = query;
  plan.key = {{"id", "a.oid"}};
  plan.cursor = CursorRef{"changed", "coalesce(a.m, a.c)"};
  plan.order = ReadOrder::cursor;
  return plan;
}

const std::string columns = "SELECT \"id\", \"changed\", \"name\" FROM ";

std::string refusal(const std::string& query, const TestDialect& dialect = {}) {
  try {
    check_query(query, dialect);
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::schema);
    return error.fields().message;
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a table is read whole, by key or by cursor", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = table_plan();
  CHECK(build_select(plan, dialect) == columns + "\"s\".\"orders\"");
  plan.order = ReadOrder::key;
  CHECK(build_select(plan, dialect) ==
        columns + "\"s\".\"orders\" ORDER BY \"s\".\"orders\".\"id\"");
  plan.cursor = CursorRef{"changed", "changed"};
  plan.order = ReadOrder::cursor;
  plan.max_rows = 7;
  CHECK(build_select(plan, dialect) ==
        columns +
            "\"s\".\"orders\" ORDER BY \"s\".\"orders\".\"changed\", \"s\".\"orders\".\"id\" "
            "LIMIT 7");
  CHECK(build_select(plan, dialect, {.limit = 5}).ends_with(" LIMIT 5"));
  CHECK(build_select(plan, dialect, {.limit = 9}).ends_with(" LIMIT 7"));
}

TEST_CASE("the lower bound is an index range and strict on the whole position", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = table_plan();
  plan.cursor = CursorRef{"changed", "changed"};
  plan.after = Position{number("5"), {number("9")}};
  const std::string prefix = columns + "\"s\".\"orders\" WHERE ";
  CHECK(build_select(plan, dialect) ==
        prefix + "\"changed\" >= 5 AND (\"changed\" > 5 OR (\"changed\" = 5 AND \"id\" > 9))");
  plan.after->key.clear();
  CHECK(build_select(plan, dialect) == prefix + "\"changed\" > 5");
  plan.after.reset();
  plan.from = number("3");
  plan.below = number("8");
  plan.relation.where = "kind = 'x' -- note";
  CHECK(build_select(plan, dialect) ==
        prefix + "(kind = 'x' -- note\n) AND \"changed\" >= 3 AND \"changed\" < 8");
}

TEST_CASE("composite keys nest", "[sql]") {
  CHECK(tuple_bound({"a", "b", "c"}, {"1", "2", "3"}, Side::above) ==
        "a >= 1 AND (a > 1 OR (a = 1 AND b >= 2 AND (b > 2 OR (b = 2 AND c > 3))))");
  CHECK(tuple_bound({"a", "b"}, {"1", "2"}, Side::at_or_above) ==
        "a >= 1 AND (a > 1 OR (a = 1 AND b >= 2))");
  CHECK(tuple_bound({"a", "b"}, {"1", "2"}, Side::below) ==
        "a <= 1 AND (a < 1 OR (a = 1 AND b < 2))");
}

TEST_CASE("a key range is half-open", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = table_plan();
  plan.key = {{"id", "id"}, {"name", "name"}};
  plan.range = KeyRange{{number("1"), words("it's")}, {number("9")}};
  CHECK(build_select(plan, dialect) ==
        columns +
            "\"s\".\"orders\" WHERE \"id\" >= 1 AND (\"id\" > 1 OR (\"id\" = 1 AND \"name\" >= "
            "'it''s')) AND \"id\" < 9");
}

TEST_CASE("NULL cursors are left out, or read alone by key", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = table_plan();
  plan.cursor = CursorRef{"changed", "changed"};
  plan.order = ReadOrder::cursor;
  plan.columns[1].nullable = true;
  CHECK(build_select(plan, dialect).find(" WHERE \"changed\" IS NOT NULL ORDER") !=
        std::string::npos);
  plan.from = number("1");
  CHECK(build_select(plan, dialect).find("NULL") == std::string::npos);
  plan.from.reset();
  plan.null_cursor = NullCursor::only;
  plan.after = Position{Value::null_of(make_type(TypeKind::int64)), {number("4")}};
  CHECK(build_select(plan, dialect) ==
        columns +
            "\"s\".\"orders\" WHERE \"id\" > 4 AND \"changed\" IS NULL ORDER BY "
            "\"s\".\"orders\".\"id\"");
}

TEST_CASE("{{cursor}} takes the range over the source expressions", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = query_plan("SELECT * FROM a WHERE x AND {{cursor}};\n");
  const std::string order = " ORDER BY tidemark_rows.\"changed\", tidemark_rows.\"id\"";
  CHECK(build_select(plan, dialect) ==
        columns + "(SELECT * FROM a WHERE x AND 1=1\n) AS tidemark_rows" + order);
  plan.after = Position{number("5"), {number("9")}};
  CHECK(build_select(plan, dialect) ==
        columns +
            "(SELECT * FROM a WHERE x AND ((coalesce(a.m, a.c)) >= 5 AND ((coalesce(a.m, a.c)) > "
            "5 OR ((coalesce(a.m, a.c)) = 5 AND a.oid > 9)))\n) AS tidemark_rows" +
            order);
  plan.relation.where = "id <> 3";
  CHECK(build_select(plan, dialect).find(" WHERE (id <> 3\n) ORDER") != std::string::npos);
}

TEST_CASE("a query without {{cursor}} is bounded outside by its output names", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = query_plan("SELECT * FROM a -- all");
  plan.after = Position{number("5"), {}};
  plan.range = KeyRange{{number("2")}, {}};
  CHECK(build_select(plan, dialect) ==
        columns +
            "(SELECT * FROM a -- all\n) AS tidemark_rows WHERE \"changed\" > 5 AND \"id\" >= 2 "
            "ORDER BY tidemark_rows.\"changed\", tidemark_rows.\"id\"");
}

TEST_CASE("a read expression does not change what is sorted and compared", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = table_plan();
  plan.order = ReadOrder::key;
  const SelectOptions options{.read = [](const Column& column, const std::string& quoted) {
    return column.name == "id" ? quoted + "::text" : quoted;
  }};
  CHECK(build_select(plan, dialect, options) ==
        "SELECT \"id\"::text AS \"id\", \"changed\", \"name\" FROM \"s\".\"orders\" ORDER BY "
        "\"s\".\"orders\".\"id\"");
}

TEST_CASE("hostile names and values stay names and values", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan;
  plan.relation.table = TableName{"", "a\"; DROP TABLE x; --"};
  plan.columns = {{"c\"1", text_type(), false}};
  plan.key = {{"c\"1", "c\"1"}};
  plan.after = Position{{}, {words("' OR 1=1 --")}};
  CHECK(build_select(plan, dialect) ==
        "SELECT \"c\"\"1\" FROM \"a\"\"; DROP TABLE x; --\" WHERE \"c\"\"1\" > ''' OR 1=1 --'");
}

TEST_CASE("a contradictory plan is our own fault", "[sql]") {
  const TestDialect dialect;
  ReadPlan plan = table_plan();
  plan.order = ReadOrder::cursor;
  CHECK_THROWS_AS(build_select(plan, dialect), Error);
  plan = table_plan();
  plan.after = Position{number("1"), {number("1"), number("2")}};
  CHECK_THROWS_AS(build_select(plan, dialect), Error);
  plan = table_plan();
  plan.relation.query = "SELECT 1";
  CHECK_THROWS_AS(build_select(plan, dialect), Error);
}

TEST_CASE("a query is described without reading rows", "[sql]") {
  const TestDialect dialect;
  CHECK(describe_query("SELECT 1 AS a WHERE {{cursor}}", dialect) ==
        "SELECT * FROM (SELECT 1 AS a WHERE 1=1\n) AS tidemark_rows WHERE 1=0");
  CHECK(describe_relation({.table = TableName{"s", "t"}}, dialect) ==
        "SELECT * FROM \"s\".\"t\" WHERE 1=0");
}

TEST_CASE("a query with an order or limit of its own is refused with its line", "[sql]") {
  CHECK(refusal("SELECT 1\nFROM t\nORDER  BY 1") ==
        "the query can't be used: it has ORDER BY at its top level (line 3 of it)");
  CHECK(refusal("select 1 limit 3") ==
        "the query can't be used: it has LIMIT at its top level (line 1 of it)");
  CHECK(refusal("select 1 offset 3").find("OFFSET") != std::string::npos);
  CHECK(refusal("select 1 fetch first row only").find("FETCH") != std::string::npos);
  CHECK(refusal("SELECT a.limit, offset, x AS limit FROM t") == "accepted");
  CHECK(refusal("SELECT * FROM (SELECT 1 ORDER BY 1 LIMIT 1) x") == "accepted");
  CHECK(refusal("SELECT row_number() OVER (ORDER BY a), 'ORDER BY', \"limit\" /* LIMIT 1 */ "
                "FROM t -- LIMIT 2") == "accepted");
  CHECK(refusal("WITH x AS (SELECT 1 LIMIT 1) SELECT * FROM x") == "accepted");
  CHECK(refusal("(SELECT 1) UNION (SELECT 2)") == "accepted");
}

TEST_CASE("what is no single SELECT is refused", "[sql]") {
  CHECK(refusal("DELETE FROM t").find("does not begin with SELECT") != std::string::npos);
  CHECK(refusal("SELECT 1; DROP TABLE t").find("more than one statement") != std::string::npos);
  CHECK(refusal("SELECT 1 ; -- done\n ") == "accepted");
  CHECK(refusal("  -- nothing\n").find("is empty") != std::string::npos);
  CHECK(refusal("SELECT 1) UNION (SELECT 2").find("never opened") != std::string::npos);
  CHECK(refusal("SELECT (1").find("never closed") != std::string::npos);
  CHECK(refusal("SELECT 'abc").find("quote is never closed") != std::string::npos);
  CHECK(refusal("SELECT 1 /* x").find("comment is never closed") != std::string::npos);
}

TEST_CASE("{{cursor}} counts only where code stands", "[sql]") {
  CHECK(refusal("SELECT '{{cursor}}'").find("inside quotes") != std::string::npos);
  CHECK(refusal("SELECT 1 -- {{cursor}}").find("inside a comment") != std::string::npos);
  CHECK(refusal("SELECT 1 WHERE {{ cursor }}").find("placeholder") != std::string::npos);
  CHECK(refusal("SELECT 1 WHERE {{from}}").find("placeholder") != std::string::npos);
}

TEST_CASE("each database's own quotes and comments are understood", "[sql]") {
  TestDialect postgres;
  postgres.lexis_ = {.escape_strings = true, .dollar_quotes = true, .nested_comments = true};
  CHECK(refusal("SELECT $x$ LIMIT ' $x$, E'it\\'s LIMIT 1', $1, a$b /* /* */ LIMIT */ FROM t",
                postgres) == "accepted");
  CHECK(refusal("SELECT 'back\\' LIMIT 1", postgres).find("LIMIT") != std::string::npos);
  TestDialect mysql;
  mysql.lexis_ = {.backslash_escapes = true,
                  .backquotes = true,
                  .hash_comments = true,
                  .comments_run = true,
                  .dashes_need_blank = true};
  CHECK(refusal("SELECT `limit`, 'it\\'s LIMIT 1', \"a\\\" LIMIT\", 5--1 # LIMIT\nFROM t", mysql) ==
        "accepted");
  // A limit or a parenthesis that only the server sees.
  CHECK(refusal("SELECT a FROM t /*! LIMIT 1 */", mysql).find("server runs") != std::string::npos);
  CHECK(refusal("SELECT a FROM t /*M!100100 ) LIMIT 1 */", mysql).find("server runs") !=
        std::string::npos);
  CHECK(refusal("SELECT /*+ NO_ICP(t) */ a FROM t /* ! */", mysql) == "accepted");
  CHECK(refusal("SELECT a FROM t /*! doc */", postgres) == "accepted");
  TestDialect sqlite;
  sqlite.lexis_ = {.backquotes = true, .brackets = true};
  CHECK(refusal("SELECT [order by], [it's] FROM [limit x]", sqlite) == "accepted");
  CHECK(refusal("SELECT a[1] FROM t LIMIT 1", postgres).find("LIMIT") != std::string::npos);
}
