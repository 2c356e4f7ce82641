// The memory database's own promises, beside the contract that every connector keeps.
#include <catch2/catch.hpp>
#include <future>

#include "connector/memory/connector.h"
#include "connector/memory/database.h"
#include "core/value.h"

using namespace tidemark;
using namespace tidemark::memory;
using std::chrono::seconds;

namespace {

const TableName table{"", "t"};

struct Fixture {
  Fixture() {
    settings.database = "database-test";
    connector = memory_connector().make(settings, {});
    database->set_now(WallTime(seconds(1'700'000'000)));
    database->create(table, {.columns = {{"id", make_type(TypeKind::int64), false},
                                         {"c", time_type(TypeKind::instant, 3)}},
                             .primary_key = {"id"}});
    relation.table = table;
  }
  ~Fixture() { Database::forget("database-test"); }
  ConnectionSettings settings;
  std::shared_ptr<Database> database = Database::named("database-test");
  std::unique_ptr<Connector> connector;
  Relation relation;
};

}  // namespace

TEST_CASE("a writer's rows are invisible until it commits and its end settles a horizon",
          "[memory]") {
  Fixture fixture;
  Writer writer = fixture.database->begin();
  writer.put(table, {"1", "2024-01-01 00:00:00+00"});
  const auto source = fixture.connector->open_source();
  const HorizonToken token = source->horizon(fixture.relation, {"c", "c"}, ProofKind::transactions);
  CHECK(token.mark.text == "2023-11-14 22:13:20+00");
  Settlement answer = source->settled(token);
  CHECK_FALSE(answer.settled);
  REQUIRE(answer.blockers.size() == 1);
  CHECK(fixture.database->rows(table).empty());
  writer.commit();
  CHECK(source->settled(token).settled);
  CHECK(fixture.database->rows(table).size() == 1);
  CHECK(source->horizon(fixture.relation, {"id", "id"}, ProofKind::transactions).mark.text == "2");
  { Writer dropped = fixture.database->begin(); }
  CHECK(fixture.database->open_transactions().empty());
}

TEST_CASE("a read sees what was committed when it began", "[memory]") {
  Fixture fixture;
  fixture.database->put(table, {"1", std::nullopt});
  const auto source = fixture.connector->open_source();
  ReadPlan plan;
  plan.relation = fixture.relation;
  plan.columns = source->describe(fixture.relation).columns;
  const auto reader = source->read(plan);
  fixture.database->put(table, {"2", std::nullopt});
  Batch batch(std::make_shared<const Schema>(plan.columns));
  REQUIRE(reader->next(batch));
  CHECK(batch.rows() == 1);
  CHECK_FALSE(reader->next(batch));
}

TEST_CASE("a restart loses horizons and ends sessions", "[memory]") {
  Fixture fixture;
  const auto before = fixture.connector->open_source();
  const HorizonToken token = before->horizon(fixture.relation, {"c", "c"}, ProofKind::transactions);
  fixture.database->restart();
  CHECK_FALSE(before->usable());
  CHECK_THROWS_AS(before->now(), Error);
  CHECK(fixture.connector->open_source()->settled(token).lost);
}

TEST_CASE("a fault strikes the operation it is meant for, once", "[memory]") {
  Fixture fixture;
  Fault fault{.operation = Operation::describe, .after = 2};
  fault.breaks_session = false;
  fixture.database->inject(fault);
  const auto source = fixture.connector->open_source();
  CHECK_NOTHROW(source->now());
  CHECK_THROWS_AS(source->now(), Error);
  CHECK_NOTHROW(source->now());
  fixture.database->inject({.operation = std::nullopt});
  CHECK_THROWS_AS(source->settled({}), Error);
  CHECK_FALSE(source->usable());
}

TEST_CASE("a held operation waits until it is let go or cancelled", "[memory]") {
  Fixture fixture;
  const auto source = fixture.connector->open_source();
  fixture.database->hold(Operation::describe);
  auto running = std::async(std::launch::async, [&] { return source->now(); });
  fixture.database->await_held(Operation::describe);
  fixture.database->let_go(Operation::describe);
  CHECK(running.get() == fixture.database->now());

  fixture.database->hold(Operation::describe);
  auto cancelled = std::async(std::launch::async, [&] { return source->now(); });
  fixture.database->await_held(Operation::describe);
  source->cancel();
  CHECK_THROWS_AS(cancelled.get(), Cancelled);
}

TEST_CASE("a commit whose answer is lost may have arrived", "[memory]") {
  const bool arrived = GENERATE(true, false);
  Fixture fixture;
  const auto target = fixture.connector->open_target();
  WriteSpec spec{.table = table, .columns = {}, .key = {"id"}};
  spec.columns = {{.column = {"id", make_type(TypeKind::int64), false}}};
  target->prepare(spec);
  const JobKey job{"i", JobName("j")};
  const Acquired acquired =
      target->acquire(job, {.host = "h", .pid = 1, .process = "p"}, table, seconds(60));
  Fault fault{.operation = Operation::commit};
  fault.error.in_doubt = true;
  fault.landing = arrived ? Landing::arrived : Landing::never;
  fixture.database->inject(fault);
  Batch batch(std::make_shared<const Schema>(Schema{spec.columns[0].column}));
  batch.column(0).push(std::int64_t{7});
  const auto load = target->begin({.job = job, .fence = acquired.fence, .write = spec});
  load->upsert(batch);
  load->save({.definition = "d", .revision = 1});
  try {
    load->commit();
    FAIL("the answer was not lost");
  } catch (const Error& error) {
    CHECK(error.in_doubt());
  }
  CHECK(fixture.database->rows(table).size() == (arrived ? 1 : 0));
  CHECK(fixture.database->checkpoint(job).has_value() == arrived);
}

TEST_CASE("a commit under way lands when somebody takes its job", "[memory]") {
  Fixture fixture;
  const auto target = fixture.connector->open_target();
  const JobKey job{"i", JobName("j")};
  const Holder holder{.host = "h", .pid = 1, .process = "p"};
  const Acquired mine = target->acquire(job, holder, table, seconds(60));
  WriteSpec spec;
  spec.table = table;
  spec.key = {"id"};
  const auto load = target->begin({.job = job, .fence = mine.fence, .write = spec});
  load->save({.definition = "d", .revision = 1});
  Fault fault{.operation = Operation::commit};
  fault.error.in_doubt = true;
  fault.landing = Landing::later;
  fixture.database->inject(fault);
  CHECK_THROWS_AS(load->commit(), Error);
  CHECK_FALSE(fixture.database->checkpoint(job));
  SECTION("whoever recovers it waits for it") {
    const Acquired after =
        fixture.connector->open_target()->recover(job, holder, table, seconds(60));
    REQUIRE(after.checkpoint);
    CHECK(after.checkpoint->revision == 1);
  }
  SECTION("a crash of the database takes it away") {
    fixture.database->restart();
    fixture.database->land();
    CHECK_FALSE(fixture.database->checkpoint(job));
  }
}

TEST_CASE("a prepared transaction outlives a restart, a rolled back part does not arrive",
          "[memory]") {
  Fixture fixture;
  Writer writer = fixture.database->begin();
  writer.put(table, {"1", std::nullopt});
  writer.savepoint();
  writer.put(table, {"2", std::nullopt});
  writer.roll_back_to_savepoint();
  writer.prepare();
  Writer other = fixture.database->begin();
  other.put(table, {"3", std::nullopt});
  fixture.database->restart();
  other.commit();
  CHECK(fixture.database->rows(table).empty());
  writer.commit();
  CHECK(fixture.database->rows(table) == std::vector<Row>{{"1", std::nullopt}});
}

TEST_CASE("a backup brings rows and checkpoints back", "[memory]") {
  Fixture fixture;
  const JobKey job{"i", JobName("j")};
  fixture.database->put(table, {"1", std::nullopt});
  fixture.database->set_checkpoint(job, {.definition = "d", .revision = 1});
  const auto backup = fixture.database->backup();
  fixture.database->put(table, {"2", std::nullopt});
  fixture.database->set_checkpoint(job, {.definition = "d", .revision = 2});
  fixture.database->restore(*backup);
  CHECK(fixture.database->rows(table) == std::vector<Row>{{"1", std::nullopt}});
  CHECK(fixture.database->checkpoint(job)->revision == 1);
}

TEST_CASE("a severed user has no sessions any more, others have", "[memory]") {
  Fixture fixture;
  fixture.settings.user = "one";
  const auto one = memory_connector().make(fixture.settings, {});
  const auto session = one->open_source();
  fixture.database->sever("one");
  CHECK_FALSE(session->usable());
  CHECK_THROWS_AS(session->now(), Error);
  CHECK_THROWS_AS(one->open_source(), Error);
  CHECK(fixture.connector->open_source()->usable());
}
