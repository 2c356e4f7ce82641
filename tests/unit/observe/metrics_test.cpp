#include "observe/metrics.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "exposition.h"
#include "observe/metric_table.h"
#include "support/process.h"
#include "support/virtual_time.h"

using namespace tidemark;
using namespace tidemark::observe;
using namespace std::chrono_literals;
using test::Exposition;

namespace {

Settings two_jobs() {
  Settings settings;
  for (const char* name : {"erp", "wms"}) {
    ConnectionSettings connection{.name = ConnectionName(name), .type = "postgres"};
    connection.max_connections = 6;
    settings.connections.emplace(connection.name, connection);
  }
  for (const char* name : {"orders", "stock"}) {
    JobSettings job;
    job.name = JobName(name);
    job.source_connection = ConnectionName("erp");
    job.target_connection = ConnectionName("wms");
    job.target_table = {.schema = "public", .name = name};
    job.schedule.when = EverySchedule{.interval = 30s};
    job.freshness = FreshnessSettings{.warn = std::nullopt, .error = 30min};
    settings.jobs.emplace(job.name, job);
  }
  settings.jobs.at(JobName("orders")).labels = {{"team", "ware\"house"}, {"cost-center", "7"}};
  return settings;
}

/// Metrics with two jobs and a clock to turn.
struct Fixture {
  test::VirtualClock clock;
  test::VirtualTimers timers{clock};
  Metrics metrics{clock, {.version = "1.2.3", .revision = "abc", .features = "memory,sqlite"}};
  LiveValues live;

  Fixture() { metrics.set_jobs(two_jobs()); }
  Exposition scrape() const { return Exposition(metrics.serialize(live)); }
  LiveValues::Job& live_job(const std::string& name) {
    live.jobs.push_back({.name = JobName(name)});
    return live.jobs.back();
  }
  RunFinished finished(RunResult result) const {
    RunFinished event;
    event.job = JobName("orders");
    event.run_id = "r1";
    event.started = clock.now() - 2s;
    event.ended = clock.now();
    event.took = 2s;
    event.outcome.result = result;
    return event;
  }
};

RunProgress batch_of(const std::string& job, const std::string& run_id) {
  RunProgress progress;
  progress.job = JobName(job);
  progress.run_id = run_id;
  return progress;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A daemon in which every metric has something to say.
Exposition everything(Fixture& fixture, std::string* text = nullptr) {
  LiveValues::Job& job = fixture.live_job("orders");
  job.state = JobState::halted;
  job.next_run = fixture.clock.now() + 30s;
  job.deadline = fixture.clock.now() + 1h;
  job.halt = LiveValues::Halt{.kind = FailureKind::auth, .remedy = "credentials"};
  fixture.live.connections.push_back({.name = ConnectionName("erp"), .up = true});
  RunFinished event = fixture.finished(RunResult::success);
  event.outcome.progress.fresh_as_of = fixture.clock.now();
  event.outcome.progress.read_as_of = fixture.clock.now();
  event.outcome.progress.watermark_time = fixture.clock.now();
  fixture.metrics.run_started({.job = event.job, .run_id = "r1", .at = event.started});
  fixture.metrics.batch_committed(batch_of("orders", "r1"));
  fixture.metrics.run_finished(event);
  event.job = JobName("stock");
  event.outcome.progress.watermark_time.reset();
  event.outcome.progress.settled = "4711";
  fixture.metrics.run_finished(event);
  fixture.metrics.http_request("/metrics", "GET", 200, 3ms);
  const std::string all = fixture.metrics.serialize(fixture.live);
  if (text != nullptr) *text = all;
  return Exposition(all);
}

}  // namespace

TEST_CASE("what is exported and what the table lists are the same, labels and types included") {
  Fixture fixture;
  const Exposition scrape = everything(fixture);
  std::set<std::string> listed;
  for (const MetricDefinition& row : metric_table()) {
    const std::string name(row.name);
    INFO(name);
    CHECK(listed.insert(name).second);
    REQUIRE(scrape.types().contains(name));
    const std::string type = row.type == MetricType::counter ? "counter"
                             : row.type == MetricType::gauge ? "gauge"
                                                             : "histogram";
    CHECK(scrape.types().at(name) == type);
    std::set<std::string> labels;
    for (const std::string_view label : row.labels)
      if (label != "label_*") labels.insert(std::string(label));
    std::set<std::string> found;
    for (const std::string& label : scrape.labels(name))
      if (!label.starts_with("label_")) found.insert(label);
    CHECK(found == labels);
    CHECK_FALSE(row.help.empty());
    CHECK(row.help.back() == '.');
  }
  for (const auto& [name, type] : scrape.types()) {
    INFO(name);
    CHECK(listed.contains(name));
  }
}

TEST_CASE("docs/metrics.md is what the table says") {
  CHECK(read_file(TIDEMARK_SOURCE_DIR "/docs/metrics.md") == metrics_markdown());
}

TEST_CASE("promtool finds nothing to say about the output") {
  Fixture fixture;
  std::string text;
  everything(fixture, &text);
  const test::TempDir dir;
  std::ofstream(dir / "metrics.prom") << text;
  const std::string said =
      test::run_command({"sh", "-c", "promtool check metrics < '" + (dir / "metrics.prom") + "'"});
  CHECK(said.empty());
}

TEST_CASE("every series of a closed set is there at 0 before anything has happened") {
  const Fixture fixture;
  const Exposition scrape = fixture.scrape();
  for (const char* series : {
           R"(tidemark_job_runs_total{name="orders",result="success"})",
           R"(tidemark_job_runs_total{name="orders",result="held"})",
           R"(tidemark_job_failures_total{kind="connect",name="orders"})",
           R"(tidemark_job_failures_total{kind="internal",name="stock"})",
           R"(tidemark_job_retries_total{kind="deadlock",name="orders"})",
           R"(tidemark_job_skipped_total{name="orders",reason="missed"})",
           R"(tidemark_job_rows_written_total{name="orders",op="delete"})",
           R"(tidemark_job_phase_seconds_total{name="orders",phase="commit"})",
           R"(tidemark_job_late_rows_total{name="orders"})",
           R"(tidemark_connection_errors_total{connection="erp",kind="auth"})",
           R"(tidemark_http_auth_failures_total{reason="wrong_token"})",
           R"(tidemark_log_messages_total{level="error"})",
           R"(tidemark_config_reloads_total{result="rejected"})",
           R"(tidemark_job_run_duration_seconds_count{name="stock"})",
           R"(tidemark_batch_write_duration_seconds_count{target="wms"})",
       }) {
    INFO(series);
    CHECK(scrape.value(series) == 0);
  }
  CHECK(scrape.count_with("tidemark_job_failures_total{") == 2 * 13);
  CHECK(scrape.count_with("tidemark_job_state{") == 2 * 7);
}

TEST_CASE("lag grows from scrape to scrape while nothing happens") {
  Fixture fixture;
  CHECK_FALSE(fixture.scrape().value(R"(tidemark_job_lag_seconds{name="orders"})"));
  RunFinished event = fixture.finished(RunResult::success);
  event.outcome.progress.fresh_as_of = fixture.clock.now() - 10s;
  event.outcome.progress.read_as_of = fixture.clock.now() - 1s;
  fixture.metrics.run_finished(event);
  CHECK(fixture.scrape().value(R"(tidemark_job_lag_seconds{name="orders"})") == 10);
  CHECK(fixture.scrape().value(R"(tidemark_job_read_lag_seconds{name="orders"})") == 1);
  fixture.timers.advance(1h);
  CHECK(fixture.scrape().value(R"(tidemark_job_lag_seconds{name="orders"})") == 3610);
  CHECK(fixture.scrape().value(R"(tidemark_job_read_lag_seconds{name="orders"})") == 3601);
}

TEST_CASE("lag goes by the source's clock and is never negative") {
  Fixture fixture;
  RunFinished event = fixture.finished(RunResult::success);
  event.outcome.progress.clock_skew = -60s;
  event.outcome.progress.fresh_as_of = fixture.clock.now() - 70s;
  fixture.metrics.run_finished(event);
  CHECK(fixture.scrape().value(R"(tidemark_job_lag_seconds{name="orders"})") == 10);
  CHECK(fixture.scrape().value(R"(tidemark_connection_clock_skew_seconds{connection="erp"})") ==
        -60);
  fixture.clock.step_wall(-1h);
  CHECK(fixture.scrape().value(R"(tidemark_job_lag_seconds{name="orders"})") == 0);
}

TEST_CASE("a run that never reached its checkpoint does not hide the lag known before") {
  Fixture fixture;
  RunFinished good = fixture.finished(RunResult::success);
  good.outcome.progress.fresh_as_of = fixture.clock.now();
  fixture.metrics.run_finished(good);
  fixture.timers.advance(5min);
  RunFinished bad = fixture.finished(RunResult::failed);
  bad.run_id = "r2";
  bad.outcome.failure = Failure{.kind = FailureKind::connect, .message = "away"};
  fixture.metrics.run_finished(bad);
  CHECK(fixture.scrape().value(R"(tidemark_job_lag_seconds{name="orders"})") == 300);
}

TEST_CASE("a held horizon shows how long it has been held") {
  Fixture fixture;
  CHECK(fixture.scrape().value(R"(tidemark_job_horizon_blocked_seconds{name="orders"})") == 0);
  RunFinished event = fixture.finished(RunResult::success);
  event.outcome.progress.read_as_of = fixture.clock.now();
  event.outcome.progress.blocked_since = fixture.clock.now() - 90s;
  fixture.metrics.run_finished(event);
  CHECK(fixture.scrape().value(R"(tidemark_job_horizon_blocked_seconds{name="orders"})") == 90);
  event.outcome.progress.blocked_since.reset();
  fixture.metrics.run_finished(event);
  CHECK(fixture.scrape().value(R"(tidemark_job_horizon_blocked_seconds{name="orders"})") == 0);
}

TEST_CASE("counts of a run arrive batch by batch and only once") {
  Fixture fixture;
  RunProgress progress{
      .job = JobName("orders"), .run_id = "r1", .counts = {}, .phases = {}, .progress = {}};
  progress.counts.rows_read = 100;
  progress.counts.batches = 1;
  progress.counts.written.inserted = 90;
  progress.counts.written.unchanged = 10;
  progress.phases.read = 1s;
  progress.phases.write = 200ms;
  progress.phases.commit = 50ms;
  fixture.metrics.batch_committed(progress);
  CHECK(fixture.scrape().value(R"(tidemark_job_rows_read_total{name="orders"})") == 100);
  CHECK(fixture.scrape().value(R"(tidemark_job_checkpoint_timestamp_seconds{name="orders"})"));

  progress.counts.rows_read = 150;
  progress.counts.batches = 3;
  progress.phases.write = 400ms;
  fixture.metrics.batch_committed(progress);
  fixture.metrics.batch_committed(progress);

  RunFinished event = fixture.finished(RunResult::success);
  event.outcome.counts = progress.counts;
  event.outcome.counts.rows_read = 160;
  event.outcome.counts.late_rows = 2;
  event.outcome.phases = progress.phases;
  fixture.metrics.run_finished(event);

  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_rows_read_total{name="orders"})") == 160);
  CHECK(scrape.value(R"(tidemark_job_rows_written_total{name="orders",op="insert"})") == 90);
  CHECK(scrape.value(R"(tidemark_job_rows_unchanged_total{name="orders"})") == 10);
  CHECK(scrape.value(R"(tidemark_job_batches_total{name="orders"})") == 3);
  CHECK(scrape.value(R"(tidemark_job_late_rows_total{name="orders"})") == 2);
  CHECK(scrape.value(R"(tidemark_job_phase_seconds_total{name="orders",phase="read"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_phase_seconds_total{name="orders",phase="write"})") ==
        Approx(0.4));
  CHECK(scrape.value(R"(tidemark_batch_write_duration_seconds_count{target="wms"})") == 2);
  CHECK(scrape.value(R"(tidemark_batch_write_duration_seconds_sum{target="wms"})") ==
        Approx(0.25 + 0.1));
  CHECK(scrape.value(R"(tidemark_job_rows_read_total{name="stock"})") == 0);

  event.run_id = "r2";
  event.outcome.counts = {};
  event.outcome.counts.rows_read = 5;
  fixture.metrics.run_finished(event);
  CHECK(fixture.scrape().value(R"(tidemark_job_rows_read_total{name="orders"})") == 165);
}

TEST_CASE("the reread ratio compares second looks with first ones") {
  Fixture fixture;
  RunFinished event = fixture.finished(RunResult::success);
  event.outcome.counts.rows_read = 150;
  event.outcome.counts.rows_settle_read = 50;
  fixture.metrics.run_finished(event);
  CHECK(fixture.scrape().value(R"(tidemark_job_settle_reread_ratio{name="orders"})") ==
        Approx(0.5));
}

TEST_CASE("results, failures and retries are counted by kind") {
  Fixture fixture;
  RunFinished event = fixture.finished(RunResult::failed);
  event.outcome.failure = Failure{.kind = FailureKind::auth, .message = "refused"};
  fixture.metrics.run_finished(event);
  fixture.metrics.retry_scheduled(JobName("orders"), *event.outcome.failure, 1, 1s);
  fixture.metrics.run_skipped(JobName("orders"), SkipReason::dependency);
  Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_runs_total{name="orders",result="failed"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_failures_total{kind="auth",name="orders"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_retries_total{kind="auth",name="orders"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_skipped_total{name="orders",reason="dependency"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_last_duration_seconds{name="orders"})") == 2);
  CHECK_FALSE(scrape.value(R"(tidemark_job_last_success_timestamp_seconds{name="orders"})"));

  fixture.metrics.run_finished(fixture.finished(RunResult::success));
  scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_last_success_timestamp_seconds{name="orders"})"));
  CHECK(scrape.value(R"(tidemark_job_run_duration_seconds_count{name="orders"})") == 2);
}

TEST_CASE("probes are not runs, and standing back for another holder is no success") {
  Fixture fixture;
  RunFinished probe = fixture.finished(RunResult::success);
  probe.trigger = Trigger::probe;
  fixture.metrics.run_finished(probe);
  fixture.metrics.run_finished(fixture.finished(RunResult::held));
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_runs_total{name="orders",result="success"})") == 0);
  CHECK(scrape.value(R"(tidemark_job_runs_total{name="orders",result="held"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_run_duration_seconds_count{name="orders"})") == 0);
  CHECK_FALSE(scrape.value(R"(tidemark_job_last_success_timestamp_seconds{name="orders"})"));
}

TEST_CASE("how late planned starts were is observed, unplanned ones are not") {
  Fixture fixture;
  StateChanged waits;
  waits.job = JobName("orders");
  waits.to = JobState::waiting;
  waits.next = fixture.clock.now();
  fixture.metrics.state_changed(waits);
  fixture.timers.advance(3s);
  StateChanged queued = waits;
  queued.to = JobState::queued;
  queued.next.reset();
  fixture.metrics.state_changed(queued);
  fixture.metrics.run_started({.job = waits.job, .run_id = "r1", .at = fixture.clock.now()});
  fixture.metrics.run_started({.job = waits.job, .run_id = "r2", .at = fixture.clock.now()});
  fixture.metrics.state_changed(waits);
  fixture.metrics.run_started(
      {.job = waits.job, .run_id = "r3", .trigger = Trigger::manual, .at = fixture.clock.now()});
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value("tidemark_scheduler_delay_seconds_count") == 1);
  CHECK(scrape.value("tidemark_scheduler_delay_seconds_sum") == 3);
}

TEST_CASE("a run that fails for a row counts it by reason, a conflict by how it ended") {
  Fixture fixture;
  const auto fail = [&](FailureKind kind, const std::string& code = "") {
    RunFinished event = fixture.finished(RunResult::failed);
    event.outcome.failure.emplace();
    event.outcome.failure->kind = kind;
    event.outcome.failure->code = code;
    fixture.metrics.run_finished(event);
  };
  const auto rejected = [&](const std::string& reason) {
    return fixture.scrape().value("tidemark_job_rows_rejected_total{name=\"orders\",reason=\"" +
                                  reason + "\"}");
  };
  const auto conflicts = [&](const std::string& resolution) {
    return fixture.scrape().value("tidemark_job_conflicts_total{name=\"orders\",resolution=\"" +
                                  resolution + "\"}");
  };
  CHECK(rejected("constraint") == 0);
  CHECK(conflicts("yielded") == 0);
  fail(FailureKind::constraint);
  fail(FailureKind::constraint);
  fail(FailureKind::conversion);
  fail(FailureKind::deadlock);
  fail(FailureKind::conflict, "40001");
  fail(FailureKind::conflict, "fenced");
  fail(FailureKind::timeout);
  CHECK(rejected("constraint") == 2);
  CHECK(rejected("conversion") == 1);
  CHECK(conflicts("repeated") == 2);
  CHECK(conflicts("yielded") == 1);
}

TEST_CASE("which half of a run waited for the other is counted as it goes") {
  Fixture fixture;
  RunProgress progress = batch_of("orders", "r1");
  progress.phases.blocked_read = 2s;
  progress.phases.blocked_write = 1s;
  fixture.metrics.batch_committed(progress);
  progress.phases.blocked_read = 5s;
  fixture.metrics.batch_committed(progress);
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_blocked_seconds_total{name="orders",stage="read"})") == 5);
  CHECK(scrape.value(R"(tidemark_job_blocked_seconds_total{name="orders",stage="write"})") == 1);
}

TEST_CASE("waiting for a session is observed by connection") {
  Fixture fixture;
  fixture.metrics.pool_wait(ConnectionName("erp"), 3s);
  fixture.metrics.pool_wait(ConnectionName("unknown"), 3s);
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_pool_wait_seconds_count{connection="erp"})") == 1);
  CHECK(scrape.value(R"(tidemark_pool_wait_seconds_sum{connection="erp"})") == 3);
  CHECK(scrape.value(R"(tidemark_pool_wait_seconds_count{connection="wms"})") == 0);
}

TEST_CASE("live values are shown as they are handed over") {
  Fixture fixture;
  LiveValues::Job& job = fixture.live_job("orders");
  job.state = JobState::halted;
  job.stale = true;
  job.degraded = true;
  job.consecutive_failures = 4;
  job.next_run = WallTime(1000s);
  job.deadline = WallTime(2000s);
  job.halt = LiveValues::Halt{.kind = FailureKind::permission, .remedy = "free text"};
  fixture.live.connections.push_back({.name = ConnectionName("erp"),
                                      .up = false,
                                      .server_version = "15.4",
                                      .tls = "TLSv1.3",
                                      .idle = 1,
                                      .busy = 2,
                                      .waiting = 4});
  fixture.live.scheduler_queue_length = 3;
  fixture.live.workers_busy = 2;
  fixture.live.queue_rows = 300;
  fixture.live.queue_bytes = 1024;
  fixture.live.queue_capacity_bytes = 4096;
  fixture.live.event_loop_delay = 20ms;
  fixture.live.state_store_errors = 6;
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_state{name="orders",state="halted"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_state{name="orders",state="waiting"})") == 0);
  CHECK(scrape.value(R"(tidemark_job_state{name="stock",state="waiting"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_stale{name="orders"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_degraded{name="orders"})") == 1);
  CHECK(scrape.value(R"(tidemark_job_consecutive_failures{name="orders"})") == 4);
  CHECK(scrape.value(R"(tidemark_job_next_run_timestamp_seconds{name="orders"})") == 1000);
  CHECK(scrape.value(R"(tidemark_job_deadline_timestamp_seconds{name="orders"})") == 2000);
  CHECK_FALSE(scrape.value(R"(tidemark_job_deadline_timestamp_seconds{name="stock"})"));
  CHECK(scrape.value(
            R"(tidemark_job_halt_info{kind="permission",name="orders",remedy="report"})") == 1);
  CHECK(scrape.count_with("tidemark_job_halt_info{") == 1);
  CHECK(scrape.value(R"(tidemark_connection_up{connection="erp"})") == 0);
  CHECK_FALSE(scrape.value(R"(tidemark_connection_up{connection="wms"})"));
  CHECK(scrape.value(R"(tidemark_connection_info{connection="erp",driver="postgres",)"
                     R"(server_version="15.4",tls="TLSv1.3"})") == 1);
  CHECK(scrape.value(R"(tidemark_pool_connections{connection="erp",state="busy"})") == 2);
  CHECK(scrape.value(R"(tidemark_pool_max_connections{connection="wms"})") == 6);
  CHECK(scrape.value("tidemark_scheduler_queue_length") == 3);
  CHECK(scrape.value("tidemark_queue_rows") == 300);
  CHECK(scrape.value("tidemark_queue_bytes") == 1024);
  CHECK(scrape.value(R"(tidemark_pool_waiters{connection="erp"})") == 4);
  CHECK(scrape.value("tidemark_queue_capacity_bytes") == 4096);
  CHECK(scrape.value("tidemark_event_loop_delay_seconds") == Approx(0.02));
  CHECK(scrape.value("tidemark_state_store_errors_total") == 6);
}

TEST_CASE("a job's own labels stand in its info, made fit for Prometheus") {
  const Fixture fixture;
  CHECK(fixture.scrape().value(
            R"(tidemark_job_info{label_cost_center="7",label_team="ware\"house",)"
            R"(mode="incremental",name="orders",proof="unknown",source="erp",target="wms",)"
            R"(target_table="public.orders"})") == 1);
}

TEST_CASE("a reload takes the series of removed jobs away and keeps the counts of the others") {
  Fixture fixture;
  fixture.metrics.run_finished(fixture.finished(RunResult::success));
  Settings settings = two_jobs();
  settings.jobs.erase(JobName("stock"));
  settings.jobs.at(JobName("orders")).target_table.name = "renamed";
  settings.connections.emplace(ConnectionName("new"),
                               ConnectionSettings{.name = ConnectionName("new"), .type = "sqlite"});
  fixture.metrics.set_jobs(settings);
  Exposition scrape = fixture.scrape();
  CHECK(scrape.count_with("name=\"stock\"") == 0);
  CHECK(scrape.value(R"(tidemark_job_runs_total{name="orders",result="success"})") == 1);
  CHECK(scrape.count_with("target_table=\"public.renamed\"") == 1);
  CHECK(scrape.value(R"(tidemark_connection_errors_total{connection="new",kind="tls"})") == 0);

  settings.jobs.clear();
  settings.connections.clear();
  fixture.metrics.set_jobs(settings);
  scrape = fixture.scrape();
  CHECK(scrape.count_with("name=\"") == 0);
  CHECK(scrape.count_with("connection=\"") == 0);
}

TEST_CASE("events of jobs that are not configured leave no series") {
  Fixture fixture;
  RunFinished event = fixture.finished(RunResult::success);
  event.job = JobName("ghost");
  fixture.metrics.run_finished(event);
  fixture.metrics.batch_committed(batch_of("ghost", "r1"));
  fixture.metrics.connection_error(ConnectionName("ghost"), FailureKind::auth);
  CHECK(fixture.scrape().count_with("ghost") == 0);
}

TEST_CASE("what the state store knew is shown until a run says more") {
  Fixture fixture;
  Progress progress;
  progress.fresh_as_of = fixture.clock.now() - 2h;
  JobHistory history;
  history.last_start = WallTime(5000s);
  history.last_success = WallTime(6000s);
  history.last_end = WallTime(6000s);
  history.last_took = 7s;
  fixture.metrics.restore(JobName("orders"), history, progress);
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_last_start_timestamp_seconds{name="orders"})") == 5000);
  CHECK(scrape.value(R"(tidemark_job_last_success_timestamp_seconds{name="orders"})") == 6000);
  CHECK(scrape.value(R"(tidemark_job_last_duration_seconds{name="orders"})") == 7);
  CHECK(scrape.value(R"(tidemark_job_lag_seconds{name="orders"})") == 7200);
}

TEST_CASE("a rejected reload keeps generation and time of the configuration in force") {
  Fixture fixture;
  fixture.metrics.set_config_hash(0xffff'1234'5678'9abcU);
  const double started =
      fixture.scrape().value("tidemark_config_last_reload_success_timestamp_seconds").value();
  fixture.timers.advance(1min);
  ReloadFinished rejected;
  rejected.result = ReloadFinished::Result::rejected;
  rejected.generation = 9;
  fixture.metrics.reload_finished(rejected);
  Exposition scrape = fixture.scrape();
  CHECK(scrape.value("tidemark_config_last_reload_successful") == 0);
  CHECK(scrape.value("tidemark_config_generation") == 1);
  CHECK(scrape.value("tidemark_config_last_reload_success_timestamp_seconds") == started);
  CHECK(scrape.value("tidemark_config_hash") == 20015998343868.0);

  ReloadFinished applied;
  applied.generation = 2;
  applied.restart_required = {"daemon.listen"};
  fixture.metrics.reload_finished(applied);
  scrape = fixture.scrape();
  CHECK(scrape.value("tidemark_config_last_reload_successful") == 1);
  CHECK(scrape.value("tidemark_config_generation") == 2);
  CHECK(scrape.value("tidemark_config_restart_required") == 1);
  CHECK(scrape.value("tidemark_config_last_reload_success_timestamp_seconds") == started + 60);
  CHECK(scrape.value(R"(tidemark_config_reloads_total{result="rejected"})") == 1);
}

TEST_CASE("requests are counted by route, and nothing a client sends makes series without end") {
  Fixture fixture;
  fixture.metrics.http_request("/api/v1/jobs/{name}", "GET", 200, 3ms);
  fixture.metrics.http_request("/api/v1/jobs/{name}", "GET", 200, 3ms);
  fixture.metrics.http_request("/metrics", "BREW", 99999, 3ms);
  fixture.metrics.http_auth_failure(AuthFailure::cross_site);
  for (int number = 0; number < 1000; ++number)
    fixture.metrics.http_request("/" + std::to_string(number), "GET", 404, 1ms);
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_http_requests_total{code="200",handler="/api/v1/jobs/{name}",)"
                     R"(method="GET"})") == 2);
  CHECK(scrape.value(
            R"(tidemark_http_requests_total{code="500",handler="/metrics",method="other"})") == 1);
  CHECK(scrape.value(R"(tidemark_http_auth_failures_total{reason="cross_site"})") == 1);
  CHECK(scrape.count_with("tidemark_http_requests_total{") == 64);
}

TEST_CASE("the process tells its own size") {
  const Fixture fixture;
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value("process_resident_memory_bytes").value() > 1'000'000);
  CHECK(scrape.value("process_virtual_memory_bytes").value() >
        scrape.value("process_resident_memory_bytes").value());
  CHECK(scrape.value("process_open_fds").value() >= 3);
  CHECK(scrape.value("process_max_fds").value() >= scrape.value("process_open_fds").value());
  CHECK(scrape.value("process_cpu_seconds_total").value() >= 0);
  const auto now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(scrape.value("process_start_time_seconds").value() <= now);
  CHECK(scrape.value("process_start_time_seconds").value() > now - 86'400);
}

TEST_CASE("scrapes, events and reloads may come from different threads") {
  Fixture fixture;
  const std::string before = fixture.metrics.serialize(fixture.live);
  std::thread events([&] {
    RunProgress progress{
        .job = JobName("orders"), .run_id = "r1", .counts = {}, .phases = {}, .progress = {}};
    for (int round = 1; round <= 200; ++round) {
      progress.counts.rows_read = static_cast<std::uint64_t>(round);
      fixture.metrics.batch_committed(progress);
      fixture.metrics.log_message(LogLevel::info);
    }
  });
  std::thread reloads([&] {
    Settings settings = two_jobs();
    settings.jobs.erase(JobName("stock"));
    for (int round = 0; round < 50; ++round)
      fixture.metrics.set_jobs(round % 2 == 0 ? settings : two_jobs());
  });
  for (int round = 0; round < 20; ++round)
    CHECK(fixture.metrics.serialize(fixture.live).size() > 0);
  events.join();
  reloads.join();
  const Exposition scrape = fixture.scrape();
  CHECK(scrape.value(R"(tidemark_job_rows_read_total{name="orders"})") == 200);
  CHECK(scrape.value(R"(tidemark_log_messages_total{level="info"})") == 200);
}
