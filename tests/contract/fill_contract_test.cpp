// What a target does for a first load: rows that are new, and a key that may come last.
#include <catch2/catch.hpp>

#include "contract/fixture.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false}, {"v", text_type(20)}};

std::vector<std::string> rows_of(Fixture& fixture, const WriteSpec& spec) {
  return fixture.rows(spec.table, {"id", "v"}, {"id"});
}

WriteSpec first_load_of(Fixture& fixture) {
  WriteSpec spec = spec_of(fixture.fresh_table("fill"), schema, {"id"});
  spec.key_last = true;
  return spec;
}

void commit(Load& load, std::int64_t revision) {
  load.save({.definition = "d", .revision = revision});
  load.commit();
}

}  // namespace

TEST_CASE("a first load ends with the table's key", "[contract][fill]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  WriteSpec spec = first_load_of(fixture);
  CHECK(target->plan(spec).makes_table);
  const TargetPlan made = target->prepare(spec);
  CHECK(made.makes_table);
  const Batch low = batch_of(schema, {{"1", "a"}, {"2", nullptr}});
  const Batch high = batch_of(schema, {{"3", "c"}});
  {
    const auto load = fixture.begin(*target, spec, LoadStage::filling);
    load->upsert(low);
    CHECK(load->written() == WriteCounts{.inserted = 2});
    commit(*load, 1);
  }
  {
    // Whoever looks next finds the table as it was left, with or without the wish for it.
    const auto other = fixture.connector().open_target();
    spec.key_last = false;
    const TargetPlan found = other->prepare(spec);
    CHECK_FALSE(found.makes_table);
    CHECK(found.key_pending == made.key_pending);
    CHECK(other->describe(spec.table)->primary_key.empty() == made.key_pending);
    const auto load = fixture.begin(*other, spec, LoadStage::filling);
    load->upsert(high);
    commit(*load, 2);
  }
  CHECK(rows_of(fixture, spec) == std::vector<std::string>{"1|a", "2|∅", "3|c"});
  commit(*fixture.begin(*target, spec, LoadStage::finishing), 3);
  CHECK_FALSE(target->prepare(spec).key_pending);
  CHECK(target->describe(spec.table)->primary_key == std::vector<std::string>{"id"});
  const Batch changed = batch_of(schema, {{"2", "b"}, {"3", "c"}, {"4", "d"}});
  CHECK(fixture.write(*target, spec, {&changed}) ==
        WriteCounts{.inserted = 1, .updated = 1, .unchanged = 1});
  CHECK(rows_of(fixture, spec) == std::vector<std::string>{"1|a", "2|b", "3|c", "4|d"});
}

TEST_CASE("the key and the checkpoint that ends a first load are one commit", "[contract][fill]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = first_load_of(fixture);
  const TargetPlan made = target->prepare(spec);
  const Batch batch = batch_of(schema, {{"1", "a"}, {"2", "b"}});
  {
    const auto load = fixture.begin(*target, spec, LoadStage::filling);
    load->upsert(batch);
    commit(*load, 1);
  }
  fixture.begin(*target, spec, LoadStage::finishing)->save({.definition = "d", .revision = 2});
  CHECK(target->prepare(spec).key_pending == made.key_pending);
  CHECK(target->peek(fixture.job(spec.table), spec.table)->checkpoint->revision == 1);
  commit(*fixture.begin(*target, spec, LoadStage::finishing), 2);
  CHECK_FALSE(target->prepare(spec).key_pending);
  // Asked for once more, it has nothing to do.
  commit(*fixture.begin(*target, spec, LoadStage::finishing), 3);
  CHECK(rows_of(fixture, spec) == std::vector<std::string>{"1|a", "2|b"});
}

TEST_CASE("rows that were there before a first load are updated", "[contract][fill]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("there"), schema, {"id"});
  const Batch before = batch_of(schema, {{"2", "old"}, {"3", "same"}});
  fixture.write(*target, spec, {&before});
  const Batch untouched = batch_of(schema, {{"8", "h"}, {"9", "i"}});
  const Batch meets = batch_of(schema, {{"1", "a"}, {"2", "new"}, {"3", "same"}});
  const Batch twice = batch_of(schema, {{"5", "first"}, {"5", "later"}});
  const auto load = fixture.begin(*target, spec, LoadStage::filling);
  load->upsert(untouched);
  load->upsert(meets);
  load->upsert(twice);
  load->save({.definition = "d", .revision = 2});
  const WriteCounts counts = load->commit();
  CHECK(counts.inserted == 4);
  CHECK(counts.unchanged == 1);
  CHECK(counts.updated >= 1);  // and the row that came twice, where each of the two is counted
  CHECK(rows_of(fixture, spec) ==
        std::vector<std::string>{"1|a", "2|new", "3|same", "5|later", "8|h", "9|i"});
}

TEST_CASE("a first load refuses what a usual load refuses", "[contract][fill][fit]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec made = first_load_of(fixture);
  target->prepare(made);
  Schema wide = schema;
  wide[1].type = text_type();
  WriteSpec spec = spec_of(made.table, wide, {"id"});
  spec.columns[1].lossy = Lossy::allow;
  const Batch batch = batch_of(wide, {{"1", "fits"}, {"2", "has far more than twenty characters"}});
  const Error error = error_of([&] {
    const auto load = fixture.begin(*target, spec, LoadStage::filling);
    load->upsert(batch);
    commit(*load, 1);
  });
  CHECK(error.kind() == FailureKind::conversion);
  CHECK(error.fields().column == "v");
  CHECK(error.fields().row == std::size_t{1});
  CHECK(fixture.rows(made.table, {"id"}, {"id"}).empty());
}

TEST_CASE("two sessions fill one table at once", "[contract][fill][side-by-side]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  if (!target->writes_in_parallel()) {
    CHECK(fixture.excused("side-by-side"));
    return;
  }
  const WriteSpec spec = first_load_of(fixture);
  const Batch low = batch_of(schema, {{"1", "a"}});
  const Batch high = batch_of(schema, {{"6", "b"}});
  {
    const auto load = fixture.begin(*target, spec, LoadStage::filling);
    load->save({.definition = "d", .revision = 1});
    load->save_ranges({{.part = 0}, {.part = 1}});
    load->commit();
  }
  const auto other = fixture.connector().open_target();
  const Acquired acquired = target->acquire(fixture.job(spec.table), fixture.holder(), spec.table,
                                            std::chrono::seconds(60));
  const auto begin = [&](Target& session) {
    return session.begin({.job = fixture.job(spec.table),
                          .fence = acquired.fence,
                          .lease = std::chrono::seconds(60),
                          .write = spec,
                          .stage = LoadStage::filling});
  };
  const auto one = begin(*target);
  one->upsert(low);
  one->save_range({.part = 0, .position = "1", .finished = true});
  const auto two = begin(*other);
  two->upsert(high);
  two->save_range({.part = 1, .position = "6", .finished = true});
  two->commit();
  one->commit();
  commit(*fixture.begin(*target, spec, LoadStage::finishing), 2);
  CHECK(rows_of(fixture, spec) == std::vector<std::string>{"1|a", "6|b"});
}
