#include "observe/scrape.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace tidemark::observe {
namespace {

constexpr std::array<std::string_view, 7> remedies{"credentials", "permission", "schema", "config",
                                                   "accept",      "data",       "report"};

/// A key of a job's `labels` as part of a label name.
std::string label_name(std::string_view key) {
  std::string name = "label_";
  for (const char raw : key) {
    const bool plain =
        (raw >= 'a' && raw <= 'z') || (raw >= 'A' && raw <= 'Z') || (raw >= '0' && raw <= '9');
    name += plain ? raw : '_';
  }
  return name;
}

std::string proof_of(const JobSeries& job) {
  if (job.settings().mode == Mode::full) return "none";
  const auto& proof = job.facts().progress.proof;
  return proof ? std::string(to_string(*proof)) : "unknown";
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::optional<double> epoch_seconds_of(const std::optional<WallTime>& time) {
  if (!time) return std::nullopt;
  return epoch_seconds(*time);
}

void add_definition(Snapshot& snapshot, const JobSeries& job, const Labels& name) {
  const JobSettings& settings = job.settings();
  Labels info = name;
  info["mode"] = to_string(settings.mode);
  info["proof"] = proof_of(job);
  info["source"] = settings.source_connection.text;
  info["target"] = settings.target_connection.text;
  info["target_table"] = settings.target_table.display();
  for (const auto& [key, value] : settings.labels)
    info[label_name(key)] = value;
  snapshot.add("tidemark_job_info", info, 1);
  if (const auto* every = std::get_if<EverySchedule>(&settings.schedule.when))
    snapshot.add("tidemark_job_interval_seconds", name, seconds(every->interval));
  if (settings.freshness)
    snapshot.add("tidemark_job_freshness_seconds", name, seconds(settings.freshness->error));
}

void add_state(Snapshot& snapshot, const LiveValues::Job& live, const Labels& name) {
  for (std::size_t index = 0; index < enum_size<JobState>; ++index) {
    const auto state = static_cast<JobState>(index);
    Labels labels = name;
    labels["state"] = to_string(state);
    snapshot.add("tidemark_job_state", labels, live.state == state ? 1 : 0);
  }
  snapshot.add("tidemark_job_stale", name, live.stale ? 1 : 0);
  snapshot.add("tidemark_job_degraded", name, live.degraded ? 1 : 0);
  snapshot.add("tidemark_job_consecutive_failures", name, live.consecutive_failures);
  snapshot.add("tidemark_job_next_run_timestamp_seconds", name, epoch_seconds_of(live.next_run));
  snapshot.add("tidemark_job_deadline_timestamp_seconds", name, epoch_seconds_of(live.deadline));
  if (!live.halt) return;
  const bool known =
      std::find(remedies.begin(), remedies.end(), live.halt->remedy) != remedies.end();
  Labels halt = name;
  halt["kind"] = to_string(live.halt->kind);
  halt["remedy"] = known ? live.halt->remedy : "report";
  snapshot.add("tidemark_job_halt_info", halt, 1);
}

void add_freshness(Snapshot& snapshot, const JobSeries& job, WallTime now, const Labels& name) {
  const Progress& progress = job.facts().progress;
  const Duration skew = progress.clock_skew;
  snapshot.add("tidemark_job_lag_seconds", name, lag_seconds(progress.fresh_as_of, skew, now));
  snapshot.add("tidemark_job_read_lag_seconds", name, lag_seconds(progress.read_as_of, skew, now));
  snapshot.add("tidemark_job_horizon_blocked_seconds", name,
               lag_seconds(progress.blocked_since, skew, now).value_or(0));
  snapshot.add("tidemark_job_schema_drift", name, static_cast<double>(progress.drift.size()));
  snapshot.add("tidemark_job_settle_reread_ratio", name, job.facts().settle_reread_ratio);
  if (progress.watermark_time)
    snapshot.add("tidemark_job_watermark_timestamp_seconds", name,
                 epoch_seconds(*progress.watermark_time));
  else
    snapshot.add("tidemark_job_watermark_value", name, as_number(progress.settled));
}

void add_counts(Snapshot& snapshot, const JobSeries::Counts& counts, const Labels& name) {
  snapshot.add("tidemark_job_runs_total", name, "result", counts.runs);
  snapshot.add("tidemark_job_skipped_total", name, "reason", counts.skipped);
  snapshot.add("tidemark_job_run_duration_seconds", name, counts.duration);
  const auto part = [&](std::string_view family, const char* label, const char* value,
                        const Counter& counter) {
    Labels labels = name;
    labels[label] = value;
    snapshot.add(family, labels, counter);
  };
  part("tidemark_job_phase_seconds_total", "phase", "connect", counts.connect);
  part("tidemark_job_phase_seconds_total", "phase", "read", counts.read);
  part("tidemark_job_phase_seconds_total", "phase", "transform", counts.transform);
  part("tidemark_job_phase_seconds_total", "phase", "write", counts.write);
  part("tidemark_job_phase_seconds_total", "phase", "commit", counts.commit);
  part("tidemark_job_phase_seconds_total", "phase", "wait", counts.wait);
  part("tidemark_job_blocked_seconds_total", "stage", "read", counts.blocked_read);
  part("tidemark_job_blocked_seconds_total", "stage", "write", counts.blocked_write);
  snapshot.add("tidemark_job_failures_total", name, "kind", counts.failures);
  snapshot.add("tidemark_job_retries_total", name, "kind", counts.retries);
  snapshot.add("tidemark_job_conflicts_total", name, "resolution", counts.conflicts);
  snapshot.add("tidemark_job_rows_read_total", name, counts.rows_read);
  part("tidemark_job_rows_written_total", "op", "insert", counts.inserted);
  part("tidemark_job_rows_written_total", "op", "update", counts.updated);
  part("tidemark_job_rows_written_total", "op", "delete", counts.deleted);
  snapshot.add("tidemark_job_rows_unchanged_total", name, counts.unchanged);
  snapshot.add("tidemark_job_rows_filtered_total", name, counts.filtered);
  snapshot.add("tidemark_job_rows_rejected_total", name, "reason", counts.rejected);
  snapshot.add("tidemark_job_read_bytes_total", name, counts.bytes_read);
  snapshot.add("tidemark_job_written_bytes_total", name, counts.bytes_written);
  snapshot.add("tidemark_job_batches_total", name, counts.batches);
  snapshot.add("tidemark_job_late_rows_total", name, counts.late);
  snapshot.add("tidemark_job_late_arrival_seconds", name, counts.late_arrival);
}

}  // namespace

double epoch_seconds(WallTime time) noexcept {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

double seconds(Duration span) noexcept {
  return std::chrono::duration<double>(span).count();
}

std::optional<double> lag_seconds(const std::optional<WallTime>& as_of, Duration clock_skew,
                                  WallTime now) noexcept {
  if (!as_of) return std::nullopt;
  return std::max(0.0, seconds(now + clock_skew - *as_of));
}

void add_job(Snapshot& snapshot, const JobSeries& job, const LiveValues::Job& live, WallTime now) {
  const Labels name{{"name", job.settings().name.text}};
  add_definition(snapshot, job, name);
  add_state(snapshot, live, name);
  add_freshness(snapshot, job, now, name);
  add_counts(snapshot, job.counts(), name);
  const JobSeries::Facts& facts = job.facts();
  snapshot.add("tidemark_job_last_start_timestamp_seconds", name,
               epoch_seconds_of(facts.last_start));
  snapshot.add("tidemark_job_last_success_timestamp_seconds", name,
               epoch_seconds_of(facts.last_success));
  snapshot.add("tidemark_job_checkpoint_timestamp_seconds", name,
               epoch_seconds_of(facts.checkpoint));
  if (facts.last_duration)
    snapshot.add("tidemark_job_last_duration_seconds", name, seconds(*facts.last_duration));
}

void add_connection(Snapshot& snapshot, const ConnectionSettings& settings,
                    const LiveValues::Connection& live, std::optional<Duration> clock_skew) {
  const Labels name{{"connection", settings.name.text}};
  Labels info = name;
  info["driver"] = settings.type;
  info["server_version"] = live.server_version;
  info["tls"] = live.tls;
  snapshot.add("tidemark_connection_info", info, 1);
  if (live.up) snapshot.add("tidemark_connection_up", name, *live.up ? 1 : 0);
  if (clock_skew)
    snapshot.add("tidemark_connection_clock_skew_seconds", name, seconds(*clock_skew));
  Labels state = name;
  state["state"] = "idle";
  snapshot.add("tidemark_pool_connections", state, live.idle);
  state["state"] = "busy";
  snapshot.add("tidemark_pool_connections", state, live.busy);
  snapshot.add("tidemark_pool_waiters", name, live.waiting);
  snapshot.add("tidemark_pool_max_connections", name, settings.max_connections);
}

void add_queues(Snapshot& snapshot, const LiveValues& live) {
  snapshot.add("tidemark_queue_rows", {}, static_cast<double>(live.queue_rows));
  snapshot.add("tidemark_queue_bytes", {}, static_cast<double>(live.queue_bytes));
  snapshot.add("tidemark_queue_capacity_bytes", {}, static_cast<double>(live.queue_capacity_bytes));
  snapshot.add("tidemark_scheduler_queue_length", {},
               static_cast<double>(live.scheduler_queue_length));
  snapshot.add("tidemark_scheduler_workers", {{"state", "idle"}}, live.workers_idle);
  snapshot.add("tidemark_scheduler_workers", {{"state", "busy"}}, live.workers_busy);
  snapshot.add("tidemark_event_loop_delay_seconds", {}, seconds(live.event_loop_delay));
  snapshot.add("tidemark_state_store_bytes", {}, static_cast<double>(live.state_store_bytes));
  snapshot.add("tidemark_state_store_errors_total", {},
               static_cast<double>(live.state_store_errors));
}

void add_process(Snapshot& snapshot, const ProcessValues& values) {
  snapshot.add("process_cpu_seconds_total", {}, values.cpu_seconds);
  snapshot.add("process_open_fds", {}, values.open_fds);
  snapshot.add("process_max_fds", {}, values.max_fds);
  snapshot.add("process_virtual_memory_bytes", {}, values.virtual_bytes);
  snapshot.add("process_virtual_memory_max_bytes", {}, values.virtual_max_bytes);
  snapshot.add("process_resident_memory_bytes", {}, values.resident_bytes);
  snapshot.add("process_start_time_seconds", {}, values.start_time);
}

}  // namespace tidemark::observe
