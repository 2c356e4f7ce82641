// Types against a real server: what it stores is what is read, and what is written is what it has.
#include <algorithm>
#include <catch2/catch.hpp>

#include "connector/postgres/numeric.h"
#include "connector/postgres/types.h"
#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// Each column's type and values as the server takes them; read back as the server prints them.
struct Sample {
  const char* type;
  std::vector<const char*> values;
  /// How the server prints the canonical text of the column `v`.
  const char* canonical = "v::text";
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"boolean", {"true", "false"}},
      {"smallint", {"-32768", "32767"}},
      {"integer", {"-2147483648", "2147483647"}},
      {"bigint", {"-9223372036854775808", "9223372036854775807"}},
      {"numeric",
       {"0", "0.00", "-0.000000000000000000000000000001", "1.10", "NaN", "Infinity", "-Infinity",
        "123456789012345678901234567890.12345678901234567890", "10000", "1e100", "1e-100",
        "9999.99990000"}},
      {"numeric(12,2)", {"-9999999999.99", "0.00", "NaN"}},
      {"numeric(5,-2)", {"1234500"}},
      {"numeric(3,5)", {"0.00999"}},
      {"text", {"", " ", "鸡🐔", "a\tb\nc\\d\"e", "NULL", "\\N", "\\."}},
      {"varchar(5)", {"abcde", "鸡鸡鸡鸡鸡", "a   "}},
      {"char(5)", {"ab", "", "abcde"}},
      {"bytea", {"\\x", "\\x00ff0a0d5c27"}, "encode(v, 'hex')"},
      {"date",
       {"4713-01-01 BC", "0044-03-15 BC", "0001-01-01", "1999-12-31", "2000-01-01", "9999-12-31",
        "5874897-12-31", "infinity", "-infinity"}},
      {"time", {"00:00:00", "24:00:00", "23:59:59.999999", "00:00:00.000001"}},
      {"time(0)", {"12:00:00"}},
      {"timestamp",
       {"4713-01-01 00:00:00 BC", "1999-12-31 23:59:59.999999", "2000-01-01 00:00:00",
        "294276-12-31 23:59:59.999999", "infinity", "-infinity"}},
      {"timestamp(3)", {"2024-01-01 00:00:00.123"}},
      {"timestamptz",
       {"1969-12-31 23:59:59.999999+00", "2024-07-01 12:00:00+08", "infinity", "-infinity"}},
      {"uuid", {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
      {"json", {"{\"b\": 1,  \"a\": 2, \"a\": 3}", "[1.0, 1e2, \"\\u00e9\"]", "null"}},
      {"jsonb", {"{\"b\": 1, \"a\": [1.10, null]}", "\"x\""}},
  };
  return all;
}

TableName made_table(const std::string& name, const std::string& definition) {
  shared_postgres().sql("CREATE TABLE " + name + " (" + definition + ")");
  return {"public", name};
}

}  // namespace

TEST_CASE("every type is read as the server has it and arrives equal in the same type",
          "[postgres][types]") {
  const auto connector = connect(shared_postgres().settings());
  int number = 0;
  for (const Sample& sample : samples()) {
    CAPTURE(sample.type);
    const std::string name = "typed_" + std::to_string(++number);
    made_table(name, std::string("id int PRIMARY KEY, v ") + sample.type);
    std::string inserts;
    int id = 0;
    for (const char* value : sample.values) {
      std::string quoted;
      for (const char c : std::string(value))
        quoted += c == '\'' ? "''" : std::string(1, c);
      inserts +=
          "INSERT INTO " + name + " VALUES (" + std::to_string(++id) + ", '" + quoted + "');";
    }
    inserts += "INSERT INTO " + name + " VALUES (" + std::to_string(++id) + ", NULL)";
    shared_postgres().sql(inserts);

    const auto source = connector->open_source();
    const ReadPlan plan = table_plan(*source, {"public", name});
    Batch batch(std::make_shared<const Schema>(plan.columns));
    REQUIRE(source->read(plan)->next(batch));
    CHECK(batch.rows() == sample.values.size() + 1);
    CHECK(batch.column(1).is_null(batch.rows() - 1));
    const auto session = connector->open_source();
    for (std::size_t row = 0; row + 1 < batch.rows(); ++row) {
      // The server itself says that the canonical text is this value.
      CAPTURE(row, sample.values[row]);
      const std::string text = text_of(batch.column(1), row);
      const std::string literal =
          plan.columns[1].type.kind == TypeKind::bytes ? "\\x" + text : text;
      std::string quoted;
      for (const char c : literal)
        quoted += c == '\'' ? "''" : std::string(1, c);
      CHECK(shared_postgres().sql("SELECT ROW(v)::record *= ROW('" + quoted + "'::" + sample.type +
                                  ")::record FROM " + name +
                                  " WHERE id = " + std::to_string(row + 1)) == "t\n");
    }

    // Into a table made by us, and into one of the very same type: equal by bytes.
    for (const bool existing : {false, true}) {
      const std::string copy = name + (existing ? "_same" : "_made");
      if (existing) made_table(copy, std::string("id int PRIMARY KEY, v ") + sample.type);
      const auto target = connector->open_target();
      const WriteSpec spec = make_spec({"public", copy}, plan.columns, {"id"});
      for (const ColumnVerdict& verdict : target->plan(spec).columns)
        CHECK(verdict.fidelity == Fidelity::lossless);
      CHECK(write_batch(*target, spec, batch).inserted == batch.rows());
      CHECK(shared_postgres().sql("SELECT count(*) FROM " + name + " a JOIN " + copy +
                                  " b ON a.id = b.id AND ROW(a.v)::record *= ROW(b.v)::record") ==
            std::to_string(batch.rows()) + "\n");
      CHECK(write_batch(*target, spec, batch) == WriteCounts{.unchanged = batch.rows()});
    }
  }
}

TEST_CASE("floats keep every bit", "[postgres][types]") {
  made_table("floats", "id int PRIMARY KEY, f real, d double precision");
  shared_postgres().sql(
      "INSERT INTO floats VALUES (1, '-0', '-0'), (2, '1e-45', '5e-324'), (3, 'NaN', 'NaN'), "
      "(4, 'Infinity', '-Infinity'), (5, 16777217, 0.1), (6, '3.4028235e38', "
      "'1.7976931348623157e308'), (7, 0.1, 9007199254740993)");
  const auto connector = connect(shared_postgres().settings());
  const auto source = connector->open_source();
  const ReadPlan plan = table_plan(*source, {"public", "floats"});
  Batch batch(std::make_shared<const Schema>(plan.columns));
  REQUIRE(source->read(plan)->next(batch));
  CHECK(text_of(batch.column(1), 0) == "-0");
  CHECK(text_of(batch.column(1), 1) == "1e-45");
  const auto target = connector->open_target();
  write_batch(*target, make_spec({"public", "floats_copy"}, plan.columns, {"id"}), batch);
  CHECK(shared_postgres().sql(
            "SELECT count(*) FROM floats a JOIN floats_copy b ON a.id = b.id "
            "AND float4send(a.f) = float4send(b.f) AND float8send(a.d) = float8send(b.d)") ==
        "7\n");
}

TEST_CASE("the server's numeric_send and ours are the same bytes", "[postgres][types]") {
  for (const char* text : {"0", "0.00", "-12345.678", "0.00001234", "10000", "1e50", "NaN", "-0.1",
                           "99999999.99999999"}) {
    CAPTURE(text);
    const std::string canonical = canonical_decimal(text);
    std::string ours;
    REQUIRE(postgres::encode_numeric(canonical, ours));
    CHECK(shared_postgres().sql("SELECT encode(numeric_send('" + canonical + "'), 'hex')") ==
          to_hex(ours) + "\n");
  }
}

TEST_CASE("intervals keep months, days and microseconds apart", "[postgres][types]") {
  made_table("spans", "id int PRIMARY KEY, v interval");
  shared_postgres().sql(
      "INSERT INTO spans VALUES (1, '1 mon'), (2, '30 days'), (3, '-1 mon 5 days -00:00:00.5')");
  const auto source = connect(shared_postgres().settings())->open_source();
  const ReadPlan plan = table_plan(*source, {"public", "spans"});
  CHECK(read_rows(*source, plan) ==
        std::vector<std::string>{R"(1|{"months":1,"days":0,"micros":0})",
                                 R"(2|{"months":0,"days":30,"micros":0})",
                                 R"(3|{"months":-1,"days":5,"micros":-500000})"});
}

TEST_CASE("a type without a logical kind is described by its server's name for it",
          "[postgres][types]") {
  shared_postgres().sql(
      "CREATE TYPE feeling AS ENUM ('ok'); CREATE DOMAIN above_zero AS int CHECK (VALUE > 0); "
      "CREATE DOMAIN short AS varchar(7); CREATE DOMAIN shorter AS short");
  made_table("strange",
             "id int PRIMARY KEY, m feeling, p above_zero, s shorter, a int[], i inet, t timetz, "
             "x xml, b bit(3), c \"char\", o oid, f xid8");
  const auto source = connect(shared_postgres().settings())->open_source();
  for (const bool query : {false, true}) {
    Relation relation;
    if (query)
      relation.query = "SELECT * FROM strange";
    else
      relation.table = TableName{"public", "strange"};
    const SourceDescription description = source->describe(relation);
    CHECK(description.unsupported.empty());
    std::string types;
    for (const Column& column : description.columns)
      types += to_string(column.type) + " ";
    CHECK(types ==
          "int32 postgres:feeling int32 varchar(7) postgres:integer[] postgres:inet "
          "postgres:time with time zone postgres:xml postgres:bit(3) postgres:\"char\" uint32 "
          "uint64 ");
    CHECK(description.system_columns.size() == (query ? 0 : 1));
  }

  const auto target = connect(shared_postgres().settings())->open_target();
  const auto verdict = [&](const Type& type, const char* column) {
    const WriteSpec spec = make_spec(
        {"public", "strange"}, {{"id", make_type(TypeKind::int32), false}, {column, type}}, {"id"});
    return target->plan(spec).columns.at(1);
  };
  CHECK(verdict(text_type(), "i").fidelity == Fidelity::lossy);
  CHECK(verdict(parse_type("postgres:inet"), "i").fidelity == Fidelity::lossless);
  CHECK(verdict(parse_type("postgres:cidr"), "i").fidelity == Fidelity::lossy);
  CHECK(verdict(parse_type("mysql:inet4"), "i").fidelity == Fidelity::lossless);
  CHECK(verdict(parse_type("mysql:bit(3)"), "b").fidelity == Fidelity::lossless);
  CHECK(verdict(parse_type("mysql:bit(4)"), "b").fidelity == Fidelity::lossy);
  CHECK(verdict(make_type(TypeKind::int32), "i").fidelity == Fidelity::impossible);
  CHECK(verdict(text_type(7), "s").fidelity == Fidelity::lossless);
  CHECK(verdict(text_type(8), "s").fidelity == Fidelity::lossy);
}

TEST_CASE("a column that changed its type since the plan is refused, not misread",
          "[postgres][types]") {
  made_table("moving", "id int PRIMARY KEY, v bigint");
  shared_postgres().sql("INSERT INTO moving VALUES (1, 5)");
  const auto source = connect(shared_postgres().settings())->open_source();
  const ReadPlan plan = table_plan(*source, {"public", "moving"});
  shared_postgres().sql("ALTER TABLE moving ALTER v TYPE double precision");
  try {
    read_rows(*source, plan);
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::schema);
    CHECK(error.fields().column == "v");
  }
  CHECK(read_rows(*source, table_plan(*source, {"public", "moving"})) ==
        std::vector<std::string>{"1|5"});
}

TEST_CASE("sessions are pinned whatever the server's defaults are", "[postgres][session]") {
  shared_postgres().sql(
      "CREATE ROLE german LOGIN PASSWORD 'g'; ALTER ROLE german SET datestyle = 'German'; "
      "ALTER ROLE german SET timezone = 'Asia/Shanghai'; ALTER ROLE german SET intervalstyle = "
      "'sql_standard'; ALTER ROLE german SET extra_float_digits = 0; ALTER ROLE german SET "
      "bytea_output = 'escape'; ALTER ROLE german SET standard_conforming_strings = off; "
      "ALTER ROLE german SET statement_timeout = '7s'");
  made_table("pinned", "id int PRIMARY KEY, at timestamptz, local timestamp");
  shared_postgres().sql(
      "INSERT INTO pinned VALUES (1, '2024-02-03 04:05:06+00', '2024-02-03'); "
      "GRANT SELECT ON pinned TO german");
  ConnectionSettings settings = shared_postgres().settings();
  settings.user = "german";
  settings.password = Secret("g");
  const auto source = connect(settings)->open_source();
  ReadPlan plan = table_plan(*source, {"public", "pinned"}, "at");
  plan.from = Value::of(plan.columns[1].type, "2024-02-03 04:05:06+00");
  CHECK(read_rows(*source, plan) ==
        std::vector<std::string>{"1|2024-02-03 04:05:06+00|2024-02-03 00:00:00"});
  ReadPlan shown;
  shown.relation.query =
      "SELECT current_setting('timezone') || ' ' || current_setting('datestyle') || ' ' || "
      "current_setting('default_transaction_read_only') || ' ' || "
      "current_setting('statement_timeout') || ' ' || current_setting('application_name') AS s";
  shown.columns = source->describe(shown.relation).columns;
  CHECK(read_rows(*source, shown) == std::vector<std::string>{"UTC ISO, YMD on 0 tidemark"});
}
