#include "integration/scenario_postgres.h"

#include <catch2/catch.hpp>
#include <stdexcept>

namespace tidemark::test {

Session::Session(const Server& server, const std::string& user)
    : connection_(PQconnectdb(("host=127.0.0.1 password=tidemark port=" +
                               std::to_string(server.port()) + " user=" + user + " dbname=test")
                                  .c_str())) {
  if (PQstatus(connection_) == CONNECTION_OK) return;
  const std::string text = PQerrorMessage(connection_);
  PQfinish(connection_);
  throw std::runtime_error(text);
}

Session::~Session() {
  PQfinish(connection_);
}

std::string Session::run(const std::string& statement) {
  PGresult* result = PQexec(connection_, statement.c_str());
  const ExecStatusType status = PQresultStatus(result);
  const std::string cell =
      status == PGRES_TUPLES_OK && PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
  PQclear(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    throw std::runtime_error(PQerrorMessage(connection_));
  return cell;
}

void Listener::note(const JobName&, std::string_view text) {
  const std::scoped_lock lock(mutex_);
  heard_.emplace_back(text);
}

void Listener::mark_epoch_opened(const JobName&, std::int64_t epoch, std::string_view reason) {
  const std::scoped_lock lock(mutex_);
  heard_.push_back("epoch " + std::to_string(epoch) + ": " + std::string(reason));
}

bool Listener::heard(std::string_view part) const {
  const std::scoped_lock lock(mutex_);
  for (const std::string& one : heard_)
    if (one.find(part) != std::string::npos) return true;
  return false;
}

struct ScenarioJob::Engine {
  Engine(const ScenarioJob& job, Observer& observer)
      : connections(make_connections({.connections = job.connections}, clock)),
        runner(make_runner({.connections = *connections,
                            .memory = memory,
                            .clock = clock,
                            .random = random,
                            .observer = observer,
                            .zones = zones,
                            .instance = "scenario",
                            .holder = this_process(),
                            .key_secret = Secret("key"),
                            .limits = job.limits})) {}
  ~Engine() { runner->release_all(); }

  runtime::SystemClock clock;
  runtime::SystemRandom random;
  schedule::SystemZones zones;
  MemoryBudget memory{64 << 20};
  std::unique_ptr<Connections> connections;
  std::unique_ptr<SyncRunner> runner;
};

ScenarioJob::ScenarioJob(const std::string& name, const Server& source, const Server& target,
                         const std::string& cursor) {
  ConnectionSettings from = source.settings();
  ConnectionSettings to = target.settings();
  from.name = ConnectionName("from");
  to.name = ConnectionName("to");
  connections = {{from.name, from}, {to.name, to}};
  settings.name = JobName(name);
  settings.source_connection = from.name;
  settings.source_table = TableName{"public", name};
  settings.target_connection = to.name;
  settings.target_table = {"public", name + "_copy"};
  settings.mode = cursor.empty() ? Mode::full : Mode::incremental;
  settings.write = cursor.empty() ? WriteMode::replace : WriteMode::upsert;
  settings.parallel = 1;
  if (!cursor.empty()) settings.cursor = CursorSettings{.column = cursor, .source = cursor};
}

void ScenarioJob::restart() {
  engine_.reset();
}

Outcome ScenarioJob::run(RunOptions options) {
  if (!engine_) engine_ = std::make_shared<Engine>(*this, listener);
  return engine_->runner->run({.job = std::make_shared<const JobSettings>(settings),
                               .run_id = "run",
                               .trigger = Trigger::manual,
                               .options = std::move(options)});
}

Outcome ScenarioJob::pass() {
  Outcome outcome = run();
  INFO((outcome.failure ? outcome.failure->message + " " + outcome.failure->driver_text : ""));
  REQUIRE(outcome.result == RunResult::success);
  return outcome;
}

void ScenarioJob::settle() {
  int quiet = 0;
  wait_until("the job to come to rest", [&] {
    const Outcome outcome = pass();
    const bool written = outcome.counts.written.inserted + outcome.counts.written.updated != 0;
    quiet = written || outcome.progress.blocked_since ? 0 : quiet + 1;
    return quiet == 2;
  });
}

std::string fresh_table(const std::string& prefix) {
  static std::atomic<int> count{0};
  return prefix + "_" + std::to_string(++count);
}

std::string differences(Server& server, const std::string& table, const std::string& columns) {
  std::string answer =
      server.sql("SELECT count(*) FROM (SELECT " + columns + " FROM " + table +
                 ") s FULL JOIN (SELECT " + columns + " FROM " + table +
                 "_copy) t USING (id) WHERE ROW(s.*)::record *<> ROW(t.*)::record");
  answer.pop_back();
  return answer;
}

void await_equal(ScenarioJob& job, Server& server, const std::string& table,
                 const std::string& columns) {
  wait_until("the copy to be equal", [&] {
    job.pass();
    return differences(server, table, columns) == "0";
  });
}

PostgresServer& scenario_server() {
  static PostgresServer server({"fsync=off", "max_prepared_transactions=10"});
  static const bool started = [] {
    server.start();
    return true;
  }();
  static_cast<void>(started);
  return server;
}

}  // namespace tidemark::test
