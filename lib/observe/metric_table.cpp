#include "observe/metric_table.h"

#include <fmt/format.h>

#include <array>
#include <stdexcept>
#include <unordered_map>

namespace tidemark::observe {
namespace {

using enum MetricType;

MetricDefinition row(MetricType type, std::string_view name, std::string_view unit,
                     std::vector<std::string_view> labels, std::string_view help) {
  return {.name = name,
          .type = type,
          .unit = unit,
          .labels = std::move(labels),
          .help = help,
          .group = {}};
}

std::vector<MetricDefinition> build_metrics() {
  return {
      row(gauge, "tidemark_build_info", "1", {"version", "revision", "compiler", "features"},
          "Always 1; the labels say what runs."),
      row(gauge, "tidemark_config_hash", "1", {}, "Hash of the configuration in force, 48 bits."),
      row(gauge, "tidemark_config_generation", "1", {},
          "Number of the configuration in force: 1 at start, one more at each reload that changed "
          "something."),
      row(gauge, "tidemark_config_last_reload_successful", "1", {},
          "1 if the last reload was taken over, 0 if it was rejected and the old configuration "
          "goes on."),
      row(gauge, "tidemark_config_last_reload_success_timestamp_seconds", "seconds", {},
          "When a configuration was last taken over, the start included."),
      row(counter, "tidemark_config_reloads_total", "reloads", {"result"},
          "Reloads by result: applied, unchanged, rejected."),
      row(gauge, "tidemark_config_restart_required", "settings", {},
          "Settings of the file that keep their old value until a restart."),
  };
}

std::vector<MetricDefinition> job_metrics() {
  return {
      row(gauge, "tidemark_job_info", "1",
          {"name", "mode", "proof", "source", "target", "target_table", "label_*"},
          "Always 1; the labels say what a job is. proof is what its settled mark rests on: "
          "snapshot, transactions, rowversion, single-writer, lookback, none (mode full) or "
          "unknown (not run yet). Each of the job's own labels stands as label_NAME."),
      row(gauge, "tidemark_job_state", "1", {"name", "state"},
          "1 for the state a job is in, 0 for the others: waiting, queued, running, backoff, "
          "paused, halted, disabled."),
      row(gauge, "tidemark_job_stale", "1", {"name"},
          "1 if the next success is overdue by more than the job's freshness allows."),
      row(gauge, "tidemark_job_degraded", "1", {"name"},
          "1 if the job runs but not as configured: the target lacks a column, or rows came behind "
          "a mark that was proven (tidemark why)."),
      row(gauge, "tidemark_job_halt_info", "1", {"name", "kind", "remedy"},
          "1 while a job is halted; kind is what went wrong, remedy what a person has to do: "
          "credentials, permission, schema, config, accept, data, report."),
      row(gauge, "tidemark_job_interval_seconds", "seconds", {"name"},
          "Time between two starts of a job whose schedule is `every`."),
      row(gauge, "tidemark_job_freshness_seconds", "seconds", {"name"},
          "The job's freshness.error: how late a success may be. Absent without one."),
  };
}

std::vector<MetricDefinition> run_metrics() {
  return {
      row(counter, "tidemark_job_runs_total", "runs", {"name", "result"},
          "Finished runs by result: success, partial, failed, cancelled, held (another daemon "
          "holds the job). Probes of a halted job are not runs."),
      row(counter, "tidemark_job_skipped_total", "starts", {"name", "reason"},
          "Starts that were due and did not happen: overlap, paused, dependency, missed."),
      row(histogram, "tidemark_job_run_duration_seconds", "seconds", {"name"},
          "How long runs took."),
      row(counter, "tidemark_job_phase_seconds_total", "seconds", {"name", "phase"},
          "Time runs spent per phase: connect, read, transform, write, commit, wait (for room, row "
          "rate or a horizon). Phases overlap, so their sum may exceed the duration."),
      row(counter, "tidemark_job_blocked_seconds_total", "seconds", {"name", "stage"},
          "Time one half of a run waited for the other: read (batches were there, the writer took "
          "none) or write (the writer had none to write). The half that waits is not the "
          "bottleneck."),
      row(gauge, "tidemark_job_next_run_timestamp_seconds", "seconds", {"name"},
          "When the next start is planned. Absent if none is."),
      row(gauge, "tidemark_job_deadline_timestamp_seconds", "seconds", {"name"},
          "When the job becomes stale unless a run succeeds before. Absent without freshness."),
      row(gauge, "tidemark_job_last_start_timestamp_seconds", "seconds", {"name"},
          "When the newest run started, also before a restart of the daemon."),
      row(gauge, "tidemark_job_last_success_timestamp_seconds", "seconds", {"name"},
          "When the newest successful run ended, also before a restart. Absent if there never was "
          "one."),
      row(gauge, "tidemark_job_last_duration_seconds", "seconds", {"name"},
          "How long the newest finished run took."),
      row(gauge, "tidemark_job_consecutive_failures", "runs", {"name"},
          "Failed runs since the last success."),
  };
}

std::vector<MetricDefinition> failure_metrics() {
  return {
      row(counter, "tidemark_job_failures_total", "runs", {"name", "kind"},
          "Failed runs by kind of failure: connect, auth, tls, timeout, permission, schema, "
          "constraint, conversion, conflict, deadlock, position_lost, resource, internal."),
      row(counter, "tidemark_job_retries_total", "retries", {"name", "kind"},
          "Retries that were planned, by kind of the failure before."),
      row(counter, "tidemark_job_conflicts_total", "conflicts", {"name", "resolution"},
          "Times another writer was in the job's way: repeated (a deadlock or serialization "
          "failure, the transaction comes again), yielded (another daemon had taken the job over, "
          "the run gave way)."),
  };
}

std::vector<MetricDefinition> row_metrics() {
  return {
      row(counter, "tidemark_job_rows_read_total", "rows", {"name"},
          "Rows read from the source, second looks of the settle pass included."),
      row(counter, "tidemark_job_rows_written_total", "rows", {"name", "op"},
          "Rows changed in the target: insert, update, delete."),
      row(counter, "tidemark_job_rows_unchanged_total", "rows", {"name"},
          "Rows that arrived and were equal already: not rewritten."),
      row(counter, "tidemark_job_rows_filtered_total", "rows", {"name"},
          "Rows that a transform took out."),
      row(counter, "tidemark_job_rows_rejected_total", "rows", {"name", "reason"},
          "Rows for which a run failed: constraint (the target or the job's key refuses them), "
          "conversion (a value does not fit)."),
      row(counter, "tidemark_job_read_bytes_total", "bytes", {"name"},
          "Bytes of batches read, as held in memory."),
      row(counter, "tidemark_job_written_bytes_total", "bytes", {"name"},
          "Bytes of batches written, as held in memory."),
      row(counter, "tidemark_job_batches_total", "batches", {"name"},
          "Batches committed, each with the checkpoint that says so."),
      row(histogram, "tidemark_batch_write_duration_seconds", "seconds", {"target"},
          "Time to write and commit one batch, by target connection."),
  };
}

std::vector<MetricDefinition> fresh_metrics() {
  return {
      row(gauge, "tidemark_job_lag_seconds", "seconds", {"name"},
          "Source's clock now minus its clock at the start of the newest read that reached the end "
          "and has settled. Computed at each scrape. A quiet table is not late. Absent until a "
          "read has reached the end."),
      row(gauge, "tidemark_job_read_lag_seconds", "seconds", {"name"},
          "As tidemark_job_lag_seconds, settled or not."),
      row(gauge, "tidemark_job_watermark_timestamp_seconds", "seconds", {"name"},
          "The settled mark of a job whose cursor is a time. For information: a quiet table keeps "
          "an old mark and is not late."),
      row(gauge, "tidemark_job_watermark_value", "1", {"name"},
          "The settled mark of a job whose cursor is a number; exact below 2^53."),
      row(gauge, "tidemark_job_checkpoint_timestamp_seconds", "seconds", {"name"},
          "When a batch was last committed with its checkpoint. Absent until the first of this "
          "process."),
      row(gauge, "tidemark_job_horizon_blocked_seconds", "seconds", {"name"},
          "How long the oldest open transaction has held back the settled mark; 0 if none does."),
      row(counter, "tidemark_job_late_rows_total", "rows", {"name"},
          "Rows that became visible behind the mark although the proof said none could. Anything "
          "but 0 means that an assumption about the source is wrong."),
      row(histogram, "tidemark_job_late_arrival_seconds", "seconds", {"name"},
          "How long after it had been read past a row became visible: what a lookback must cover. "
          "Empty for exact jobs unless the audit finds something. Cursors that are times only."),
      row(gauge, "tidemark_job_settle_reread_ratio", "ratio", {"name"},
          "Rows read a second time by the settle pass per row read for the first time."),
      row(gauge, "tidemark_job_schema_drift", "differences", {"name"},
          "Differences between source and target columns that the newest run found and left "
          "alone."),
  };
}

std::vector<MetricDefinition> queue_metrics() {
  return {
      row(gauge, "tidemark_queue_rows", "rows", {}, "Rows of all batches in flight."),
      row(gauge, "tidemark_queue_bytes", "bytes", {}, "Bytes of all batches in flight."),
      row(gauge, "tidemark_queue_capacity_bytes", "bytes", {},
          "Bound of tidemark_queue_bytes: daemon.memory."),
      row(gauge, "tidemark_scheduler_queue_length", "runs", {},
          "Runs that are due and wait for a worker or a connection."),
      row(gauge, "tidemark_scheduler_workers", "threads", {"state"},
          "Worker threads by state: idle, busy."),
      row(histogram, "tidemark_scheduler_delay_seconds", "seconds", {},
          "How late planned runs started."),
      row(gauge, "tidemark_event_loop_delay_seconds", "seconds", {},
          "How late the event loop came to its newest heartbeat."),
  };
}

std::vector<MetricDefinition> connection_metrics() {
  return {
      row(gauge, "tidemark_connection_info", "1", {"connection", "driver", "server_version", "tls"},
          "Always 1; server_version and tls are empty until the first login."),
      row(gauge, "tidemark_connection_up", "1", {"connection"},
          "1 if the newest login succeeded. Absent until one was tried."),
      row(counter, "tidemark_connection_errors_total", "errors", {"connection", "kind"},
          "Logins that failed, by kind of failure."),
      row(gauge, "tidemark_connection_clock_skew_seconds", "seconds", {"connection"},
          "The server's clock minus ours, as last seen by a run that read from it."),
      row(gauge, "tidemark_pool_connections", "connections", {"connection", "state"},
          "Open sessions by state: idle, busy."),
      row(gauge, "tidemark_pool_max_connections", "connections", {"connection"},
          "Bound of open sessions: limits.connections."),
      row(gauge, "tidemark_pool_waiters", "runs", {"connection"},
          "Runs that wait for a session because all are lent."),
      row(histogram, "tidemark_pool_wait_seconds", "seconds", {"connection"},
          "How long runs waited for room among the sessions of a connection; not how long logins "
          "took."),
  };
}

std::vector<MetricDefinition> self_metrics() {
  return {
      row(gauge, "tidemark_state_store_bytes", "bytes", {},
          "Size of the daemon's own file, with its write-ahead log."),
      row(counter, "tidemark_state_store_errors_total", "errors", {},
          "Reads and writes of the daemon's own file that failed: history is lost, jobs go on."),
      row(counter, "tidemark_http_requests_total", "requests", {"handler", "method", "code"},
          "HTTP requests by route, method and status."),
      row(histogram, "tidemark_http_request_duration_seconds", "seconds", {"handler"},
          "Time to answer, by route."),
      row(counter, "tidemark_http_auth_failures_total", "requests", {"reason"},
          "Requests turned away: missing_token, wrong_token, forbidden_host, cross_site."),
      row(counter, "tidemark_log_messages_total", "messages", {"level"},
          "Lines written to the log: trace, debug, info, warn, error."),
      row(counter, "process_cpu_seconds_total", "seconds", {}, "User and system time used."),
      row(gauge, "process_open_fds", "descriptors", {}, "Open file descriptors."),
      row(gauge, "process_max_fds", "descriptors", {}, "Most file descriptors allowed."),
      row(gauge, "process_virtual_memory_bytes", "bytes", {}, "Virtual memory."),
      row(gauge, "process_virtual_memory_max_bytes", "bytes", {},
          "Most virtual memory allowed; -1 without a limit."),
      row(gauge, "process_resident_memory_bytes", "bytes", {}, "Resident memory."),
      row(gauge, "process_start_time_seconds", "seconds", {}, "When the process started."),
  };
}

}  // namespace

const std::vector<MetricDefinition>& metric_table() {
  static const std::vector<MetricDefinition> table = [] {
    struct Part {
      std::string_view group;
      std::vector<MetricDefinition> (*make)();
    };
    constexpr std::array parts{Part{"Build and configuration", build_metrics},
                               Part{"Jobs", job_metrics},
                               Part{"Runs", run_metrics},
                               Part{"Failures", failure_metrics},
                               Part{"Rows and bytes", row_metrics},
                               Part{"Freshness", fresh_metrics},
                               Part{"Queues and workers", queue_metrics},
                               Part{"Connections", connection_metrics},
                               Part{"The daemon itself", self_metrics}};
    std::vector<MetricDefinition> all;
    for (const Part& part : parts)
      for (MetricDefinition& definition : part.make()) {
        definition.group = part.group;
        all.push_back(std::move(definition));
      }
    return all;
  }();
  return table;
}

const MetricDefinition& metric(std::string_view name) {
  static const auto rows = [] {
    std::unordered_map<std::string_view, const MetricDefinition*> by_name;
    for (const MetricDefinition& definition : metric_table())
      by_name.emplace(definition.name, &definition);
    return by_name;
  }();
  const auto found = rows.find(name);
  if (found == rows.end())
    throw std::logic_error(fmt::format("{} is not in the table of metrics", name));
  return *found->second;
}

}  // namespace tidemark::observe
