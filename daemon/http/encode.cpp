#include "daemon/http/encode.h"

#include <algorithm>

#include "daemon/text.h"

namespace tidemark::http {
namespace {

Json time_or_null(const std::optional<WallTime>& time) {
  return time ? Json(time_text(*time)) : Json(nullptr);
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Json seconds_or_null(const std::optional<Duration>& duration) {
  return duration ? Json(seconds(*duration)) : Json(nullptr);
}

template <class Named>
Json names(const std::vector<Named>& all) {
  Json list = Json::array();
  for (const Named& name : all)
    list.push_back(name.text);
  return list;
}

Json encode_pause(const std::optional<Pause>& pause) {
  if (!pause) return nullptr;
  return {{"since", time_text(pause->since)},
          {"until", time_or_null(pause->until)},
          {"reason", text_or_null(pause->reason)},
          {"by", text_or_null(pause->by)}};
}

Json encode_run_under_way(const JobStatus& status, WallTime now) {
  if (status.run_id.empty() || !status.run_started) return nullptr;
  return {{"id", status.run_id},
          {"trigger", status.trigger ? Json(to_string(*status.trigger)) : Json(nullptr)},
          {"started", time_text(*status.run_started)},
          {"seconds", seconds(now - *status.run_started)},
          {"stopping", status.stopping},
          {"probing", status.probing},
          {"counts", encode(status.run_counts)}};
}

Json encode_last(const JobStatus& status) {
  return {{"run", text_or_null(status.last_run_id)},
          {"result", status.last_result ? Json(to_string(*status.last_result)) : Json(nullptr)},
          {"started", time_or_null(status.last_start)},
          {"ended", time_or_null(status.last_end)},
          {"success", time_or_null(status.last_success)},
          {"seconds", seconds(status.last_took)},
          {"counts", encode(status.last_counts)},
          {"failure", status.last_failure ? encode(*status.last_failure) : Json(nullptr)}};
}

Json encode_progress(const Progress& progress, WallTime now) {
  Json blockers = Json::array();
  for (const Blocker& blocker : progress.blockers)
    blockers.push_back({{"kind", blocker.kind},
                        {"id", blocker.id},
                        {"user", text_or_null(blocker.user)},
                        {"gid", text_or_null(blocker.gid)},
                        {"age_seconds", seconds(blocker.age)}});
  const auto read = progress.read_as_of
                        ? std::optional(now + progress.clock_skew - *progress.read_as_of)
                        : std::nullopt;
  return {{"lag_seconds", seconds_or_null(lag(progress, now))},
          {"read_lag_seconds", seconds_or_null(read)},
          {"proof", text_or_null(progress.proof_text)},
          {"reached", text_or_null(progress.reached)},
          {"settled", text_or_null(progress.settled)},
          {"epoch", progress.epoch},
          {"initial_done", progress.initial_done},
          {"ranges", progress.ranges},
          {"ranges_finished", progress.ranges_finished},
          {"clock_skew_seconds", seconds(progress.clock_skew)},
          {"blocked_since", time_or_null(progress.blocked_since)},
          {"blockers", std::move(blockers)},
          {"lookback", text_or_null(progress.lookback)},
          {"broken", text_or_null(progress.broken)},
          {"drift", progress.drift}};
}

Json encode_definition(const JobSettings& job) {
  return {{"mode", to_string(job.mode)},
          {"source",
           {{"connection", job.source_connection.text},
            {"table", job.source_table ? Json(job.source_table->display()) : Json(nullptr)},
            {"query", job.source_query.has_value()}}},
          {"target",
           {{"connection", job.target_connection.text}, {"table", job.target_table.display()}}},
          {"write", to_string(job.write)},
          {"priority", job.priority},
          {"labels", job.labels}};
}

}  // namespace

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

bool healthy(const JobStatus& status) noexcept {
  return status.state != JobState::halted && !status.stale;
}

std::optional<Duration> lag(const Progress& progress, WallTime now) noexcept {
  if (!progress.fresh_as_of) return std::nullopt;
  return std::max(Duration::zero(), now + progress.clock_skew - *progress.fresh_as_of);
}

Json encode(const Failure& failure) {
  return {{"kind", to_string(failure.kind)},
          {"class", to_string(failure.error_class())},
          {"message", failure.message},
          {"code", text_or_null(failure.code)},
          {"table", text_or_null(failure.table)},
          {"column", text_or_null(failure.column)},
          {"key_hash", text_or_null(failure.key_hash)},
          {"hint", text_or_null(failure.hint)},
          {"remedy", text_or_null(failure.remedy)},
          {"needs_person", failure.needs_person}};
}

Json encode(const RunCounts& counts) {
  return {
      {"rows_read", counts.rows_read},
      {"rows_settle_read", counts.rows_settle_read},
      {"rows_filtered", counts.rows_filtered},
      {"rows_rejected", counts.rows_rejected},
      {"inserted", counts.written.inserted},
      {"updated", counts.written.updated},
      {"deleted", counts.written.deleted},
      {"unchanged", counts.written.unchanged},
      {"bytes_read", counts.bytes_read},
      {"bytes_written", counts.bytes_written},
      {"batches", counts.batches},
      {"late_rows", counts.late_rows},
      {"retries", counts.retries},
      {"rows_expected", counts.rows_expected == 0 ? Json(nullptr) : Json(counts.rows_expected)}};
}

Json encode(const PhaseTimes& phases) {
  return {{"connect_seconds", seconds(phases.connect)},
          {"read_seconds", seconds(phases.read)},
          {"transform_seconds", seconds(phases.transform)},
          {"write_seconds", seconds(phases.write)},
          {"commit_seconds", seconds(phases.commit)},
          {"wait_seconds", seconds(phases.wait)},
          {"blocked_read_seconds", seconds(phases.blocked_read)},
          {"blocked_write_seconds", seconds(phases.blocked_write)}};
}

Json encode(const Outcome& outcome) {
  return {{"result", to_string(outcome.result)},
          {"exit_status", static_cast<int>(exit_status_of(outcome))},
          {"failure", outcome.failure ? encode(*outcome.failure) : Json(nullptr)},
          {"held_by", text_or_null(outcome.held_by)},
          {"counts", encode(outcome.counts)},
          {"phases", encode(outcome.phases)},
          {"proof", text_or_null(outcome.progress.proof_text)}};
}

Json encode(const state::RunRecord& record) {
  return {{"id", record.id},
          {"run", record.run_id},
          {"job", record.job.text},
          {"trigger", to_string(record.trigger)},
          {"started", time_text(record.started)},
          {"ended", time_text(record.ended)},
          {"seconds", seconds(record.took)},
          {"result", to_string(record.result)},
          {"failure", record.failure ? encode(*record.failure) : Json(nullptr)},
          {"held_by", text_or_null(record.held_by)},
          {"counts", encode(record.counts)},
          {"phases", encode(record.phases)},
          {"lag_seconds", seconds_or_null(record.lag)}};
}

Json encode(const ReloadFinished& reload) {
  const char* result = reload.result == ReloadFinished::Result::applied     ? "applied"
                       : reload.result == ReloadFinished::Result::unchanged ? "unchanged"
                                                                            : "rejected";
  return {{"api", 1},
          {"result", result},
          {"generation", reload.generation},
          {"added", reload.added},
          {"removed", reload.removed},
          {"changed", reload.changed},
          {"restart_required", reload.restart_required},
          {"errors", reload.errors}};
}

Json encode(const observe::LiveValues::Connection& connection) {
  return {{"name", connection.name.text},
          {"up", connection.up ? Json(*connection.up) : Json(nullptr)},
          {"server_version", text_or_null(connection.server_version)},
          {"tls", text_or_null(connection.tls)},
          {"idle", connection.idle},
          {"busy", connection.busy}};
}

Json encode(const JobStatus& status, WallTime now) {
  Json job = {{"name", status.settings->name.text},
              {"state", to_string(status.state)},
              {"healthy", healthy(status)},
              {"stale", status.stale},
              {"late", status.late},
              {"degraded", status.degraded},
              {"reason", text_or_null(status.reason)},
              {"since", time_or_null(status.since)},
              {"next_run", time_or_null(status.next_run)},
              {"due", time_or_null(status.due)},
              {"deadline", time_or_null(status.deadline)}};
  job.update(encode_definition(*status.settings));
  job.update({{"run", encode_run_under_way(status, now)},
              {"last", encode_last(status)},
              {"failure", status.failure ? encode(*status.failure) : Json(nullptr)},
              {"consecutive_failures", status.consecutive_failures},
              {"attempt", status.attempt},
              {"away_attempt", status.away_attempt},
              {"held_by", text_or_null(status.held_by)},
              {"pause", encode_pause(status.pause)},
              {"waits_for", names(status.waits_for)},
              {"progress", encode_progress(status.progress, now)}});
  return job;
}

}  // namespace tidemark::http
