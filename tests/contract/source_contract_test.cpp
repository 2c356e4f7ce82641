// What every source does: resume, order, bounds, limits, errors, cancel.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <set>
#include <thread>

#include "contract/fixture.h"
#include "support/servers.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const Schema tied_schema{{"a", make_type(TypeKind::int32), false},
                         {"b", text_type(20), false},
                         {"c", make_type(TypeKind::int64)},
                         {"v", text_type()}};

/// 60 rows, a composite key, five rows to each cursor value, some without a cursor.
TableName tied_rows(Fixture& fixture) {
  const TableName table = fixture.fresh_table("ties");
  const auto target = fixture.connector().open_target();
  Batch batch(std::make_shared<const Schema>(tied_schema));
  for (std::int32_t row = 0; row < 60; ++row) {
    batch.column(0).push(row % 7);
    batch.column(1).push_bytes("k" + std::to_string(row / 7));
    if (row % 20 == 19)
      batch.column(2).push_null();
    else
      batch.column(2).push(static_cast<std::int64_t>(row / 5));
    batch.column(3).push_bytes(std::string(static_cast<std::size_t>(row), 'x'));
  }
  fixture.write(*target, spec_of(table, tied_schema, {"a", "b"}), {&batch});
  return table;
}

}  // namespace

TEST_CASE("a read taken up again behind any row omits nothing, on ties too", "[contract][resume]") {
  Fixture fixture;
  const TableName table = tied_rows(fixture);
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"a", "b"}, "c");
  const std::vector<std::string> whole = read_all(*source, plan);
  REQUIRE(whole.size() == 57);
  for (const std::size_t step : {1U, 2U, 3U, 5U, 8U}) {
    plan.after.reset();
    plan.batch_rows = step;
    plan.max_rows = step;
    std::vector<std::string> pieces;
    for (;;) {
      Batch batch(std::make_shared<const Schema>(plan.columns));
      const auto reader = source->read(plan);
      if (!reader->next(batch)) break;
      for (const std::string& line : lines_of(batch))
        pieces.push_back(line);
      const std::size_t last = batch.rows() - 1;
      plan.after = Position{value_at(batch.column(2), last),
                            {value_at(batch.column(0), last), value_at(batch.column(1), last)}};
      REQUIRE(pieces.size() <= whole.size());
    }
    CHECK(pieces == whole);
  }
}

TEST_CASE("cursor bounds are half-open and NULL cursors are apart", "[contract][bounds]") {
  Fixture fixture;
  const TableName table = tied_rows(fixture);
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"a", "b"}, "c");
  const Type cursor = plan.columns[2].type;
  plan.from = Value::of(cursor, "2");
  plan.below = Value::of(cursor, "4");
  CHECK(read_all(*source, plan).size() == 9);  // rows 10 to 19, the last of which has no cursor
  plan.from.reset();
  plan.below.reset();
  plan.null_cursor = NullCursor::only;
  CHECK(read_all(*source, plan).size() == 3);
}

TEST_CASE("a predicate and a query read what they say", "[contract][query]") {
  Fixture fixture;
  if (fixture.excused("query")) return;
  const TableName table = tied_rows(fixture);
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"a", "b"}, "c");
  plan.relation.where = "a = 3 OR a = 4";
  plan.below = Value::of(plan.columns[2].type, "1000");
  std::size_t expected = 0;
  for (int row = 0; row < 60; ++row)
    expected += (row % 7 == 3 || row % 7 == 4) && row % 20 != 19 ? 1 : 0;
  CHECK(read_all(*source, plan).size() == expected);
}

TEST_CASE("batches keep to rows and bytes, and a row over the limit travels alone",
          "[contract][limits]") {
  Fixture fixture;
  const TableName table = fixture.fresh_table("sizes");
  const Schema schema{{"id", make_type(TypeKind::int32), false}, {"v", text_type()}};
  Batch batch(std::make_shared<const Schema>(schema));
  for (std::int32_t row = 0; row < 40; ++row) {
    batch.column(0).push(row);
    batch.column(1).push_bytes(std::string(row == 20 ? 100'000 : 1000, 'x'));
  }
  const auto target = fixture.connector().open_target();
  fixture.write(*target, spec_of(table, schema, {"id"}), {&batch});
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"id"});
  plan.batch_bytes = 8000;
  const auto reader = source->read(plan);
  Batch part(std::make_shared<const Schema>(plan.columns));
  std::size_t rows = 0;
  while (reader->next(part)) {
    rows += part.rows();
    if (part.bytes() > 12'000) CHECK(part.rows() == 1);
  }
  CHECK(rows == 40);
}

TEST_CASE("where no row is within the limit, each travels alone and none is left out",
          "[contract][limits]") {
  Fixture fixture;
  const TableName table = tied_rows(fixture);
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"a", "b"});
  const std::vector<std::string> whole = read_all(*source, plan);
  for (const Bytes limit : {Bytes{1}, Bytes{0}}) {
    plan.batch_bytes = limit;
    CHECK(read_all(*source, plan) == whole);
  }
}

TEST_CASE("key ranges cover every row exactly once", "[contract][split]") {
  Fixture fixture;
  const TableName table = tied_rows(fixture);
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, table, {"a", "b"});
  const std::vector<std::string> whole = read_all(*source, plan);
  const auto ranges = source->split(plan.relation, plan.key, 4);
  REQUIRE_FALSE(ranges.empty());
  CHECK(ranges.size() <= 4);
  std::vector<std::string> pieces;
  for (const KeyRange& range : ranges) {
    plan.range = range;
    for (const std::string& line : read_all(*source, plan))
      pieces.push_back(line);
  }
  CHECK(pieces == whole);
}

TEST_CASE("a missing table is a matter of configuration", "[contract][missing]") {
  Fixture fixture;
  const auto source = fixture.connector().open_source();
  Relation relation;
  relation.table = fixture.fresh_table("never_made");
  const Error error = error_of([&] { source->describe(relation); });
  CHECK(error.kind() == FailureKind::schema);
  CHECK(error.error_class() == ErrorClass::config);
  CHECK(std::string(error.what()).find(relation.table->name) != std::string::npos);
}

TEST_CASE("a wrong password is a matter of configuration and stands in no text",
          "[contract][password]") {
  Fixture fixture;
  const auto settings = fixture.harness().wrong_password();
  if (!settings) {
    CHECK(fixture.excused("password"));
    return;
  }
  const auto connector = fixture.harness().connector().make(*settings, fixture.harness().context());
  for (const bool source : {true, false}) {
    const Error error = error_of([&] {
      if (source)
        connector->open_source();
      else
        connector->open_target();
    });
    CHECK(error.kind() == FailureKind::auth);
    CHECK(std::string(error.what()).find(settings->password.reveal()) == std::string::npos);
    CHECK(error.fields().driver_text.find(settings->password.reveal()) == std::string::npos);
  }
}

TEST_CASE("a missing option is found before anything is moved", "[contract][incomplete]") {
  Fixture fixture;
  const auto connector = fixture.harness().connector().make(fixture.harness().incomplete(),
                                                            fixture.harness().context());
  CHECK(error_of([&] { connector->probe(); }).error_class() == ErrorClass::config);
}

TEST_CASE("cancel ends a statement within two seconds", "[contract][cancel]") {
  Fixture fixture;
  const auto source = fixture.connector().open_source();
  ReadPlan plan;
  plan.relation.query = fixture.harness().slow_query();
  plan.columns = {{"v", make_type(TypeKind::int64)}};
  std::chrono::steady_clock::time_point asked;
  std::thread other;
  bool cancelled = false;
  try {
    // The first cancel may come before the statement has begun, so it is asked for until it works.
    std::atomic<bool> done = false;
    other = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      asked = std::chrono::steady_clock::now();
      while (!done) {
        source->cancel();
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    });
    struct Join {
      std::atomic<bool>& done;
      std::thread& other;
      ~Join() {
        done = true;
        other.join();
      }
    } join{done, other};
    const auto reader = source->read(plan);
    Batch batch(std::make_shared<const Schema>(plan.columns));
    while (reader->next(batch)) {
    }
  } catch (const Cancelled&) {
    cancelled = true;
  }
  CHECK(cancelled);
  CHECK(std::chrono::steady_clock::now() - asked < std::chrono::seconds(2));
}

TEST_CASE("a killed session is transient", "[contract][killed]") {
  Fixture fixture;
  if (fixture.excused("killed")) return;
  const TableName table = tied_rows(fixture);
  const auto source = fixture.connector().open_source();
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(table, tied_schema, {"a", "b"});
  target->prepare(spec);
  REQUIRE(fixture.harness().kill_sessions());
  ReadPlan plan;
  plan.relation.table = table;
  const Error reading = error_of([&] { source->describe(plan.relation); });
  CHECK(reading.kind() == FailureKind::connect);
  const Error writing = error_of([&] { fixture.begin(*target, spec); });
  CHECK(writing.kind() == FailureKind::connect);
  CHECK_FALSE(source->usable());
  CHECK_FALSE(target->usable());
}

TEST_CASE("closed sessions leave no connection behind", "[contract][leftovers]") {
  Fixture fixture;
  if (!fixture.harness().open_sessions()) {
    CHECK(fixture.excused("leftovers"));
    return;
  }
  const std::size_t before = *fixture.harness().open_sessions();
  {
    const auto connector = fixture.harness().connector().make(fixture.harness().settings(),
                                                              fixture.harness().context());
    const auto source = connector->open_source();
    const auto target = connector->open_target();
    const TableName table = fixture.fresh_table("gone");
    CHECK_THROWS_AS(source->describe({.table = table}), Error);
    CHECK_FALSE(target->describe(table));
    connector->probe();
    CHECK(*fixture.harness().open_sessions() > before);
  }
  wait_until("the server to see that sessions were closed",
             [&] { return *fixture.harness().open_sessions() <= before; });
}

TEST_CASE("the source says who it is and what time it is", "[contract][identity]") {
  Fixture fixture;
  const auto source = fixture.connector().open_source();
  CHECK_FALSE(source->identity().empty());
  CHECK(source->identity() == fixture.connector().open_source()->identity());
  const WallTime now = source->now();
  CHECK(source->now() >= now);
  const ConnectionFacts facts = fixture.connector().probe();
  CHECK_FALSE(facts.server_version.empty());
  CHECK(facts.identity == source->identity());
}
