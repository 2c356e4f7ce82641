#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "database.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::seconds;

namespace {

const Schema schema{{"id", make_type(TypeKind::int64), false},
                    {"code", text_type(20)},
                    {"v", make_type(TypeKind::float64)}};
const TableName table{"", "t"};
const JobKey job{"test", JobName("t")};

Holder holder(const std::string& process = "p") {
  return {"host", 1, process};
}

WriteSpec spec_of(const Schema& columns = schema, WriteMode write = WriteMode::upsert) {
  WriteSpec spec{.table = table, .columns = {}, .key = {"id"}, .write = write};
  for (const Column& column : columns)
    spec.columns.push_back({.column = column});
  return spec;
}

Batch batch_of(const Schema& columns, const std::vector<std::vector<const char*>>& rows) {
  Batch batch(std::make_shared<const Schema>(columns));
  for (const auto& row : rows)
    for (std::size_t index = 0; index < row.size(); ++index) {
      if (row[index] == nullptr)
        batch.column(index).push_null();
      else
        push_text(batch.column(index), row[index]);
    }
  return batch;
}

std::unique_ptr<Load> begin(Target& target, const WriteSpec& spec) {
  target.prepare(spec);
  const Acquired acquired = target.acquire(job, holder(), table, seconds(60));
  return target.begin({.job = job, .fence = acquired.fence, .write = spec});
}

/// Saves on top of what the job has stored.
WriteCounts write(Target& target, const WriteSpec& spec, const Batch& batch) {
  const auto before = target.peek(job, table);
  const std::int64_t revision = before && before->checkpoint ? before->checkpoint->revision + 1 : 1;
  const auto load = begin(target, spec);
  if (spec.write == WriteMode::upsert)
    load->upsert(batch);
  else
    load->append(batch);
  load->save({.definition = "d", .revision = revision});
  return load->commit();
}

}  // namespace

TEST_CASE("planning makes no file, preparing makes one in WAL mode", "[sqlite][target]") {
  Database database;
  const auto target = database.connector()->open_target();
  CHECK(target->plan(spec_of()).statements.size() == 1);
  CHECK_FALSE(target->describe(table));
  CHECK_FALSE(target->peek(job, table));
  CHECK_FALSE(std::filesystem::exists(database.settings().path));
  target->prepare(spec_of());
  CHECK(std::filesystem::exists(database.settings().path));
  CHECK(database.sql("PRAGMA journal_mode") == std::vector<std::string>{"wal"});
  CHECK(database.sql("SELECT sql FROM sqlite_master WHERE name = 't'").front() ==
        "CREATE TABLE \"t\" (\n  \"id\" INTEGER NOT NULL,\n  \"code\" VARCHAR(20),\n  \"v\" "
        "DOUBLE_BLOB,\n  PRIMARY KEY (\"id\")\n)");
}

TEST_CASE("a file that was there keeps its journal mode", "[sqlite][target]") {
  Database database("PRAGMA journal_mode = DELETE;\nCREATE TABLE x (a)");
  const auto target = database.connector()->open_target();
  write(*target, spec_of(), batch_of(schema, {{"1", "a", "1"}}));
  CHECK(database.sql("PRAGMA journal_mode") == std::vector<std::string>{"delete"});
}

TEST_CASE("access: read is no target, and a missing directory is told", "[sqlite][target]") {
  Database database("CREATE TABLE x (a)");
  database.settings().access = Access::read;
  CHECK(error_of([&] { database.connector()->open_target(); }).kind() == FailureKind::permission);
  database.settings().access = Access::write;
  database.settings().path += "/no/such.db";
  CHECK(error_of([&] { database.connector()->open_target(); }).error_class() == ErrorClass::config);
  database.settings().path = ":memory:";
  CHECK(error_of([&] { database.connector()->open_source(); }).error_class() == ErrorClass::config);
}

TEST_CASE("a file that is no database is a matter of configuration", "[sqlite][target]") {
  Database database;
  run_command({"/bin/sh", "-c", "head -c 5000 /dev/urandom > " + database.settings().path});
  const Error error = error_of([&] { database.connector()->open_source(); });
  CHECK(error.fields().code == "SQLITE_NOTADB");
  CHECK(error.error_class() == ErrorClass::config);
}

TEST_CASE("a changed sign of zero is a change, and NaN is kept", "[sqlite][target]") {
  Database database;
  const auto target = database.connector()->open_target();
  CHECK(write(*target, spec_of(), batch_of(schema, {{"1", "a", "0"}, {"2", "b", "NaN"}})) ==
        WriteCounts{.inserted = 2});
  CHECK(write(*target, spec_of(), batch_of(schema, {{"1", "a", "-0"}, {"2", "b", "NaN"}})) ==
        WriteCounts{.updated = 1, .unchanged = 1});
  const auto source = database.connector()->open_source();
  CHECK(read_all(*source, plan_of(*source, "t", "id")) ==
        std::vector<std::string>{"1|a|-0", "2|b|NaN"});
}

TEST_CASE("a case-blind column is compared by bytes", "[sqlite][target]") {
  Database database(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE, v REAL);\n"
      "INSERT INTO t VALUES (1, 'abc', 1)");
  const auto target = database.connector()->open_target();
  CHECK(write(*target, spec_of(), batch_of(schema, {{"1", "ABC", "1"}})) ==
        WriteCounts{.updated = 1});
  WriteSpec replace = spec_of(schema, WriteMode::replace);
  CHECK(write(*target, replace, batch_of(schema, {{"1", "Abc", "1"}})) ==
        WriteCounts{.updated = 1});
  CHECK(database.sql("SELECT code FROM t") == std::vector<std::string>{"Abc"});
}

TEST_CASE("a key that is compared without case is no key to upsert by", "[sqlite][target]") {
  const Schema columns{{"id", text_type(20), false}};
  for (const std::string rest : {"", " WITHOUT ROWID"}) {
    Database blind("CREATE TABLE t (id TEXT PRIMARY KEY COLLATE NOCASE)" + rest);
    const auto refusing = blind.connector()->open_target();
    CHECK(refusing->plan(spec_of(columns)).problems.size() == 1);
    Database exact("CREATE TABLE t (id TEXT NOT NULL, PRIMARY KEY (id))" + rest);
    const auto target = exact.connector()->open_target();
    CHECK(write(*target, spec_of(columns), batch_of(columns, {{"a"}, {"A"}, {"a"}})) ==
          WriteCounts{.inserted = 2, .unchanged = 1});
  }
}

TEST_CASE("what SQLite would bend is refused with its row", "[sqlite][target]") {
  const auto refused = [](const std::string& declared, const Type& type, const char* value) {
    CAPTURE(declared, value);
    Database database("CREATE TABLE t (id INTEGER PRIMARY KEY, v " + declared + ")");
    const Schema columns{{"id", make_type(TypeKind::int64), false}, {"v", type}};
    WriteSpec spec = spec_of(columns);
    const auto target = database.connector()->open_target();
    if (!target->plan(spec).problems.empty()) spec.columns[1].lossy = Lossy::allow;
    const Error error = error_of([&] {
      write(*target, spec, batch_of(columns, {{"1", nullptr}, {"2", value}}));
    });
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(error.fields().row == 1U);
    CHECK(error.fields().column == "v");
    CHECK(error.fields().table == "t");
    CHECK(database.sql("SELECT * FROM t").empty());
  };
  refused("REAL", make_type(TypeKind::float64), "-0");
  refused("REAL", make_type(TypeKind::float64), "NaN");
  refused("JSON", make_type(TypeKind::json), "1.0");
  refused("BIGINT UNSIGNED", make_type(TypeKind::uint64), "18446744073709551615");
  refused("VARCHAR(3)", text_type(), "abcd");
  refused("BLOB(2)", bytes_type(), "000102");
  refused("DECIMAL_TEXT(5,2)", decimal_type(12, 4), "1.2345");
  refused("BOOLEAN", make_type(TypeKind::int32), "2");
}

TEST_CASE("values go into columns that the user declared in other ways", "[sqlite][target]") {
  Database database(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT, "
      "d DECIMAL(10,2), e DOUBLE, f DATETIME)");
  const Schema columns{{"id", make_type(TypeKind::int64), false},
                       {"a", make_type(TypeKind::timestamp)},
                       {"b", make_type(TypeKind::uuid)},
                       {"c", decimal_type(30, 3)},
                       {"d", decimal_type(10, 2)},
                       {"e", make_type(TypeKind::int32)},
                       {"f", make_type(TypeKind::timestamp)}};
  const auto target = database.connector()->open_target();
  const Batch batch = batch_of(
      columns, {{"1", "2024-02-29 23:59:59.25", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                 "123456789012345678901234567.125", "12.50", "-7", "0044-03-15 00:00:00 BC"}});
  CHECK(write(*target, spec_of(columns), batch) == WriteCounts{.inserted = 1});
  CHECK(write(*target, spec_of(columns), batch) == WriteCounts{.unchanged = 1});
  CHECK(database.sql("SELECT a, b, c, d, e, f FROM t").front() ==
        "2024-02-29 23:59:59.25|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|"
        "123456789012345678901234567.125|12.5|-7.0|0044-03-15 00:00:00 BC");
}

TEST_CASE("unsigned numbers of 64 bits keep their order", "[sqlite][target]") {
  Database database;
  const Schema columns{{"id", make_type(TypeKind::uint64), false}};
  const auto target = database.connector()->open_target();
  write(*target, spec_of(columns),
        batch_of(
            columns,
            {{"18446744073709551615"}, {"9223372036854775808"}, {"5"}, {"9223372036854775807"}}));
  const auto source = database.connector()->open_source();
  ReadPlan plan = plan_of(*source, "t", "id");
  CHECK(read_all(*source, plan) == std::vector<std::string>{"5", "9223372036854775807",
                                                            "9223372036854775808",
                                                            "18446744073709551615"});
  plan.range = KeyRange{{Value::of(columns[0].type, "9223372036854775808")}, {}};
  CHECK(read_all(*source, plan).size() == 2);
}

TEST_CASE("appending a row whose key is there is refused", "[sqlite][target]") {
  Database database;
  const auto target = database.connector()->open_target();
  const WriteSpec spec = spec_of(schema, WriteMode::append);
  const Batch batch = batch_of(schema, {{"1", "a", "1"}});
  CHECK(write(*target, spec, batch) == WriteCounts{.inserted = 1});
  CHECK(error_of([&] { write(*target, spec, batch); }).kind() == FailureKind::constraint);
  CHECK(database.sql("SELECT code FROM t") == std::vector<std::string>{"a"});
}

TEST_CASE("erase deletes by key and counts", "[sqlite][target]") {
  Database database;
  const auto target = database.connector()->open_target();
  write(*target, spec_of(), batch_of(schema, {{"1", "a", "1"}, {"2", "b", "2"}}));
  const auto load = begin(*target, spec_of());
  load->erase(batch_of({schema[0]}, {{"2"}, {"9"}}));
  load->save({.definition = "d", .revision = 2});
  CHECK(load->commit() == WriteCounts{.deleted = 1});
  CHECK(database.sql("SELECT id FROM t") == std::vector<std::string>{"1"});
}

TEST_CASE("foreign keys are kept", "[sqlite][target]") {
  Database database(
      "CREATE TABLE parent (id INTEGER PRIMARY KEY);\n"
      "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT, v REAL REFERENCES parent)");
  const auto target = database.connector()->open_target();
  const Error error = error_of([&] {
    write(*target, spec_of(), batch_of(schema, {{"1", "a", "5"}}));
  });
  CHECK(error.kind() == FailureKind::constraint);
  CHECK(error.fields().code == "SQLITE_CONSTRAINT_FOREIGNKEY");
}

TEST_CASE("a replacement locks nobody out while it is staged and leaves no trace",
          "[sqlite][target]") {
  Database database;
  const auto target = database.connector()->open_target();
  write(*target, spec_of(), batch_of(schema, {{"1", "a", "1"}}));
  const WriteSpec replace = spec_of(schema, WriteMode::replace);
  {
    const auto load = begin(*target, replace);
    load->append(batch_of(schema, {{"7", "x", "7"}}));
    database.sql("CREATE TABLE other (a);\nINSERT INTO other VALUES (1)");
    const Error error = error_of([&] { load->append(batch_of(schema, {{"7", "y", "7"}})); });
    CHECK(error.kind() == FailureKind::constraint);
    CHECK(std::string(error.what()).find("the key is not unique") != std::string::npos);
  }
  CHECK(database.sql("SELECT id FROM t") == std::vector<std::string>{"1"});
  CHECK(database.sql("SELECT count(*) FROM sqlite_master WHERE name LIKE 'tidemark_stage%'") ==
        std::vector<std::string>{"0"});
  WriteSpec scoped = replace;
  scoped.scope = {{"code", "x"}};
  CHECK(error_of([&] {
          write(*target, scoped, batch_of(schema, {{"8", "y", "1"}}));
        }).kind() == FailureKind::constraint);
}

TEST_CASE("a table of the user without a unique key is replaced whole", "[sqlite][target]") {
  Database database(
      "CREATE TABLE t (id INTEGER, code TEXT, v REAL);\n"
      "INSERT INTO t VALUES (1, 'a', 1), (1, 'a', 1)");
  const auto target = database.connector()->open_target();
  const WriteSpec spec = spec_of(schema, WriteMode::replace);
  CHECK(target->plan(spec).notes.size() == 1);
  CHECK(write(*target, spec, batch_of(schema, {{"1", "a", "1"}})) ==
        WriteCounts{.inserted = 1, .deleted = 2});
}

TEST_CASE("two sessions write one file in turn", "[sqlite][target]") {
  Database database;
  {
    const auto target = database.connector()->open_target();
    target->prepare(spec_of());
  }
  constexpr int rounds = 40;
  std::atomic<int> failures = 0;
  const auto work = [&](const std::string& name, const char* id) {
    const auto target = database.connector()->open_target();
    const JobKey mine{"test", JobName(name)};
    try {
      const Acquired acquired = target->acquire(mine, holder(name), table, seconds(60));
      for (int round = 0; round < rounds; ++round) {
        const auto load = target->begin({.job = mine, .fence = acquired.fence, .write = spec_of()});
        load->upsert(batch_of(schema, {{id, "x", std::to_string(round).c_str()}}));
        load->save({.definition = "d", .revision = round + 1});
        load->commit();
      }
    } catch (const std::exception&) {
      ++failures;
    }
  };
  std::thread one(work, "one", "1");
  std::thread two(work, "two", "2");
  one.join();
  two.join();
  CHECK(failures == 0);
  CHECK(database.sql("SELECT id, v FROM t ORDER BY id") ==
        std::vector<std::string>{"1|39.0", "2|39.0"});
  CHECK(database.sql("SELECT revision FROM tidemark_checkpoint ORDER BY job") ==
        std::vector<std::string>{"40", "40"});
}

TEST_CASE("a lock that lasts is transient, and cancel ends the wait", "[sqlite][target]") {
  Database database;
  database.settings().stall_timeout = std::chrono::milliseconds(50);
  const auto target = database.connector()->open_target();
  target->prepare(spec_of());
  sqlite::Connection writer(database.settings().path, sqlite::Connection::Opening::read_write,
                            seconds(1));
  writer.execute("BEGIN IMMEDIATE");
  const Error error = error_of([&] { target->acquire(job, holder(), table, seconds(60)); });
  CHECK(error.error_class() == ErrorClass::transient);
  CHECK(error.fields().code.starts_with("SQLITE_BUSY"));

  database.settings().stall_timeout = seconds(60);
  const auto patient = database.connector()->open_target();
  std::atomic<bool> done = false;
  std::thread other([&] {
    while (!done) {
      patient->cancel();
      std::this_thread::yield();
    }
  });
  bool cancelled = false;
  try {
    patient->acquire(job, holder(), table, seconds(60));
  } catch (const Cancelled&) {
    cancelled = true;
  }
  done = true;
  other.join();
  CHECK(cancelled);
  writer.execute("ROLLBACK");
  CHECK(target->acquire(job, holder(), table, seconds(60)).granted);
}

TEST_CASE("a hook runs in its own transaction and within its time", "[sqlite][target]") {
  Database database;
  const auto target = database.connector()->open_target();
  target->prepare(spec_of());
  target->run_hook("INSERT INTO t (id) VALUES (1)", seconds(10));
  const Error error = error_of([&] {
    target->run_hook(
        "INSERT INTO t (id) WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 "
        "FROM n WHERE i < 1000000000) SELECT max(i) FROM n",
        std::chrono::milliseconds(20));
  });
  CHECK(error.kind() == FailureKind::timeout);
  CHECK(database.sql("SELECT id FROM t") == std::vector<std::string>{"1"});
  CHECK(error_of([&] { target->run_hook("SELECT 1; DELETE FROM t", seconds(10)); }).kind() ==
        FailureKind::schema);
}

TEST_CASE("a full disk is a matter of resources and leaves no trace", "[sqlite][target]") {
  Database database;
  database.settings().init_sql = {"PRAGMA max_page_count = 20"};
  const auto target = database.connector()->open_target();
  write(*target, spec_of(), batch_of(schema, {{"1", "a", "1"}}));
  const Schema wide{{"id", make_type(TypeKind::int64), false}, {"code", text_type(20)}};
  Batch batch(std::make_shared<const Schema>(wide));
  for (std::int64_t id = 2; id < 20'000; ++id) {
    batch.column(0).push(id);
    batch.column(1).push_bytes("abcdefghij");
  }
  const Error error = error_of([&] { write(*target, spec_of(wide), batch); });
  CHECK(error.kind() == FailureKind::resource);
  CHECK(error.fields().code == "SQLITE_FULL");
  CHECK(database.sql("SELECT id FROM t") == std::vector<std::string>{"1"});
  CHECK(write(*target, spec_of(), batch_of(schema, {{"2", "b", "2"}})) ==
        WriteCounts{.inserted = 1});
}

TEST_CASE("the grants name the directory that the unit must open", "[sqlite][target]") {
  Database database;
  const auto lines = database.connector()->grants({.target = true});
  REQUIRE(lines.size() == 2);
  CHECK(lines[1].find("ReadWritePaths=/") != std::string::npos);
  CHECK(database.connector()->probe().warnings.size() == 1);
}
