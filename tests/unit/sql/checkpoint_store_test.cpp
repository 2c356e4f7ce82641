#include "connector/sql/checkpoint_store.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "test_dialect.h"

using namespace tidemark;
using namespace tidemark::sql;
using std::chrono::seconds;

namespace {

const JobKey job{"prod", JobName("o'rders")};
const Holder me{.host = "h", .pid = 7, .process = "p1"};
const TestDialect dialect;
const std::string where = " WHERE instance = 'prod' AND job = 'o''rders'";

bool has(const std::string& statement, const std::string& part) {
  return statement.find(part) != std::string::npos;
}

/// A row of tidemark_checkpoint as the SELECT gives it: fence, holder, process, backend,
/// lease_until and now.
Result row_of(const std::string& fence, const std::string& process, const std::string& lease,
              const std::string& revision = "3") {
  Result result;
  result.rows = {
      {"def", "2", revision, "r", "s", "t", "d", fence, "h pid 9", process, "b9", lease, "1000"}};
  return result;
}

[[noreturn]] void fail(FailureKind kind) {
  throw Error({.kind = kind, .message = "no"});
}

}  // namespace

TEST_CASE("the first to come makes the job's row", "[sql][checkpoint]") {
  ScriptedSession session([](const std::string&) { return Result{}; });
  CheckpointStore store(session, dialect, "meta");
  const Acquired acquired = store.acquire(job, me, seconds(60), "b1");
  CHECK(acquired.granted);
  CHECK(acquired.fence == 1);
  CHECK_FALSE(acquired.took_over);
  CHECK_FALSE(acquired.checkpoint);
  REQUIRE(session.statements.size() == 6);
  CHECK(session.statements[1] == "BEGIN");
  CHECK(
      has(session.statements[2], " FROM \"meta\".\"tidemark_checkpoint\"" + where + " FOR UPDATE"));
  CHECK(session.statements[3] == "SELECT now()");
  CHECK(session.statements[4] ==
        "INSERT INTO \"meta\".\"tidemark_checkpoint\" (instance, job, definition, epoch, revision, "
        "reached, settled, tokens, details, fence, holder, process, backend, lease_until, "
        "updated_at) VALUES ('prod', 'o''rders', '', 1, 0, '', '', '', '', 1, 'h pid 7', 'p1', "
        "'b1', now() + 60000000, now())");
  CHECK(session.statements[5] == "COMMIT");
}

TEST_CASE("a fence is above all that were given out, also before the target was restored",
          "[sql][checkpoint]") {
  // The clock says 1000.
  for (const auto& [stored, next] :
       {std::pair{"4", 1000}, {"999", 1000}, {"1000", 1001}, {"5000", 5001}}) {
    ScriptedSession session([&](const std::string&) { return row_of(stored, "other", "999"); });
    CHECK(CheckpointStore(session, dialect, "").acquire(job, me, seconds(1), "b1").fence == next);
  }
}

TEST_CASE("a lease that runs keeps others away and says who", "[sql][checkpoint]") {
  ScriptedSession session([](const std::string&) { return row_of("4", "other", "41000"); });
  CheckpointStore store(session, dialect, "");
  bool ended = false;
  const Acquired refused =
      store.acquire(job, me, seconds(60), "b1", [&](const std::string&) { ended = true; });
  CHECK_FALSE(refused.granted);
  CHECK(refused.held_by == "h pid 9");
  CHECK(refused.lease_left == Duration(40000));
  CHECK_FALSE(ended);
  CHECK(session.statements.size() == 1);
}

TEST_CASE("taking over ends the old session and raises the fence", "[sql][checkpoint]") {
  ScriptedSession session([](const std::string&) { return row_of("4", "other", "999"); });
  CheckpointStore store(session, dialect, "");
  std::string ended;
  const Acquired acquired =
      store.acquire(job, me, seconds(1), "b1", [&](const std::string& id) { ended = id; });
  CHECK(acquired.granted);
  CHECK(acquired.took_over);
  CHECK(acquired.fence == 1000);
  CHECK(ended == "b9");
  REQUIRE(acquired.checkpoint);
  CHECK(*acquired.checkpoint == CheckpointRecord{.definition = "def",
                                                 .epoch = 2,
                                                 .revision = 3,
                                                 .reached = "r",
                                                 .settled = "s",
                                                 .tokens = "t",
                                                 .details = "d"});
  CHECK(has(session.statements[3],
            "SET fence = 1000, holder = 'h pid 7', process = 'p1', backend = 'b1', lease_until = "
            "now() + 1000000, updated_at = now()" +
                where));
}

TEST_CASE("the same process takes its job again, and a released one is no take-over",
          "[sql][checkpoint]") {
  ScriptedSession mine([](const std::string&) { return row_of("4", "p1", "999999"); });
  bool ended = false;
  const auto end = [&](const std::string&) { ended = true; };
  const Acquired again = CheckpointStore(mine, dialect, "").acquire(job, me, seconds(1), "b1", end);
  CHECK(again.granted);
  CHECK(again.fence == 4);
  CHECK_FALSE(ended);
  ScriptedSession released([](const std::string&) { return row_of("4", "", "0"); });
  const Acquired next = CheckpointStore(released, dialect, "").acquire(job, me, seconds(1), "b1");
  CHECK(next.granted);
  CHECK(next.fence == 1000);
  CHECK_FALSE(next.took_over);
}

TEST_CASE("the next process on a line takes over before the lease has run out, behind a new fence",
          "[sql][checkpoint]") {
  const Holder next{.host = "h", .pid = 8, .process = "p2", .line = "boot-lock"};
  ScriptedSession session([](const std::string&) { return row_of("4", "boot-lock/p1", "999999"); });
  std::string ended;
  const Acquired acquired =
      CheckpointStore(session, dialect, "")
          .acquire(job, next, seconds(1), "b1", [&](const std::string& id) { ended = id; });
  CHECK(acquired.granted);
  CHECK(acquired.fence == 1000);
  CHECK_FALSE(acquired.took_over);
  CHECK(ended == "b9");
  CHECK(has(session.statements[3], "process = 'boot-lock/p2'"));

  for (const char* stranger : {"boot-lock2/p1", "boot-lock", "boot-loc/k/p1", "p1"}) {
    INFO(stranger);
    ScriptedSession other([&](const std::string&) { return row_of("4", stranger, "999999"); });
    CHECK_FALSE(CheckpointStore(other, dialect, "").acquire(job, next, seconds(1), "b1").granted);
  }
}

TEST_CASE("recovery ends the remembered session and raises the fence even for its owner",
          "[sql][checkpoint]") {
  ScriptedSession session([](const std::string&) { return row_of("4", "p1", "999999"); });
  std::string ended;
  const Acquired recovered =
      CheckpointStore(session, dialect, "")
          .recover(job, me, seconds(1), "b1", [&](const std::string& id) { ended = id; });
  CHECK(recovered.granted);
  CHECK(recovered.fence == 1000);
  CHECK(ended == "b9");
}

TEST_CASE("two sessions that make the row at once both come through", "[sql][checkpoint]") {
  int inserts = 0;
  ScriptedSession session([&](const std::string& statement) {
    if (statement.starts_with("INSERT") && ++inserts == 1) fail(FailureKind::constraint);
    return inserts == 0 ? Result{} : row_of("1", "other", "999");
  });
  const Acquired acquired =
      CheckpointStore(session, dialect, "").acquire(job, me, seconds(1), "b1");
  CHECK(acquired.granted);
  CHECK(acquired.took_over);
  CHECK(std::count(session.statements.begin(), session.statements.end(), "ROLLBACK") == 1);
}

TEST_CASE("a save checks the fence and renews the lease", "[sql][checkpoint]") {
  Result answer;
  answer.affected = 1;
  ScriptedSession session([&](const std::string&) { return answer; });
  CheckpointStore store(session, dialect, "");
  store.save(job, 4, seconds(60), {.definition = "d'", .epoch = 2, .revision = 9, .reached = "r"});
  CHECK(session.statements ==
        std::vector<std::string>{
            "UPDATE \"tidemark_checkpoint\" SET definition = 'd''', epoch = 2, revision = 9, "
            "reached = 'r', settled = '', tokens = '', details = '', lease_until = now() + "
            "60000000, updated_at = now()" +
            where + " AND fence = 4 AND revision = 8"});
  // No row was changed: the fence is another's, or the stored checkpoint is not the one before.
  answer.affected = 0;
  answer.rows = {{"5"}};
  try {
    store.save(job, 4, seconds(60), {});
    FAIL("the fence was not checked");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conflict);
    CHECK(error.fields().code == "fenced");
  }
  answer.rows = {{"4"}};
  try {
    store.save(job, 4, seconds(60), {});
    FAIL("a checkpoint was saved over one that the run does not know");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conflict);
    CHECK(error.fields().code == "moved");
  }
}

TEST_CASE("a key range is saved under a shared lock and touches nothing else",
          "[sql][checkpoint]") {
  Result answer;
  answer.affected = 1;
  answer.rows = {{"4"}};
  ScriptedSession session([&](const std::string&) { return answer; });
  CheckpointStore store(session, dialect, "");
  const RangeRecord range{.part = 2, .lower = "l", .upper = "u", .position = "p'"};
  store.save_range(job, 4, range);
  CHECK(session.statements ==
        std::vector<std::string>{
            "SELECT fence FROM \"tidemark_checkpoint\"" + where + " FOR SHARE",
            "UPDATE \"tidemark_range\" SET position = 'p''', finished = 0, updated_at = now()" +
                where + " AND part = 2"});
  try {
    store.save_range(job, 3, range);
    FAIL("the fence was not checked");
  } catch (const Error& error) {
    CHECK(error.fields().code == "fenced");
  }
}

TEST_CASE("key ranges are read as they were saved", "[sql][checkpoint]") {
  ScriptedSession session([&](const std::string&) {
    Result answer;
    answer.rows = {{"0", "", "u", "p", "1"}, {"1", "u", "", "", "0"}};
    return answer;
  });
  CheckpointStore store(session, dialect, "");
  const std::vector<RangeRecord> ranges = store.ranges(job);
  CHECK(ranges ==
        std::vector<RangeRecord>{{.part = 0, .upper = "u", .position = "p", .finished = true},
                                 {.part = 1, .lower = "u"}});
  session.statements.clear();
  store.save_ranges(job, ranges);
  REQUIRE(session.statements.size() == 3);
  CHECK(session.statements[0] == "DELETE FROM \"tidemark_range\"" + where);
  CHECK(has(session.statements[1], "VALUES ('prod', 'o''rders', 0, '', 'u', 'p', 1, now())"));
}

TEST_CASE("renewing a lost job fails, releasing it does not", "[sql][checkpoint]") {
  ScriptedSession session([](const std::string& statement) {
    Result result;
    if (statement.starts_with("SELECT")) result.rows = {{"5"}};
    return result;
  });
  CheckpointStore store(session, dialect, "");
  CHECK_THROWS_AS(store.renew(job, 4, seconds(60)), Error);
  CHECK(session.statements.back() == "ROLLBACK");
  CHECK_NOTHROW(store.release(job, 4));
  CHECK(session.statements.back() == "COMMIT");
}

TEST_CASE("peeking does not mind that another job makes the tables just now", "[sql][checkpoint]") {
  int selects = 0;
  ScriptedSession session([&](const std::string&) -> Result {
    if (++selects == 1) fail(FailureKind::schema);
    return {};
  });
  CHECK_FALSE(CheckpointStore(session, dialect, "").peek(job));
  CHECK(session.statements.size() == 4);
}

TEST_CASE("peeking needs no table", "[sql][checkpoint]") {
  ScriptedSession none([](const std::string&) -> Result { fail(FailureKind::schema); });
  CHECK_FALSE(CheckpointStore(none, dialect, "").peek(job));
  ScriptedSession broken([](const std::string& statement) -> Result {
    if (statement.starts_with("SELECT 1 ")) return {};
    fail(FailureKind::schema);
  });
  CHECK_THROWS_AS(CheckpointStore(broken, dialect, "").peek(job), Error);
  ScriptedSession taken([](const std::string&) {
    Result result = row_of("1", "p1", "0", "0");
    result.rows[0][0] = "";
    return result;
  });
  const auto peeked = CheckpointStore(taken, dialect, "").peek(job);
  REQUIRE(peeked);
  CHECK_FALSE(peeked->checkpoint);
}

TEST_CASE("the tables are made where they are missing and nowhere else", "[sql][checkpoint]") {
  bool made = false;
  ScriptedSession session([&](const std::string& statement) -> Result {
    if (statement.starts_with("CREATE")) made = true;
    if (!made && statement.starts_with("SELECT")) fail(FailureKind::schema);
    return {};
  });
  CheckpointStore store(session, dialect, "");
  store.ensure();
  REQUIRE(session.statements.size() == 6);
  CHECK(session.statements[1] == "BEGIN");
  CHECK(session.statements[2] == "LOCK");
  CHECK(session.statements[4].starts_with("CREATE TABLE IF NOT EXISTS \"tidemark_range\" ("));
  CHECK(session.statements[5] == "COMMIT");
  session.statements.clear();
  store.ensure();
  CHECK(session.statements ==
        std::vector<std::string>{"SELECT 1 FROM \"tidemark_checkpoint\" WHERE 1=0",
                                 "SELECT 1 FROM \"tidemark_range\" WHERE 1=0"});
}

TEST_CASE("without the right to create, the error holds what to run by hand", "[sql][checkpoint]") {
  ScriptedSession session([](const std::string& statement) -> Result {
    if (statement.starts_with("CREATE")) fail(FailureKind::permission);
    if (statement.starts_with("SELECT")) fail(FailureKind::schema);
    return {};
  });
  CheckpointStore store(session, dialect, "meta");
  try {
    store.ensure();
    FAIL("the missing right was not seen");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::permission);
    for (const std::string& definition : store.definitions())
      CHECK(has(error.fields().hint, definition + ";"));
  }
}

TEST_CASE("the tables' definitions use the dialect's types and options", "[sql][checkpoint]") {
  TestDialect mysql;
  mysql.options_ = "ENGINE=InnoDB";
  ScriptedSession session([](const std::string&) { return Result{}; });
  const auto definitions = CheckpointStore(session, mysql, "m").definitions();
  REQUIRE(definitions.size() == 2);
  CHECK(has(definitions[0], "instance varchar(64) NOT NULL"));
  CHECK(has(definitions[0], "lease_until bigint NOT NULL"));
  CHECK(definitions[0].ends_with("PRIMARY KEY (instance, job)\n) ENGINE=InnoDB"));
  CHECK(definitions[1].ends_with("PRIMARY KEY (instance, job, part)\n) ENGINE=InnoDB"));
}
