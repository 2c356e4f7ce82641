// Sessions that are lost, stopped, cut or refused.
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <future>

#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Schema schema{{"id", make_type(TypeKind::int32), false}, {"v", text_type()}};

Error failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::logic_error("nothing was thrown");
}

ReadPlan query_plan(Source& source, const std::string& query) {
  ReadPlan plan;
  plan.relation.query = query;
  plan.columns = source.describe(plan.relation).columns;
  return plan;
}

std::string pid_of(Source& source) {
  return read_rows(source, query_plan(source, "SELECT pg_backend_pid() AS pid")).front();
}

void end_backend(const std::string& pid) {
  shared_postgres().sql("SELECT pg_terminate_backend(" + pid + ", 10000)");
}

}  // namespace

TEST_CASE("a login's failures are told apart", "[postgres][session]") {
  const ConnectionSettings good = shared_postgres().settings();
  const auto refused = [](const ConnectionSettings& settings) {
    return failure_of([&] { connect(settings)->open_source(); });
  };
  ConnectionSettings settings = good;
  settings.database = "missing";
  const Error missing = refused(settings);
  CHECK(missing.kind() == FailureKind::schema);
  CHECK(missing.fields().code == "3D000");
  settings = good;
  settings.user = "nobody";
  CHECK(refused(settings).kind() == FailureKind::auth);
  settings = good;
  settings.password = Secret();
  CHECK(refused(settings).kind() == FailureKind::auth);
  settings = good;
  settings.tls.mode = TlsMode::require;
  CHECK(refused(settings).kind() == FailureKind::tls);
  settings = good;
  settings.tls = {.mode = TlsMode::verify_full, .ca = "/nonexistent.pem"};
  CHECK(refused(settings).kind() == FailureKind::tls);
  settings = good;
  settings.port = free_port();
  CHECK(refused(settings).kind() == FailureKind::connect);
  settings = good;
  settings.init_sql = {"SELECT no_such_function()"};
  CHECK(refused(settings).kind() == FailureKind::schema);
}

TEST_CASE("a unix socket needs no TLS and is told as local", "[postgres][session]") {
  ConnectionSettings settings = shared_postgres().settings();
  settings.host.clear();
  settings.unix_socket = shared_postgres().socket_directory();
  settings.tls.mode = TlsMode::verify_full;
  const ConnectionFacts facts = connect(settings)->probe();
  CHECK(facts.tls == "local");
  CHECK(facts.server_version.starts_with("PostgreSQL 15"));
  CHECK(connect(shared_postgres().settings())->probe().tls == "off");
}

TEST_CASE("a session lost between statements is lost, and is not opened again",
          "[postgres][session]") {
  const auto source = connect(shared_postgres().settings())->open_source();
  const std::string pid = pid_of(*source);
  CHECK(source->usable());
  end_backend(pid);
  CHECK_FALSE(source->usable());
  CHECK(failure_of([&] { source->now(); }).kind() == FailureKind::connect);
  CHECK(failure_of([&] { source->identity(); }).kind() == FailureKind::connect);
  CHECK(failure_of([&] { pid_of(*source); }).kind() == FailureKind::connect);
}

TEST_CASE("a session lost in the middle of a stream is lost", "[postgres][session]") {
  const auto source = connect(shared_postgres().settings())->open_source();
  const std::string pid = pid_of(*source);
  ReadPlan plan = query_plan(
      *source, "SELECT i AS id, repeat('x', 1000) AS v FROM generate_series(1, 1000000) AS i");
  plan.batch_rows = 100;
  const auto reader = source->read(plan);
  Batch batch(std::make_shared<const Schema>(plan.columns));
  REQUIRE(reader->next(batch));
  end_backend(pid);
  const Error error = failure_of([&] {
    while (reader->next(batch)) {
    }
  });
  CHECK(error.kind() == FailureKind::connect);
  CHECK_FALSE(source->usable());
}

TEST_CASE("a stream that is left early leaves the session ready", "[postgres][session]") {
  const auto source = connect(shared_postgres().settings())->open_source();
  const std::string pid = pid_of(*source);
  for (int round = 0; round < 3; ++round) {
    ReadPlan plan = query_plan(
        *source, "SELECT i AS id, repeat('x', 1000) AS v FROM generate_series(1, 3000000) AS i");
    plan.batch_rows = 100;
    const auto reader = source->read(plan);
    Batch batch(std::make_shared<const Schema>(plan.columns));
    REQUIRE(reader->next(batch));
    CHECK(batch.rows() == 100);
  }
  CHECK(pid_of(*source) == pid);
}

TEST_CASE("no byte for stall_timeout is a timeout, and the statement is stopped",
          "[postgres][session]") {
  ConnectionSettings settings = shared_postgres().settings();
  settings.stall_timeout = milliseconds(300);
  const auto source = connect(settings)->open_source();
  const std::string pid = pid_of(*source);
  const auto begun = std::chrono::steady_clock::now();
  const Error error = failure_of(
      [&] { read_rows(*source, query_plan(*source, "SELECT 1 AS v FROM pg_sleep(60)")); });
  CHECK(error.kind() == FailureKind::timeout);
  CHECK(std::chrono::steady_clock::now() - begun < seconds(5));
  CHECK(pid_of(*source) == pid);
  // A stream that keeps moving is no stall, however long it takes: 20 rows, 50 ms each.
  const ReadPlan slow =
      query_plan(*source,
                 "SELECT i AS id, repeat('x', 20000) || pg_sleep(0.05)::text AS v "
                 "FROM generate_series(1, 20) AS i");
  CHECK(read_rows(*source, slow).size() == 20);
}

TEST_CASE("a server that is frozen is given up within the time", "[postgres][session]") {
  PostgresServer own({"fsync=off"});
  own.start();
  ConnectionSettings settings = own.settings();
  settings.stall_timeout = milliseconds(300);
  settings.connect_timeout = milliseconds(700);
  const auto connector = connect(settings);
  const auto source = connector->open_source();
  const std::string pid = pid_of(*source);
  const std::string postmaster = own.sql("SELECT pg_postmaster_start_time()");
  const pid_t backend = std::stoi(pid);
  ::kill(backend, SIGSTOP);
  const auto begun = std::chrono::steady_clock::now();
  const Error error = failure_of([&] { source->now(); });
  ::kill(backend, SIGCONT);
  CHECK(error.kind() == FailureKind::timeout);
  CHECK(std::chrono::steady_clock::now() - begun < seconds(5));
  CHECK_FALSE(source->usable());

  // Nobody at home at all: the listening process is stopped, so no ping is answered.
  const auto second = connector->open_source();
  const pid_t listening =
      std::stoi(run_command({"head", "-1", own.data_directory() + "/postmaster.pid"}));
  const pid_t other = std::stoi(pid_of(*second));
  ::kill(listening, SIGSTOP);
  ::kill(other, SIGSTOP);
  const auto again = std::chrono::steady_clock::now();
  CHECK(failure_of([&] { second->now(); }).kind() == FailureKind::timeout);
  CHECK(failure_of([&] { connector->open_source(); }).kind() == FailureKind::connect);
  CHECK(std::chrono::steady_clock::now() - again < seconds(10));
  ::kill(other, SIGCONT);
  ::kill(listening, SIGCONT);
}

TEST_CASE("a target's statement is cancelled from another thread and the session goes on",
          "[postgres][session]") {
  const auto connector = connect(shared_postgres().settings());
  const auto target = connector->open_target();
  const WriteSpec spec = make_spec({"public", "waited"}, schema, {"id"});
  write_batch(*target, spec, make_batch(schema, {{"1", "a"}}));
  Application blocker(shared_postgres());
  blocker.run("BEGIN");
  blocker.run("LOCK TABLE waited IN SHARE MODE");
  auto load = begin_load(*target, spec);
  auto writing = std::async(std::launch::async, [&] {
    try {
      load->upsert(make_batch(schema, {{"1", "b"}}));
      return false;
    } catch (const Cancelled&) {
      return true;
    }
  });
  wait_until("the upsert to wait for the lock", [&] {
    return shared_postgres().sql(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
               "'Lock' AND application_name = 'tidemark'") == "1\n";
  });
  target->cancel();
  CHECK(writing.get());
  load.reset();
  target->cancel();  // harmless when idle
  blocker.run("COMMIT");
  CHECK(write_batch(*target, spec, make_batch(schema, {{"1", "c"}})).updated == 1);
}

TEST_CASE("a commit whose answer is lost is in doubt, and recovery tells", "[postgres][doubt]") {
  const auto connector = connect(shared_postgres().settings());
  auto target = connector->open_target();
  // A deferred constraint trigger holds COMMIT until the lock is free.
  shared_postgres().sql(
      "CREATE TABLE gate (id int); CREATE TABLE doubted (id int PRIMARY KEY, v text); "
      "CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS "
      "$$BEGIN LOCK TABLE gate IN SHARE MODE; RETURN NULL; END$$; "
      "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON doubted DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION wait_at_gate()");
  const WriteSpec spec = make_spec({"public", "doubted"}, schema, {"id"});
  Application gate(shared_postgres());
  gate.run("BEGIN");
  gate.run("LOCK TABLE gate");
  {
    auto load = begin_load(*target, spec);
    load->upsert(make_batch(schema, {{"1", "a"}}));
    load->save({.definition = "d", .revision = 1});
    auto committing =
        std::async(std::launch::async, [&] { return failure_of([&] { load->commit(); }); });
    wait_until("COMMIT to wait at the gate", [&] {
      return shared_postgres().sql(
                 "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' "
                 "AND wait_event_type = 'Lock'") == "1\n";
    });
    end_backend(
        shared_postgres().sql("SELECT pid FROM pg_stat_activity WHERE query = 'COMMIT' "
                              "AND wait_event_type = 'Lock'"));
    const Error error = committing.get();
    CHECK(error.in_doubt());
    CHECK(error.kind() == FailureKind::connect);
    CHECK_FALSE(target->usable());
  }
  const auto again = connector->open_target();
  const Acquired found = again->recover(job_of(spec), this_process(), spec.table, seconds(60));
  REQUIRE(found.granted);
  CHECK_FALSE(found.checkpoint);  // rolled back: nothing was ever saved
  CHECK(shared_postgres().sql("SELECT count(*) FROM doubted") == "0\n");
}

TEST_CASE("recovery ends the session that is in doubt and waits for its end", "[postgres][doubt]") {
  const auto connector = connect(shared_postgres().settings());
  const auto target = connector->open_target();
  const WriteSpec spec = make_spec({"public", "hanging"}, schema, {"id"});
  write_batch(*target, spec, make_batch(schema, {{"1", "a"}}));
  auto load = begin_load(*target, spec);
  load->upsert(make_batch(schema, {{"2", "b"}}));
  load->save({.definition = "d", .revision = 2});  // holds the job's row
  const auto other = connector->open_target();
  const Acquired found = other->recover(job_of(spec), this_process(), spec.table, seconds(60));
  REQUIRE(found.granted);
  REQUIRE(found.checkpoint);
  CHECK(found.checkpoint->revision == 1);
  CHECK_FALSE(target->usable());
  CHECK(failure_of([&] { load->commit(); }).kind() == FailureKind::connect);
  CHECK(shared_postgres().sql("SELECT count(*) FROM hanging") == "1\n");
}
