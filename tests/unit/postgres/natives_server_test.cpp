// Types without a logical kind: what is read and written back is, for the server, the same value.
#include <catch2/catch.hpp>
#include <sstream>

#include "connector/postgres/natives.h"
#include "connector/postgres/type_samples.h"
#include "connector/postgres/types.h"
#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

struct Sample {
  std::string type;
  std::vector<std::string> values;  ///< SQL
};

/// Types of the user's own, of each kind, in a schema that is not on the path.
void make_types() {
  static const bool made = [] {
    shared_postgres().sql(
        "CREATE SCHEMA app; CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'a,b', '鸡'); "
        "CREATE TYPE app.pair AS (a integer, \"B c\" text, d numeric(6,2)); "
        "CREATE DOMAIN email AS varchar(40) CHECK (value LIKE '%@%'); "
        "CREATE DOMAIN app.short_email AS email; CREATE DOMAIN moods AS mood[]; "
        "CREATE DOMAIN positive AS numeric(8,3) CHECK (value > 0); CREATE DOMAIN ip AS inet; "
        "CREATE TYPE floatrange AS RANGE (subtype = float8); "
        "CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; "
        "CREATE EXTENSION IF NOT EXISTS ltree; CREATE EXTENSION IF NOT EXISTS cube");
    return true;
  }();
  static_cast<void>(made);
}

const std::vector<Sample>& samples() {
  static const std::vector<Sample> all{
      {"bit(8)", {"B'00000000'", "B'10100101'"}},
      {"bit(70)", {"repeat('10', 35)::bit(70)"}},
      {"bit varying", {"B''", "B'0'", "B'101'", "repeat('1', 2000)::varbit"}},
      {"bit varying(5)", {"B'10101'"}},
      {"time with time zone", {"'00:00:00+00'", "'23:59:59.999999-15:59:59'", "'24:00:00+05:30'"}},
      {"time(3) with time zone", {"'12:00:00.125+08'"}},
      {"money",
       {"'-92233720368547758.08'", "'92233720368547758.07'", "'0'", "'-0.01'", "'1234567.89'"}},
      {"inet",
       {"'1.2.3.4'", "'1.2.3.4/24'", "'::1'", "'::'", "'2001:db8::1/64'", "'::ffff:1.2.3.4'"}},
      {"cidr", {"'10.0.0.0/8'", "'1.2.3.4/32'", "'2001:db8::/32'", "'0.0.0.0/0'"}},
      {"macaddr", {"'08:00:2b:01:02:03'"}},
      {"macaddr8", {"'08:00:2b:01:02:03:04:05'"}},
      {"xml",
       {"'<?xml version=\"1.0\" encoding=\"utf-8\"?><a b=\"c\">鸡 &amp; </a>'", "'text <x/>'",
        "''"}},
      {"jsonpath", {"'$.a[*] ? (@.b > 1.50)'", "'strict $.\"x y\"'"}},
      {"tsvector", {"'a:1A fat:2B,4C cat:5D'", "''", "'''it''''s'' ''x y'':3'"}},
      {"tsquery", {"'fat & (rat | cat:AB) & !dog'", "'a <-> b'", "''", "'sup:*'"}},
      {"point", {"'(1,2)'", "'(-0,1e-300)'", "'(NaN,Infinity)'", "'(0.1,0.30000000000000004)'"}},
      {"line", {"'{1,-1,0}'", "'{0.1,-1,3}'"}},
      {"lseg", {"'[(1,2),(3,4)]'"}},
      {"box", {"'(3,4),(1,2)'"}},
      {"path", {"'((1,2),(3,4))'", "'[(1,2),(3,4)]'"}},
      {"polygon", {"'((0,0),(0,1),(1,1))'"}},
      {"circle", {"'<(1,2),3.5>'"}},
      {"int4range", {"'[1,5)'", "'empty'", "'(,)'", "'[-2147483648,)'"}},
      {"int8range", {"'[1,5]'"}},
      {"numrange", {"'(1.10,2.200]'", "'[1.0,)'", "'(-Infinity,Infinity)'"}},
      {"daterange", {"'[2024-01-01,2024-02-01)'", "'[0044-03-15 BC,infinity]'"}},
      {"tsrange", {"'(2024-01-01 00:00:00.000001,]'"}},
      {"tstzrange", {"'[2024-01-01 00:00:00+08,infinity)'"}},
      {"int4multirange", {"'{[1,3),[5,9)}'", "'{}'"}},
      {"nummultirange", {"'{(1.0,2.00],[5,)}'"}},
      {"tstzmultirange", {"'{[2024-01-01 00:00:00+08,2024-01-02 00:00:00+08)}'"}},
      {"integer[]",
       {"'{}'", "'{1,NULL,-3}'", "'[0:2]={1,2,3}'", "'[-1:0][2:3]={{1,2},{3,NULL}}'",
        "'{{{1},{2}},{{3},{4}}}'"}},
      {"text[]", {"ARRAY['', 'NULL', NULL, 'a\"b', 'c\\d', ' e ', '{}', ',', '鸡', E'x\\ny']"}},
      {"numeric(5,2)[]", {"'{1.50,NaN,-999.99}'"}},
      {"double precision[]", {"'{NaN,-Infinity,-0,5e-324,0.1,1.7976931348623157e308}'"}},
      {"timestamp with time zone[]", {"'{2024-07-01 12:00:00.000001+08,infinity,0044-01-01 BC}'"}},
      {"bytea[]", {"ARRAY['\\x00ff5c'::bytea, NULL, '\\x']"}},
      {"interval[]", {"'{1 mon,30 days,-00:00:00.000001}'"}},
      {"jsonb[]", {"ARRAY['{\"a\": [1.10, null]}'::jsonb]"}},
      {"name", {"'pg_class'", "repeat('n', 63)"}},
      {"\"char\"", {"'a'", "''", "'\\'", "(-1)::\"char\"", "(-128)::\"char\"", "127::\"char\""}},
      {"xid", {"'0'", "'4294967295'"}},
      {"cid", {"'7'"}},
      {"tid", {"'(4294967295,65535)'", "'(0,1)'"}},
      {"oid", {"0", "4294967295"}},
      {"xid8", {"'0'", "'18446744073709551615'"}},
      {"pg_lsn", {"'0/0'", "'FFFFFFFF/FFFFFFFF'"}},
      {"pg_snapshot", {"'10:20:10,14,15'"}},
      {"int2vector", {"'1 2 3'"}},
      {"oidvector", {"'1 4294967295'"}},
      {"refcursor", {"'a cursor'"}},
      {"mood", {"'sad'", "'it''s ok'", "'a,b'", "'鸡'"}},
      {"mood[]", {"'{sad,NULL,\"a,b\"}'"}},
      {"app.pair", {"ROW(1, 'x,\"y\"\\', 2.50)", "ROW(NULL, NULL, NULL)", "ROW(NULL, '', NULL)"}},
      {"app.pair[]", {"ARRAY[ROW(1, 'x', 2.5), NULL]::app.pair[]"}},
      {"email", {"'a@b'"}},
      {"app.short_email", {"'c@d'"}},
      {"moods", {"'{sad,sad}'"}},
      {"positive", {"12345.678"}},
      {"ip", {"'10.0.0.1/8'"}},
      {"floatrange", {"'[0.1,0.2)'"}},
      {"hstore", {"'a=>1, \"b c\"=>NULL, d=>\"NULL\", \"q\\\"\"=>\"\"'", "''"}},
      {"citext", {"'MiXed'"}},
      {"ltree", {"'Top.Science.Astronomy'"}},
      {"cube", {"'(1,2),(3,4.5)'"}},
  };
  return all;
}

/// Rows of a source that are not in the target with the same bytes, or the other way round.
std::string differing(const std::string& source, const std::string& target) {
  std::string type = shared_postgres().sql(
      "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'v' AND attrelid "
      "= '" +
      target + "'::regclass");
  type.pop_back();
  // A source of a domain compares as the type below it, which the copy has.
  return shared_postgres().sql("SELECT count(*) FROM " + source + " s FULL JOIN " + target +
                               " t USING (id) WHERE ROW((s.v)::" + type +
                               ")::record *<> ROW(t.v)::record OR "
                               "(s.v)::text IS DISTINCT FROM (t.v)::text");
}

void round_trip(const std::string& table, WriteMode write) {
  const auto connector = connect(shared_postgres().settings());
  const auto source = connector->open_source();
  const auto target = connector->open_target();
  const ReadPlan plan = table_plan(*source, {"public", table});
  const std::string copy = table + (write == WriteMode::append ? "_added" : "_copy");
  const WriteSpec spec = make_spec(
      {"public", copy}, plan.columns,
      write == WriteMode::append ? std::vector<std::string>{} : std::vector<std::string>{"id"},
      write);
  target->prepare(spec);
  const CheckpointRecord checkpoint = next_checkpoint(*target, spec);
  const auto load = begin_load(*target, spec);
  const auto reader = source->read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  while (reader->next(batch)) {
    if (write == WriteMode::upsert)
      load->upsert(batch);
    else
      load->append(batch);
  }
  load->save(checkpoint);
  load->commit();
  CHECK(differing(table, copy) == "0\n");
}

}  // namespace

TEST_CASE("a type without a logical kind arrives as it was, and again unchanged",
          "[postgres][types]") {
  make_types();
  int number = 0;
  for (const Sample& sample : samples()) {
    CAPTURE(sample.type);
    const std::string table = "native_" + std::to_string(++number);
    std::string statements = "CREATE TABLE " + table + " (id serial PRIMARY KEY, v " + sample.type +
                             "); INSERT INTO " + table + " (v) VALUES (NULL);";
    for (const std::string& value : sample.values)
      statements += "INSERT INTO " + table + " (v) VALUES (" + value + ");";
    shared_postgres().sql(statements);
    round_trip(table, WriteMode::upsert);
    round_trip(table, WriteMode::append);
    round_trip(table, WriteMode::replace);
    // The copy has the source's type; a domain's copy that of the type below it.
    CHECK(shared_postgres().sql("SELECT count(*) FROM pg_attribute s JOIN pg_attribute t USING "
                                "(attname) JOIN pg_type d ON d.oid = s.atttypid WHERE attname = "
                                "'v' AND d.typtype <> 'd' AND s.attrelid = '" +
                                table + "'::regclass AND t.attrelid = '" + table +
                                "_copy'::regclass AND (s.atttypid, s.atttypmod) <> (t.atttypid, "
                                "t.atttypmod)") == "0\n");
  }
}

namespace {

/// Types of the catalogue that a target holds as text, each with its reason (natives.cpp).
std::vector<std::string> catalogue_types() {
  std::vector<std::string> names;
  std::istringstream list(shared_postgres().sql(
      "SELECT format_type(oid, NULL) FROM pg_type WHERE typtype IN ('b', 'd', 'e', 'r', 'm', 'c') "
      "AND typnamespace = 'pg_catalog'::regnamespace ORDER BY 1"));
  for (std::string name; std::getline(list, name);)
    names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("every type of the catalogue is read, and held as itself or as text with a reason",
          "[postgres][types]") {
  const std::vector<std::string> names = catalogue_types();
  REQUIRE(names.size() > 400);
  const auto connector = connect(shared_postgres().settings());
  const auto source = connector->open_source();
  const auto target = connector->open_target();
  std::size_t as_text = 0;
  for (const std::string& name : names) {
    CAPTURE(name);
    Relation relation;
    relation.query = "SELECT NULL::" + name + " AS v, 1 AS id";
    const SourceDescription described = source->describe(relation);
    REQUIRE(described.unsupported.empty());
    REQUIRE(described.columns.size() == 2);
    const Column& column = described.columns.front();
    if (column.type.kind == TypeKind::native)
      CHECK(to_string(column.type) == "postgres:" + column.native_type);
    // The expression is one that the server takes.
    ReadPlan plan;
    plan.relation = relation;
    plan.columns = described.columns;
    CHECK(read_rows(*source, plan) == std::vector<std::string>{"∅|1"});
    const ColumnVerdict verdict = postgres_connector().holds(column);
    CHECK(verdict.fidelity == Fidelity::lossless);
    if (verdict.target_type != "text" || column.type.kind == TypeKind::text) continue;
    ++as_text;
    CHECK(verdict.note.starts_with("as text: "));
    CHECK_FALSE(postgres::held_as_text(column.native_type).empty());
  }
  CHECK(as_text > 10);
  CHECK(as_text < 60);
  for (const TypeSample& sample : postgres_connector().types()) {
    CAPTURE(sample.column.native_type);
    CHECK((sample.column.type.kind == TypeKind::native) == !sample.canonical.empty());
  }
}

TEST_CASE("a text that is no value of its type is located, and nothing of the batch stays",
          "[postgres][types]") {
  make_types();
  const auto connector = connect(shared_postgres().settings());
  const auto target = connector->open_target();
  const Schema columns{{"id", make_type(TypeKind::int32), false},
                       {"m", parse_type("postgres:mood")},
                       {"b", parse_type("postgres:bit(4)")},
                       {"n", parse_type("postgres:numeric(5,2)[]")}};
  struct Bad {
    const char* mood;
    const char* bits;
    const char* numbers;
    const char* column;
  };
  int number = 0;
  for (const WriteMode write : {WriteMode::upsert, WriteMode::append, WriteMode::replace}) {
    for (const Bad& bad :
         {Bad{"secret", "0000", "{}", "m"}, Bad{"sad", "00000", "{}", "b"},
          Bad{"sad", "0x12", "{}", "b"}, Bad{"sad", "0000", "{1.234}", "n"},
          Bad{"sad", "0000", "{secret}", "n"}, Bad{"sad", "0000", "{ 1.00}", "n"}}) {
      CAPTURE(bad.column, bad.mood, bad.bits, bad.numbers);
      const std::string table = "located_" + std::to_string(++number);
      const WriteSpec spec = make_spec(
          {"public", table}, columns,
          write == WriteMode::append ? std::vector<std::string>{} : std::vector<std::string>{"id"},
          write);
      std::vector<std::vector<const char*>> rows(20, {"1", "sad", "0101", "{1.00}"});
      std::vector<std::string> ids;
      for (int id = 0; id < 20; ++id)
        ids.push_back(std::to_string(id));
      for (std::size_t row = 0; row < rows.size(); ++row)
        rows[row][0] = ids[row].c_str();
      rows[13] = {ids[13].c_str(), bad.mood, bad.bits, bad.numbers};
      const Batch batch = make_batch(columns, rows);
      try {
        write_batch(*target, spec, batch);
        FAIL("it was written");
      } catch (const Error& error) {
        CHECK(error.kind() == FailureKind::conversion);
        CHECK(error.fields().row == 13);
        CHECK(error.fields().column == bad.column);
        CHECK(std::string(error.what()).find("secret") == std::string::npos);
      }
      CHECK(shared_postgres().sql("SELECT count(*) FROM " + table) == "0\n");
    }
  }
}

TEST_CASE("a database without the type holds its values as text", "[postgres][types]") {
  make_types();
  shared_postgres().sql("CREATE DATABASE bare");
  ConnectionSettings bare = shared_postgres().settings();
  bare.database = "bare";
  const auto target = connect(bare)->open_target();
  const Schema columns{{"id", make_type(TypeKind::int32), false},
                       {"m", parse_type("postgres:mood")},
                       {"i", parse_type("postgres:inet")},
                       {"r", parse_type("postgres:regclass")}};
  const WriteSpec spec = make_spec({"public", "moods"}, columns, {"id"});
  const TargetPlan plan = target->plan(spec);
  REQUIRE(plan.problems.empty());
  CHECK(plan.columns.at(1).target_type == "text");
  CHECK(plan.columns.at(1).note.find("has no type mood") != std::string::npos);
  CHECK(plan.columns.at(2).target_type == "inet");
  CHECK(plan.columns.at(3).target_type == "text");
  CHECK(plan.write_path.first_load.empty());
  CHECK(plan.write_path.usual.find("(the server reads m, i, r as text)") != std::string::npos);
  const Batch batch = make_batch(columns, {{"1", "sad", "10.0.0.1", "pg_class"}});
  CHECK(write_batch(*target, spec, batch).inserted == 1);
  CHECK(write_batch(*target, spec, batch).unchanged == 1);
}

TEST_CASE("a plan says that the key is built last only where it will be", "[postgres][types]") {
  const auto target = connect(shared_postgres().settings())->open_target();
  const Schema columns{{"id", make_type(TypeKind::int32), false}, {"v", text_type()}};
  WriteSpec spec = make_spec({"public", "to_fill"}, columns, {"id"});
  const auto first_load = [&] { return target->plan(spec).write_path.first_load; };
  CHECK(first_load().find("key is built last") == std::string::npos);
  spec.key_last = true;
  CHECK(first_load().find("key is built last") != std::string::npos);
  target->prepare(spec);
  CHECK(first_load().find("key is built last") != std::string::npos);
  spec.table.name = "made_with_its_key";
  spec.key_last = false;
  target->prepare(spec);
  spec.key_last = true;
  CHECK(first_load().find("key is built last") == std::string::npos);
}

TEST_CASE("random values of types without a logical kind arrive bit for bit",
          "[postgres][types][random]") {
  make_types();
  // The server makes them: any bytes, any length, nulls anywhere.
  shared_postgres().sql(
      "SELECT setseed(0.42); CREATE TABLE random_natives AS SELECT g AS id, "
      "('0.0.0.0'::inet + (random() * 4294967295)::bigint) AS ip, "
      "set_masklen('::'::inet + (random() * 1e15)::bigint, (random() * 128)::int) AS net, "
      "(random() * 255)::int::bit(8) AS bits, "
      "substr(repeat((random() * 255)::int::bit(8)::text, 9), 1, (random() * 60)::int)::varbit vb, "
      "ARRAY(SELECT CASE WHEN random() < 0.2 THEN NULL ELSE chr(32 + (random() * 900)::int) END "
      "FROM generate_series(1, 1 + g % 5)) AS texts, "
      "ARRAY(SELECT to_timestamp((random() - 0.3) * 1e11) FROM generate_series(1, g % 4)) AS "
      "moments, numrange((random() * 100)::numeric, 100 + (random() * 100)::numeric, "
      "(ARRAY['[]', '[)', '(]', '()'])[1 + g % 4]) AS range, "
      "ROW(g, chr(33 + (random() * 5000)::int), (random() * 999)::numeric(6,2))::app.pair AS pair, "
      "point(random() * 1e10 - 5e9, random() / 1e300) AS place, "
      "((random() - 0.5) * 1e14)::bigint::money AS price, "
      "hstore(chr(33 + (random() * 90)::int), chr(33 + (random() * 9000)::int)) AS pairs, "
      "to_tsvector('simple', md5(random()::text) || ' ' || md5(g::text)) AS words, "
      "make_interval(days => g) + make_interval(secs => random() * 1e6) AS span "
      "FROM generate_series(1, 3000) g; ALTER TABLE random_natives ADD PRIMARY KEY (id)");
  const auto connector = connect(shared_postgres().settings());
  const auto source = connector->open_source();
  const auto target = connector->open_target();
  const ReadPlan plan = table_plan(*source, {"public", "random_natives"});
  const WriteSpec spec = make_spec({"public", "random_copy"}, plan.columns, {"id"});
  const auto reader = source->read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  while (reader->next(batch))
    write_batch(*target, spec, batch);
  CHECK(shared_postgres().sql("SELECT count(*) FROM random_natives s FULL JOIN random_copy t "
                              "USING (id) WHERE ROW(s.*)::record *<> ROW(t.*)::record") == "0\n");
  CHECK(shared_postgres().sql("SELECT count(*) FROM random_copy") == "3000\n");
}
