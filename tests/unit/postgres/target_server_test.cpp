// Writing to a real server: counts, other keys, what a replacement leaves alone, doubts.
#include <catch2/catch.hpp>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false},
                    {"code", text_type(20)},
                    {"v", make_type(TypeKind::int64)}};

std::string sql(const std::string& statement) {
  std::string answer = shared_postgres().sql(statement);
  if (!answer.empty()) answer.pop_back();
  return answer;
}

Error failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

}  // namespace

TEST_CASE("unchanged rows are not rewritten, told by bytes", "[postgres][target]") {
  sql("CREATE TABLE bytewise (id int PRIMARY KEY, n numeric, j json, t char(4))");
  const Schema columns{{"id", make_type(TypeKind::int32), false},
                       {"n", decimal_type(0, 0)},
                       {"j", make_type(TypeKind::json)}};
  const auto target = connect(shared_postgres().settings())->open_target();
  const WriteSpec spec = make_spec({"public", "bytewise"}, columns, {"id"});
  write_batch(*target, spec, make_batch(columns, {{"1", "1.1", "{}"}, {"2", nullptr, nullptr}}));
  const std::string before = sql("SELECT string_agg(ctid::text || xmin, ',') FROM bytewise");
  CHECK(write_batch(*target, spec,
                    make_batch(columns, {{"1", "1.1", "{}"}, {"2", nullptr, nullptr}})) ==
        WriteCounts{.unchanged = 2});
  CHECK(sql("SELECT string_agg(ctid::text || xmin, ',') FROM bytewise") == before);
  // Equal for the server's =, but not the same value.
  CHECK(write_batch(*target, spec,
                    make_batch(columns, {{"1", "1.10", "{}"}, {"2", nullptr, "{ }"}})) ==
        WriteCounts{.updated = 2});
}

TEST_CASE("generated and identity columns, defaults and triggers are the target's",
          "[postgres][target]") {
  sql("CREATE TABLE owned (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text, "
      "upper_code text GENERATED ALWAYS AS (upper(code)) STORED, made timestamptz DEFAULT now())");
  const Schema columns{{"id", make_type(TypeKind::int32), false}, {"code", text_type()}};
  const auto target = connect(shared_postgres().settings())->open_target();
  const WriteSpec spec = make_spec({"public", "owned"}, columns, {"id"});
  CHECK(write_batch(*target, spec, make_batch(columns, {{"0", "a"}, {"7", "b"}})).inserted == 2);
  CHECK(write_batch(*target, spec, make_batch(columns, {{"7", "c"}})).updated == 1);
  CHECK(sql("SELECT string_agg(id || upper_code, ',' ORDER BY id) FROM owned WHERE made IS NOT "
            "NULL") == "0A,7C");
  Schema wrong = columns;
  wrong.push_back({"upper_code", text_type()});
  CHECK(target->plan(make_spec({"public", "owned"}, wrong, {"id"})).problems.size() == 1);
}

TEST_CASE("an upsert into a partitioned table counts as elsewhere", "[postgres][target]") {
  sql("CREATE TABLE parted (id int PRIMARY KEY, v bigint) PARTITION BY RANGE (id); "
      "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100); "
      "CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (100) TO (200)");
  const Schema columns{{"id", make_type(TypeKind::int32), false},
                       {"v", make_type(TypeKind::int64)}};
  const auto target = connect(shared_postgres().settings())->open_target();
  const WriteSpec spec = make_spec({"public", "parted"}, columns, {"id"});
  CHECK(write_batch(*target, spec, make_batch(columns, {{"1", "1"}, {"150", "2"}})).inserted == 2);
  CHECK(write_batch(*target, spec, make_batch(columns, {{"1", "1"}, {"150", "3"}, {"3", "3"}})) ==
        WriteCounts{.inserted = 1, .updated = 1, .unchanged = 1});
  const Error outside = failure_of([&] {
    write_batch(*target, spec, make_batch(columns, {{"999", "1"}}));
  });
  CHECK(outside.error_class() == ErrorClass::data);
}

TEST_CASE("a session keeps the temporary tables of the job that it served last",
          "[postgres][target]") {
  const auto target = connect(shared_postgres().settings())->open_target();
  for (const char* name : {"served_a", "served_b", "served_c", "served_d"}) {
    const WriteSpec spec = make_spec({"public", name}, schema, {"id"});
    target->prepare(spec);
    const Batch batch = make_batch(schema, {{"1", "a", "1"}});
    { begin_load(*target, spec)->upsert(batch); }
    write_batch(*target, spec, batch);
    auto load = begin_load(*target, spec);
    load->erase(make_batch({schema[0]}, {{"1"}}));
    load->save(next_checkpoint(*target, spec));
    load->commit();
  }
  CHECK(sql("SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'") == "2");
}

TEST_CASE("a row that a constraint refuses is told by name and never by content",
          "[postgres][target]") {
  sql("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE guarded (id int PRIMARY KEY, code "
      "text UNIQUE, v bigint NOT NULL CONSTRAINT positive CHECK (v > 0), p int REFERENCES parent)");
  const Schema columns{{"id", make_type(TypeKind::int32), false},
                       {"code", text_type()},
                       {"v", make_type(TypeKind::int64)},
                       {"p", make_type(TypeKind::int32)}};
  const auto target = connect(shared_postgres().settings())->open_target();
  const WriteSpec spec = make_spec({"public", "guarded"}, columns, {"id"});
  const auto refuse = [&](const std::vector<std::vector<const char*>>& rows) {
    const Error error = failure_of([&] { write_batch(*target, spec, make_batch(columns, rows)); });
    CHECK(error.kind() == FailureKind::constraint);
    CHECK(error.fields().table == "public.guarded");
    CHECK(std::string(error.what()).find("secret") == std::string::npos);
    return error;
  };
  const Error null = refuse({{"1", "secret1", "1", nullptr}, {"2", "secret2", nullptr, nullptr}});
  CHECK(null.fields().code == "23502");
  CHECK(null.fields().column == "v");
  CHECK(null.fields().row == 1U);
  CHECK(std::string(refuse({{"1", "secret", "-5", nullptr}}).what()).find("positive") !=
        std::string::npos);
  CHECK(refuse({{"1", "secret", "5", "77"}}).fields().code == "23503");
  write_batch(*target, spec, make_batch(columns, {{"1", "secret", "5", nullptr}}));
  const Error taken = refuse({{"2", "secret", "6", nullptr}});
  CHECK(taken.fields().code == "23505");
  CHECK(std::string(taken.what()).find("guarded_code_key") != std::string::npos);
  CHECK(sql("SELECT count(*) FROM guarded") == "1");
  // A failed load leaves a session that works.
  CHECK(write_batch(*target, spec, make_batch(columns, {{"3", "x", "1", nullptr}})).inserted == 1);
}

TEST_CASE("an appended row that does not fit is located", "[postgres][target]") {
  sql("CREATE TABLE log_1 (id int NOT NULL, code varchar(3))");
  const Schema columns{{"id", make_type(TypeKind::int32)}, {"code", text_type()}};
  const auto target = connect(shared_postgres().settings())->open_target();
  WriteSpec spec = make_spec({"public", "log_1"}, columns, {}, WriteMode::append);
  spec.columns[1].lossy = Lossy::allow;
  const Error server = failure_of([&] {
    write_batch(*target, spec, make_batch(columns, {{"1", "a"}, {"2", "b"}, {nullptr, "c"}}));
  });
  CHECK(server.fields().row == 2U);
  CHECK(server.kind() == FailureKind::constraint);
  const Error client = failure_of([&] {
    write_batch(*target, spec, make_batch(columns, {{"1", "a"}, {"2", "toolong"}}));
  });
  CHECK(client.fields().row == 1U);
  CHECK(client.kind() == FailureKind::conversion);
  CHECK(sql("SELECT count(*) FROM log_1") == "0");
}

TEST_CASE("several batches in one load, the same keys again, go as one transaction",
          "[postgres][target]") {
  const auto target = connect(shared_postgres().settings())->open_target();
  const WriteSpec spec = make_spec({"public", "several"}, schema, {"id"});
  const auto load = begin_load(*target, spec);
  load->upsert(make_batch(schema, {{"1", "a", "1"}, {"2", "b", "2"}}));
  load->upsert(make_batch(schema, {{"2", "b", "3"}, {"3", "c", "3"}}));
  load->erase(make_batch({schema[0]}, {{"1"}}));
  load->erase(make_batch({schema[0]}, {{"3"}, {"9"}}));
  load->save({.definition = "d", .revision = 1});
  CHECK(sql("SELECT count(*) FROM several") == "0");
  CHECK(load->commit() == WriteCounts{.inserted = 3, .updated = 1, .deleted = 2});
  CHECK(sql("SELECT string_agg(id || code || v, ',') FROM several") == "2b3");
}

TEST_CASE("a replacement leaves indexes, grants, comments, keys and views as they were",
          "[postgres][replace]") {
  sql("CREATE TABLE mine (id int PRIMARY KEY, code text, v bigint); "
      "CREATE INDEX mine_code ON mine (code); COMMENT ON TABLE mine IS 'by hand'; "
      "CREATE VIEW of_mine AS SELECT code FROM mine; CREATE ROLE reader; "
      "GRANT SELECT ON mine TO reader; CREATE TABLE child (p int REFERENCES mine); "
      "INSERT INTO mine SELECT i, 'c' || i, i FROM generate_series(1, 50) AS i; "
      "INSERT INTO child VALUES (7)");
  const std::string oid =
      sql("SELECT 'mine'::regclass::oid::text || relfilenode FROM pg_class "
          "WHERE relname = 'mine'");
  const auto target = connect(shared_postgres().settings())->open_target();
  const WriteSpec spec = make_spec({"public", "mine"}, schema, {"id"}, WriteMode::replace);
  CHECK(write_batch(*target, spec,
                    make_batch(schema, {{"7", "c7", "7"}, {"8", "new", "8"}, {"99", "x", "9"}})) ==
        WriteCounts{.inserted = 1, .updated = 1, .deleted = 48, .unchanged = 1});
  CHECK(sql("SELECT string_agg(id || code, ',' ORDER BY id) FROM mine") == "7c7,8new,99x");
  CHECK(sql("SELECT 'mine'::regclass::oid::text || relfilenode FROM pg_class WHERE relname = "
            "'mine'") == oid);
  CHECK(sql("SELECT obj_description('mine'::regclass) || has_table_privilege('reader', 'mine', "
            "'SELECT') || (SELECT count(*) FROM pg_indexes WHERE tablename = 'mine')") ==
        "by handtrue2");
  CHECK(sql("SELECT count(*) FROM of_mine") == "3");
  CHECK(sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'tidemark_stage%'") == "0");

  const Error twice = failure_of([&] {
    write_batch(*target, spec, make_batch(schema, {{"1", "a", "1"}, {"1", "b", "1"}}));
  });
  CHECK(twice.kind() == FailureKind::constraint);
  // A referenced row can't go: nothing changes at all.
  const Error referenced = failure_of([&] {
    write_batch(*target, spec, make_batch(schema, {{"1", "a", "1"}}));
  });
  CHECK(referenced.fields().code == "23503");
  CHECK(sql("SELECT string_agg(id || code, ',' ORDER BY id) FROM mine") == "7c7,8new,99x");
}

TEST_CASE("our tables lie where metadata_schema says", "[postgres][target]") {
  ConnectionSettings settings = shared_postgres().settings();
  settings.metadata_schema = "of_tidemark";
  const auto target = connect(settings)->open_target();
  const WriteSpec spec = make_spec({"public", "apart"}, schema, {"id"}, WriteMode::replace);
  write_batch(*target, spec, make_batch(schema, {{"1", "a", "1"}}));
  CHECK(sql("SELECT count(*) FROM of_tidemark.tidemark_checkpoint WHERE job = 'apart'") == "1");
}

TEST_CASE("a hook runs in its own transaction and within its time", "[postgres][hook]") {
  const auto target = connect(shared_postgres().settings())->open_target();
  sql("CREATE TABLE hooked (id int PRIMARY KEY)");
  target->run_hook("INSERT INTO hooked VALUES (1); INSERT INTO hooked VALUES (2)",
                   std::chrono::seconds(10));
  CHECK(sql("SELECT count(*) FROM hooked") == "2");
  CHECK(failure_of([&] {
          target->run_hook("INSERT INTO hooked VALUES (3); INSERT INTO hooked VALUES (1)",
                           std::chrono::seconds(10));
        }).kind() == FailureKind::constraint);
  CHECK(sql("SELECT count(*) FROM hooked") == "2");
  CHECK(failure_of([&] {
          target->run_hook("SELECT pg_sleep(20)", std::chrono::milliseconds(50));
        }).kind() == FailureKind::timeout);
  target->run_hook("SELECT 1", std::chrono::seconds(10));
}

TEST_CASE("a target for reading only is refused", "[postgres][target]") {
  ConnectionSettings settings = shared_postgres().settings();
  settings.access = Access::read;
  CHECK(failure_of([&] { connect(settings)->open_target(); }).error_class() == ErrorClass::config);
}

TEST_CASE("jobs that start together make the metadata tables together", "[postgres][server]") {
  for (const std::string schema : {"together_one", "together_two", "together_three"}) {
    ConnectionSettings settings = shared_postgres().settings();
    settings.metadata_schema = schema;
    std::mutex mutex;
    std::vector<std::string> failures;
    std::vector<std::thread> jobs;
    for (int number = 0; number < 8; ++number) {
      jobs.emplace_back([&, number] {
        try {
          const auto connector = connect(settings);
          WriteSpec spec;
          spec.table = {"public", schema + std::to_string(number)};
          spec.columns.push_back({.column = {"id", make_type(TypeKind::int32), false}});
          spec.key = {"id"};
          connector->open_target()->prepare(spec);
        } catch (const Error& error) {
          const std::lock_guard lock(mutex);
          failures.emplace_back(error.what());
        }
      });
    }
    for (std::thread& job : jobs)
      job.join();
    CHECK(failures == std::vector<std::string>{});
  }
}
