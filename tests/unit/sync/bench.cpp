#include "bench.h"

#include <atomic>
#include <catch2/catch.hpp>

namespace tidemark::test {

namespace {

std::atomic<int> benches = 0;

ConnectionSettings connection(const std::string& name, const std::string& database) {
  ConnectionSettings settings;
  settings.name = ConnectionName(name);
  settings.type = "memory";
  settings.database = database;
  return settings;
}

}  // namespace

Bench::Bench(const std::string& process)
    : id("bench" + std::to_string(++benches)),
      source(memory::Database::named(id + "/source")),
      target(memory::Database::named(id + "/target")) {
  source->set_now(clock.now());
  target->set_now(clock.now());
  source->create(source_table, {.columns = {{"id", make_type(TypeKind::int64), false},
                                            {"v", text_type()},
                                            {"c", time_type(TypeKind::instant), false}},
                                .primary_key = {"id"}});
  const ConnectionSettings from = connection("from", id + "/source");
  const ConnectionSettings to = connection("to", id + "/target");
  connections = std::make_unique<Connections>(
      Connections::SettingsMap{{from.name, from}, {to.name, to}},
      [](const ConnectionSettings& settings, const ConnectorContext& context) {
        return memory_connector().make(settings, context);
      },
      clock);
  limits.settle_wait = Duration::zero();
  limits.first_settle_wait = Duration::zero();
  job.name = JobName("job");
  job.source_connection = from.name;
  job.source_table = source_table;
  job.target_connection = to.name;
  job.target_table = {"", "t"};
  job.cursor = CursorSettings{.column = "c", .source = "c"};
  job.batch_rows = 3;
  job.parallel = 1;
  restart(process);
}

Bench::~Bench() {
  runner.reset();
  connections.reset();
  memory::Database::forget(id + "/source");
  memory::Database::forget(id + "/target");
}

std::unique_ptr<SyncRunner> Bench::other_runner(const std::string& process) {
  return make_runner({.connections = *connections,
                      .memory = memory,
                      .clock = clock,
                      .random = random,
                      .observer = told,
                      .zones = zones,
                      .instance = "test",
                      .holder = {.host = "here", .pid = 1, .process = process},
                      .key_secret = Secret("key secret"),
                      .limits = limits});
}

void Bench::restart(const std::string& process) {
  runner = other_runner(process);
}

RunRequest Bench::request(RunOptions options) const {
  return {.job = std::make_shared<const JobSettings>(job),
          .run_id = "run",
          .trigger = Trigger::manual,
          .options = std::move(options),
          .stop = stop.get_token(),
          .abort = abort.get_token()};
}

Outcome Bench::run(RunOptions options) {
  return runner->run(request(std::move(options)));
}

void Bench::run_until_quiet(int limit) {
  tick();
  for (int turn = 0; turn < limit; ++turn) {
    const Outcome outcome = run();
    INFO((outcome.failure ? outcome.failure->message : ""));
    REQUIRE(outcome.result == RunResult::success);
    if (outcome.progress.blocked_since) continue;
    return;
  }
  FAIL("the job does not come to rest");
}

std::string Bench::now_text() const {
  return format_instant(source->now().time_since_epoch().count() -
                        unix_to_2000_seconds * micros_per_second);
}

memory::Row Bench::row(int id, const std::string& v) const {
  return {std::to_string(id), v, now_text()};
}

void Bench::put(int id, const std::string& v) {
  source->put(source_table, row(id, v));
}

void Bench::put_late(int id, const std::string& v, Duration back) {
  const std::int64_t then = (source->now() - back).time_since_epoch().count();
  source->put(source_table, {std::to_string(id), v,
                             format_instant(then - unix_to_2000_seconds * micros_per_second)});
}

void Bench::tick(Duration by) {
  clock.advance(by);
  source->advance(by);
  target->advance(by);
}

std::vector<std::string> Bench::lines(const memory::Database& database, const TableName& table) {
  std::vector<std::string> all;
  for (const memory::Row& row : database.rows(table)) {
    std::string line;
    for (const memory::Cell& cell : row)
      line += (line.empty() ? "" : "|") + cell.value_or("∅");
    all.push_back(std::move(line));
  }
  return all;
}

memory::Fault lost_connection(memory::Operation operation, std::size_t after) {
  return {.operation = operation, .after = after};
}

memory::Fault commit_in_doubt(bool arrived, std::size_t after) {
  memory::Fault fault{.operation = memory::Operation::commit, .after = after};
  fault.error.in_doubt = true;
  fault.error.message = "the answer to COMMIT was lost";
  fault.landing = arrived ? memory::Landing::arrived : memory::Landing::never;
  return fault;
}

}  // namespace tidemark::test
