// What every target does: rows and checkpoint together, by key only, twice is once, never both.
#include <catch2/catch.hpp>

#include "contract/fixture.h"
#include "support/servers.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false},
                    {"code", text_type(20)},
                    {"v", make_type(TypeKind::int64)}};

std::vector<std::string> all(Fixture& fixture, const TableName& table) {
  return fixture.rows(table, {"id", "code", "v"}, {"id"});
}

}  // namespace

TEST_CASE("an upsert twice is an upsert once and writes nothing the second time",
          "[contract][upsert]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("up"), schema, {"id"});
  const Batch first =
      batch_of(schema, {{"1", "a", "10"}, {"2", "b", nullptr}, {"3", nullptr, "1"}});
  CHECK(fixture.write(*target, spec, {&first}) == WriteCounts{.inserted = 3});
  CHECK(fixture.write(*target, spec, {&first}) == WriteCounts{.unchanged = 3});
  const Batch second = batch_of(schema, {{"2", "b", "7"}, {"3", nullptr, "1"}, {"4", "d", "4"}});
  CHECK(fixture.write(*target, spec, {&second}) ==
        WriteCounts{.inserted = 1, .updated = 1, .unchanged = 1});
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|a|10", "2|b|7", "3|∅|1", "4|d|4"});
}

TEST_CASE("of two rows with one key in a batch the later one counts", "[contract][upsert]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("twice"), schema, {"id"});
  const Batch batch = batch_of(schema, {{"1", "old", "1"}, {"2", "x", "2"}, {"1", "new", "3"}});
  fixture.write(*target, spec, {&batch});
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|new|3", "2|x|2"});
}

TEST_CASE("an upsert never touches another row through a secondary unique key",
          "[contract][secondary]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("second"), schema, {"id"});
  const Batch first = batch_of(schema, {{"1", "a", "1"}, {"2", "b", "2"}});
  fixture.write(*target, spec, {&first});
  fixture.harness().add_unique(spec.table, "code");
  const Batch clash = batch_of(schema, {{"3", "a", "3"}});
  const Error error = error_of([&] { fixture.write(*target, spec, {&clash}); });
  CHECK(error.kind() == FailureKind::constraint);
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|a|1", "2|b|2"});

  // The table still takes what does not clash, with the index there.
  const auto again = fixture.connector().open_target();
  const Batch fine = batch_of(schema, {{"1", "a", "9"}, {"2", "b", "2"}, {"3", "c", "3"}});
  CHECK(fixture.write(*again, spec, {&fine}) ==
        WriteCounts{.inserted = 1, .updated = 1, .unchanged = 1});
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|a|9", "2|b|2", "3|c|3"});
}

TEST_CASE("a load without commit leaves no trace", "[contract][atomic]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("atom"), schema, {"id"});
  const Batch first = batch_of(schema, {{"1", "a", "1"}});
  fixture.write(*target, spec, {&first}, {.definition = "d", .revision = 1, .reached = "one"});
  {
    const auto load = fixture.begin(*target, spec);
    const Batch more = batch_of(schema, {{"1", "changed", "1"}, {"2", "b", "2"}});
    load->upsert(more);
    load->save({.definition = "d", .revision = 2, .reached = "two"});
  }
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|a|1"});
  const auto kept = target->peek(fixture.job(spec.table), spec.table);
  REQUIRE(kept);
  REQUIRE(kept->checkpoint);
  CHECK(kept->checkpoint->reached == "one");
  CHECK(kept->checkpoint->revision == 1);
}

TEST_CASE("rows and checkpoint arrive together", "[contract][atomic]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("both"), schema, {"id"});
  CHECK_FALSE(fixture.connector().open_target()->describe(spec.table));
  const CheckpointRecord record{.definition = "hash",
                                .epoch = 3,
                                .revision = 1,
                                .reached = R"({"cursor":"5","key":["'\"鸡"]})",
                                .settled = "4",
                                .tokens = "[]",
                                .details = "{}"};
  const Batch batch = batch_of(schema, {{"1", "a", "1"}});
  fixture.write(*target, spec, {&batch}, record);
  const auto other = fixture.connector().open_target();
  const auto kept = other->peek(fixture.job(spec.table), spec.table);
  REQUIRE(kept);
  CHECK(kept->checkpoint == record);
  CHECK(all(fixture, spec.table).size() == 1);
}

TEST_CASE("a bad row fails its load, is a data error and is not quoted", "[contract][bad-row]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("bad");
  Schema strict = schema;
  strict[2].nullable = false;
  target->prepare(spec_of(table, strict, {"id"}));
  const WriteSpec spec = spec_of(table, schema, {"id"});
  const Batch batch = batch_of(schema, {{"1", "a", "1"}, {"2", "secretvalue", nullptr}});
  const Error error = error_of([&] { fixture.write(*target, spec, {&batch}); });
  CHECK(error.error_class() == ErrorClass::data);
  CHECK(std::string(error.what()).find("secretvalue") == std::string::npos);
  CHECK(all(fixture, table).empty());
}

TEST_CASE("append adds every row", "[contract][append]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("log"), schema, {}, WriteMode::append);
  const Batch batch = batch_of(schema, {{"1", "a", "1"}, {"1", "a", "1"}});
  CHECK(fixture.write(*target, spec, {&batch}) == WriteCounts{.inserted = 2});
  CHECK(fixture.write(*target, spec, {&batch}) == WriteCounts{.inserted = 2});
  CHECK(all(fixture, spec.table).size() == 4);
}

TEST_CASE("insert_missing adds what is not there and leaves the rest alone",
          "[contract][insert-missing]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("missing"), schema, {"id"}, WriteMode::append);
  const Batch first = batch_of(schema, {{"1", "a", "10"}, {"2", "b", nullptr}});
  const auto put = [&](const Batch& batch, const CheckpointRecord& checkpoint) {
    const auto load = fixture.begin(*target, spec);
    load->insert_missing(batch);
    const WriteCounts before = load->written();
    load->save(checkpoint);
    CHECK(load->commit() == before);
    return before;
  };
  CHECK(put(first, {.definition = "d", .revision = 1}) == WriteCounts{.inserted = 2});
  CHECK(put(first, {.definition = "d", .revision = 2}) == WriteCounts{.unchanged = 2});
  const Batch second = batch_of(schema, {{"2", "other", "7"}, {"3", nullptr, "1"}});
  CHECK(put(second, {.definition = "d", .revision = 3}) ==
        WriteCounts{.inserted = 1, .unchanged = 1});
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|a|10", "2|b|∅", "3|∅|1"});

  const auto described = fixture.connector().open_target()->describe(spec.table);
  REQUIRE(described);
  CHECK(described->unique_keys == std::vector<std::vector<std::string>>{{"id"}});

  // With a second unique index there, which another row's value meets.
  fixture.harness().add_unique(spec.table, "code");
  const auto again = fixture.connector().open_target();
  const Batch clash = batch_of(schema, {{"4", "a", "4"}});
  const Error error = error_of([&] {
    const auto load = fixture.begin(*again, spec);
    load->insert_missing(clash);
    load->commit();
  });
  CHECK(error.kind() == FailureKind::constraint);
  CHECK(all(fixture, spec.table).size() == 3);
}

TEST_CASE("an append with a key needs a unique index over it", "[contract][insert-missing]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("keyless");
  target->prepare(spec_of(table, schema, {}, WriteMode::append));
  CHECK(target->plan(spec_of(table, schema, {}, WriteMode::append)).problems.empty());
  CHECK_FALSE(target->plan(spec_of(table, schema, {"id"}, WriteMode::append)).problems.empty());
}

TEST_CASE("erase deletes by key and does not mind what is gone", "[contract][erase]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("era"), schema, {"id"});
  const Batch batch = batch_of(schema, {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", "3"}});
  fixture.write(*target, spec, {&batch});
  const Batch keys = batch_of({schema[0]}, {{"1"}, {"3"}, {"9"}});
  const auto load = fixture.begin(*target, spec);
  load->erase(keys);
  load->save({.definition = "d", .revision = 2});
  CHECK(load->commit() == WriteCounts{.deleted = 2});
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"2|b|2"});
}

TEST_CASE("a replacement changes what differs, all at once", "[contract][replace]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("rep");
  const WriteSpec upsert = spec_of(table, schema, {"id"});
  const Batch before = batch_of(schema, {{"1", "a", "1"}, {"2", "b", "2"}, {"3", "c", "3"}});
  fixture.write(*target, upsert, {&before});

  const WriteSpec replace = spec_of(table, schema, {"id"}, WriteMode::replace);
  const Batch half = batch_of(schema, {{"2", "b", "2"}, {"3", "c", "33"}});
  const Batch rest = batch_of(schema, {{"4", nullptr, "4"}});
  {
    const auto load = fixture.begin(*target, replace);
    load->append(half);
    CHECK(all(fixture, table).size() == 3);
  }
  CHECK(all(fixture, table) == std::vector<std::string>{"1|a|1", "2|b|2", "3|c|3"});
  CHECK(fixture.write(*target, replace, {&half, &rest}) ==
        WriteCounts{.inserted = 1, .updated = 1, .deleted = 1, .unchanged = 1});
  CHECK(all(fixture, table) == std::vector<std::string>{"2|b|2", "3|c|33", "4|∅|4"});
}

TEST_CASE("a replacement without a key ends with exactly the rows read", "[contract][replace]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("nokey"), schema, {}, WriteMode::replace);
  const Batch first = batch_of(schema, {{"1", "a", "1"}, {"1", "a", "1"}, {"2", "b", "2"}});
  fixture.write(*target, spec, {&first});
  CHECK(all(fixture, spec.table).size() == 3);
  const Batch second = batch_of(schema, {{"3", "c", "3"}});
  fixture.write(*target, spec, {&second});
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"3|c|3"});
}

TEST_CASE("a replacement keeps to its scope", "[contract][scope]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("scope");
  const Batch before = batch_of(schema, {{"1", "x", "1"}, {"2", "y", "2"}});
  fixture.write(*target, spec_of(table, schema, {"id"}), {&before});
  WriteSpec spec = spec_of(table, schema, {"id"}, WriteMode::replace);
  spec.scope = {{"code", "x"}};
  const Batch rows = batch_of(schema, {{"3", "x", "3"}});
  fixture.write(*target, spec, {&rows});
  CHECK(all(fixture, table) == std::vector<std::string>{"2|y|2", "3|x|3"});
}

TEST_CASE("a job is held by one process at a time", "[contract][fence]") {
  Fixture fixture;
  const auto first = fixture.connector().open_target();
  const auto second = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("held"), schema, {"id"});
  first->prepare(spec);
  const JobKey job = fixture.job(spec.table);
  const Acquired mine = first->acquire(job, fixture.holder("one"), spec.table, seconds(60));
  REQUIRE(mine.granted);
  CHECK_FALSE(mine.checkpoint);
  CHECK(first->acquire(job, fixture.holder("one"), spec.table, seconds(60)).granted);

  const Acquired refused = second->acquire(job, fixture.holder("two"), spec.table, seconds(60));
  CHECK_FALSE(refused.granted);
  CHECK(refused.held_by == fixture.holder("one").display());
  CHECK(refused.lease_left > seconds(30));

  first->release(job, mine.fence, spec.table);
  const Acquired next = second->acquire(job, fixture.holder("two"), spec.table, seconds(60));
  CHECK(next.granted);
}

TEST_CASE("a successor need not wait for the lease, and what it succeeds can't write any more",
          "[contract][fence]") {
  Fixture fixture;
  const auto first = fixture.connector().open_target();
  const auto second = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("line"), schema, {"id"});
  first->prepare(spec);
  const JobKey job = fixture.job(spec.table);
  Holder dead = fixture.holder("one");
  Holder next = fixture.holder("two");
  dead.line = next.line = "boot-lock";
  const Acquired old = first->acquire(job, dead, spec.table, seconds(60));
  REQUIRE(old.granted);
  CHECK_FALSE(second->acquire(job, fixture.holder("three"), spec.table, seconds(60)).granted);
  const Acquired now = second->acquire(job, next, spec.table, seconds(60));
  REQUIRE(now.granted);
  CHECK(now.fence > old.fence);
  const Error error = error_of([&] {
    const auto load =
        first->begin({.job = job, .fence = old.fence, .lease = seconds(60), .write = spec});
    load->upsert(batch_of(schema, {{"1", "a", "1"}}));
    load->save({.definition = "d", .revision = 1});
    load->commit();
  });
  CHECK(error.fields().code == "fenced");
  CHECK(all(fixture, spec.table).empty());
  CHECK(second->acquire(job, next, spec.table, seconds(60)).fence == now.fence);
}

TEST_CASE("who was overtaken can't write any more", "[contract][fence]") {
  Fixture fixture;
  const auto first = fixture.connector().open_target();
  const auto second = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("fence"), schema, {"id"});
  first->prepare(spec);
  const JobKey job = fixture.job(spec.table);
  const Acquired mine = first->acquire(job, fixture.holder("one"), spec.table, milliseconds(1));
  REQUIRE(mine.granted);
  // The lease is over by the target's clock as soon as that has moved on.
  Acquired theirs;
  wait_until("the lease to run out", [&] {
    theirs = second->acquire(job, fixture.holder("two"), spec.table, seconds(60));
    return theirs.granted;
  });
  REQUIRE(theirs.granted);
  CHECK(theirs.took_over);
  CHECK(theirs.fence > mine.fence);

  const Batch batch = batch_of(schema, {{"1", "a", "1"}});
  const Error error = error_of([&] {
    const auto load =
        first->begin({.job = job, .fence = mine.fence, .lease = seconds(60), .write = spec});
    load->upsert(batch);
    load->save({.definition = "d", .revision = 1});
    load->commit();
  });
  CHECK(error.fields().code == "fenced");
  CHECK(all(fixture, spec.table).empty());

  const auto load =
      second->begin({.job = job, .fence = theirs.fence, .lease = seconds(60), .write = spec});
  load->upsert(batch);
  load->save({.definition = "d", .revision = 1});
  load->commit();
  CHECK(all(fixture, spec.table).size() == 1);
}

TEST_CASE("a checkpoint goes only on top of the one before it", "[contract][fence]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("moved"), schema, {"id"});
  const Batch first = batch_of(schema, {{"1", "a", "1"}});
  fixture.write(*target, spec, {&first});
  // What a target that was restored from a backup looks like to a daemon that did not notice.
  const Error error = error_of([&] {
    const auto load = fixture.begin(*target, spec);
    const Batch more = batch_of(schema, {{"2", "b", "2"}});
    load->upsert(more);
    load->save({.definition = "d", .revision = 3});
    load->commit();
  });
  CHECK(error.kind() == FailureKind::conflict);
  CHECK(error.fields().code == "moved");
  CHECK(all(fixture, spec.table) == std::vector<std::string>{"1|a|1"});
  CHECK(target->peek(fixture.job(spec.table), spec.table)->checkpoint->revision == 1);
}

TEST_CASE("a job is kept where its row is as it was left, and nowhere else", "[contract][fence]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("kept"), schema, {"id"});
  const Batch rows = batch_of(schema, {{"1", "a", "1"}});
  fixture.write(*target, spec, {&rows}, {.definition = "d", .epoch = 3});
  const JobKey job = fixture.job(spec.table);
  const Holder me = fixture.holder();
  const auto stored = [&] { return *target->peek(job, spec.table); };
  const LeftBehind left{.fence = stored().fence, .epoch = 3, .revision = 1};
  target->renew(job, left.fence, spec.table, seconds(5));

  const auto keeps = [&](const Holder& holder, const LeftBehind& as) {
    return target->keep(job, holder, as, spec.table, seconds(60));
  };
  CHECK_FALSE(keeps(fixture.holder("another"), left));
  CHECK_FALSE(keeps(me, {.fence = left.fence + 1, .epoch = 3, .revision = 1}));
  CHECK_FALSE(keeps(me, {.fence = left.fence, .epoch = 2, .revision = 1}));
  CHECK_FALSE(keeps(me, {.fence = left.fence, .epoch = 3, .revision = 2}));
  CHECK_FALSE(
      target->keep(fixture.job({spec.table.schema, "none"}), me, left, spec.table, seconds(60)));
  CHECK(stored().lease_left <= seconds(5));
  CHECK(keeps(me, left));
  CHECK(stored().lease_left > seconds(30));
  CHECK(stored().fence == left.fence);
  CHECK(stored().checkpoint->revision == 1);

  // Given back, it is not ours any more, though the fence is what it was.
  target->release(job, left.fence, spec.table);
  CHECK_FALSE(keeps(me, left));
  REQUIRE(target->acquire(job, fixture.holder("another"), spec.table, seconds(60)).granted);
  CHECK_FALSE(keeps(me, left));
}

TEST_CASE("recovery raises the fence and tells what was committed", "[contract][recover]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const WriteSpec spec = spec_of(fixture.fresh_table("doubt"), schema, {"id"});
  const Batch batch = batch_of(schema, {{"1", "a", "1"}});
  fixture.write(*target, spec, {&batch}, {.definition = "d"});
  const JobKey job = fixture.job(spec.table);
  const Acquired before = target->acquire(job, fixture.holder(), spec.table, seconds(60));
  const auto other = fixture.connector().open_target();
  const Acquired after = other->recover(job, fixture.holder(), spec.table, seconds(60));
  REQUIRE(after.granted);
  CHECK(after.fence > before.fence);
  REQUIRE(after.checkpoint);
  CHECK(after.checkpoint->revision == 1);
}

TEST_CASE("a table that is missing a column follows schema_changes", "[contract][drift]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  const TableName table = fixture.fresh_table("drift");
  target->prepare(spec_of(table, {schema[0], schema[1]}, {"id"}));
  WriteSpec spec = spec_of(table, schema, {"id"});
  spec.schema_changes = SchemaChanges::fail;
  CHECK_FALSE(target->plan(spec).problems.empty());
  CHECK(error_of([&] { target->prepare(spec); }).kind() == FailureKind::schema);

  spec.schema_changes = SchemaChanges::report;
  const TargetPlan reported = target->prepare(spec);
  CHECK(reported.problems.empty());
  CHECK_FALSE(reported.drift.empty());
  CHECK(reported.ignored_columns == std::vector<std::string>{"v"});

  spec.schema_changes = SchemaChanges::add;
  const TargetPlan added = target->prepare(spec);
  CHECK(added.added_columns == std::vector<std::string>{"v"});
  const Batch batch = batch_of(schema, {{"1", "a", "1"}});
  fixture.write(*target, spec, {&batch});
  CHECK(all(fixture, table) == std::vector<std::string>{"1|a|1"});
}

TEST_CASE("a table that must not be created is asked for", "[contract][create]") {
  Fixture fixture;
  const auto target = fixture.connector().open_target();
  WriteSpec spec = spec_of(fixture.fresh_table("never"), schema, {"id"});
  spec.create = CreatePolicy::never;
  CHECK_FALSE(target->plan(spec).problems.empty());
  CHECK_FALSE(target->describe(spec.table));
}
