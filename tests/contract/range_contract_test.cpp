// What a target does for a first load in key ranges: many sessions, one job, one fence.
#include <array>
#include <catch2/catch.hpp>

#include "contract/fixture.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::seconds;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false}, {"v", text_type(20)}};

/// A job of two ranges, taken and planned.
struct Planned {
  Planned() : target(fixture.connector().open_target()) {
    target->prepare(spec);
    acquired = target->acquire(fixture.job(spec.table), fixture.holder(), spec.table, seconds(60));
    const auto load = begin(*target);
    load->save({.definition = "d", .revision = 1});
    load->save_ranges(ranges);
    load->commit();
  }
  std::unique_ptr<Load> begin(Target& session) const {
    return session.begin({.job = fixture.job(spec.table),
                          .fence = acquired.fence,
                          .lease = seconds(60),
                          .write = spec});
  }
  std::vector<RangeRecord> stored() {
    return fixture.connector().open_target()->ranges(fixture.job(spec.table), spec.table);
  }
  std::vector<std::string> rows() { return fixture.rows(spec.table, {"id", "v"}, {"id"}); }

  Fixture fixture;
  WriteSpec spec = spec_of(fixture.fresh_table("ranges"), schema, {"id"});
  std::vector<RangeRecord> ranges{{.part = 0, .upper = R"(["5'"])"},
                                  {.part = 1, .lower = R"(["5'"])", .position = ""}};
  std::unique_ptr<Target> target;
  Acquired acquired;
};

}  // namespace

TEST_CASE("key ranges are stored with the checkpoint and replace those before",
          "[contract][ranges]") {
  Planned planned;
  CHECK(planned.stored() == planned.ranges);
  CHECK(planned.target
            ->ranges({"contract", JobName("another" + planned.spec.table.name)}, planned.spec.table)
            .empty());
  {
    const auto load = planned.begin(*planned.target);
    load->save({.definition = "d", .revision = 2});
    load->save_ranges({});
  }
  CHECK(planned.stored() == planned.ranges);
  const auto load = planned.begin(*planned.target);
  load->save({.definition = "d", .revision = 2});
  load->save_ranges({});
  load->commit();
  CHECK(planned.stored().empty());
}

TEST_CASE("a range's rows and its position arrive together, and nothing else moves",
          "[contract][ranges]") {
  Planned planned;
  const Batch first = batch_of(schema, {{"1", "a"}, {"2", "b"}});
  RangeRecord at{.part = 0, .upper = planned.ranges[0].upper, .position = "two"};
  {
    const auto load = planned.begin(*planned.target);
    load->upsert(first);
    load->save_range(at);
  }
  CHECK(planned.stored() == planned.ranges);
  CHECK(planned.rows().empty());
  const auto load = planned.begin(*planned.target);
  load->upsert(first);
  load->save_range(at);
  CHECK(load->commit() == WriteCounts{.inserted = 2});
  CHECK(planned.stored() == std::vector<RangeRecord>{at, planned.ranges[1]});
  CHECK(planned.rows() == std::vector<std::string>{"1|a", "2|b"});
  const auto kept =
      planned.target->peek(planned.fixture.job(planned.spec.table), planned.spec.table);
  REQUIRE(kept);
  REQUIRE(kept->checkpoint);
  CHECK(kept->checkpoint->revision == 1);
  at.finished = true;
  const auto last = planned.begin(*planned.target);
  last->save_range(at);
  last->commit();
  CHECK(planned.stored()[0] == at);
}

TEST_CASE("sessions of one job save ranges at the same time", "[contract][ranges][side-by-side]") {
  Planned planned;
  if (!planned.target->writes_in_parallel()) {
    CHECK(planned.fixture.excused("side-by-side"));
    return;
  }
  const auto other = planned.fixture.connector().open_target();
  const Batch low = batch_of(schema, {{"1", "a"}});
  const Batch high = batch_of(schema, {{"6", "b"}});
  const auto one = planned.begin(*planned.target);
  one->upsert(low);
  one->save_range({.part = 0, .position = "1", .finished = true});
  // The first transaction is still open: had it locked the second out, this would not return.
  const auto two = planned.begin(*other);
  two->upsert(high);
  two->save_range({.part = 1, .position = "6"});
  two->commit();
  one->commit();
  CHECK(planned.rows() == std::vector<std::string>{"1|a", "6|b"});
  const auto stored = planned.stored();
  REQUIRE(stored.size() == 2);
  CHECK(stored[0].finished);
  CHECK(stored[1].position == "6");
}

TEST_CASE("who was overtaken writes no range any more", "[contract][ranges][fence]") {
  Planned planned;
  const JobKey job = planned.fixture.job(planned.spec.table);
  planned.target->release(job, planned.acquired.fence, planned.spec.table);
  const auto other = planned.fixture.connector().open_target();
  const Acquired taken =
      other->acquire(job, planned.fixture.holder("other"), planned.spec.table, seconds(60));
  REQUIRE(taken.granted);
  const Batch rows = batch_of(schema, {{"1", "late"}});
  const Error error = error_of([&] {
    const auto load = planned.begin(*planned.target);
    load->upsert(rows);
    load->save_range({.part = 0, .position = "1"});
    load->commit();
  });
  CHECK(error.kind() == FailureKind::conflict);
  CHECK(error.fields().code == "fenced");
  CHECK(planned.rows().empty());
  CHECK(planned.stored() == planned.ranges);
}

TEST_CASE("a range that is not stored can't be saved", "[contract][ranges]") {
  Planned planned;
  const Batch rows = batch_of(schema, {{"1", "a"}});
  const Error error = error_of([&] {
    const auto load = planned.begin(*planned.target);
    load->upsert(rows);
    load->save_range({.part = 7, .position = "1"});
    load->commit();
  });
  CHECK(error.kind() == FailureKind::conflict);
  CHECK(error.fields().code != "fenced");
  CHECK(planned.rows().empty());
}

TEST_CASE("a large table is split at its key, whatever its order is", "[contract][ranges][split]") {
  Fixture fixture;
  const Schema columns{{"k", text_type(20), false}, {"n", make_type(TypeKind::int32), false}};
  const WriteSpec spec = spec_of(fixture.fresh_table("split"), columns, {"k"});
  Batch batch(std::make_shared<const Schema>(columns));
  constexpr int rows = 25'000;
  for (int row = 0; row < rows; ++row) {
    // Upper and lower case, accents and digits: no order of bytes is the server's order.
    static constexpr std::array<const char*, 5> heads{"a", "B", "\u00e9", "Z", "7"};
    push_text(batch.column(0), heads[static_cast<std::size_t>(row) % heads.size()] +
                                   std::to_string(row * 7919 % rows));
    push_text(batch.column(1), std::to_string(row));
  }
  fixture.write(*fixture.connector().open_target(), spec, {&batch});
  const auto source = fixture.connector().open_source();
  ReadPlan plan = plan_of(*source, spec.table, {"k"});
  plan.order = ReadOrder::key;
  const std::vector<std::string> whole = read_all(*source, plan);
  REQUIRE(whole.size() == rows);
  const auto ranges = source->split(plan.relation, plan.key, 4);
  REQUIRE(ranges.size() > 1);
  CHECK(ranges.size() <= 4);
  std::vector<std::string> pieces;
  for (const KeyRange& range : ranges) {
    plan.range = range;
    const std::vector<std::string> lines = read_all(*source, plan);
    CHECK(lines.size() * ranges.size() * 2 > whole.size());
    pieces.insert(pieces.end(), lines.begin(), lines.end());
  }
  CHECK(pieces == whole);
}
