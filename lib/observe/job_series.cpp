#include "observe/job_series.h"

#include <algorithm>
#include <chrono>

#include "core/lateness.h"

namespace tidemark::observe {
namespace {

const std::vector<double> run_bounds{0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400};

double seconds(Duration span) {
  return std::chrono::duration<double>(span).count();
}

/// Counts of a run only grow; where one is seen to shrink (a batch was given up), nothing is added
/// until it has grown past what was counted.
void add(Counter& counter, std::uint64_t now, std::uint64_t& before) {
  if (now <= before) return;
  counter.Increment(static_cast<double>(now - before));
  before = now;
}

void add(Counter& counter, Duration now, Duration& before) {
  if (now <= before) return;
  counter.Increment(seconds(now - before));
  before = now;
}

}  // namespace

JobSeries::JobSeries(Families& families, JobSettings job)
    : job_(std::move(job)),
      group_(families, {{"name", job_.name.text}}),
      runs_(group_.counters<RunResult>("tidemark_job_runs_total", "result")),
      skipped_(group_.counters<SkipReason>("tidemark_job_skipped_total", "reason")),
      failures_(group_.counters<FailureKind>("tidemark_job_failures_total", "kind")),
      retries_(group_.counters<FailureKind>("tidemark_job_retries_total", "kind")),
      conflicts_(group_.counters<Conflict>("tidemark_job_conflicts_total", "resolution")),
      rejected_(group_.counters<Rejection>("tidemark_job_rows_rejected_total", "reason")),
      duration_(group_.histogram("tidemark_job_run_duration_seconds", run_bounds)),
      connect_(group_.counter("tidemark_job_phase_seconds_total", {{"phase", "connect"}})),
      read_(group_.counter("tidemark_job_phase_seconds_total", {{"phase", "read"}})),
      transform_(group_.counter("tidemark_job_phase_seconds_total", {{"phase", "transform"}})),
      write_(group_.counter("tidemark_job_phase_seconds_total", {{"phase", "write"}})),
      commit_(group_.counter("tidemark_job_phase_seconds_total", {{"phase", "commit"}})),
      wait_(group_.counter("tidemark_job_phase_seconds_total", {{"phase", "wait"}})),
      blocked_read_(group_.counter("tidemark_job_blocked_seconds_total", {{"stage", "read"}})),
      blocked_write_(group_.counter("tidemark_job_blocked_seconds_total", {{"stage", "write"}})),
      rows_read_(group_.counter("tidemark_job_rows_read_total")),
      inserted_(group_.counter("tidemark_job_rows_written_total", {{"op", "insert"}})),
      updated_(group_.counter("tidemark_job_rows_written_total", {{"op", "update"}})),
      deleted_(group_.counter("tidemark_job_rows_written_total", {{"op", "delete"}})),
      unchanged_(group_.counter("tidemark_job_rows_unchanged_total")),
      filtered_(group_.counter("tidemark_job_rows_filtered_total")),
      late_(group_.counter("tidemark_job_late_rows_total")),
      late_arrival_(group_.histogram("tidemark_job_late_arrival_seconds", lateness_bounds())),
      bytes_read_(group_.counter("tidemark_job_read_bytes_total")),
      bytes_written_(group_.counter("tidemark_job_written_bytes_total")),
      batches_(group_.counter("tidemark_job_batches_total")) {}

void JobSeries::restore(const JobHistory& history, const std::optional<Progress>& progress) {
  facts_.last_start = history.last_start;
  facts_.last_success = history.last_success;
  if (history.last_end) facts_.last_duration = history.last_took;
  if (progress) learn(*progress);
}

std::optional<Duration> JobSeries::started(const RunStarted& event) {
  const std::optional<WallTime> planned = std::exchange(planned_, std::nullopt);
  if (event.trigger == Trigger::probe) return std::nullopt;
  facts_.last_start = event.at;
  if (!planned || (event.trigger != Trigger::schedule && event.trigger != Trigger::retry))
    return std::nullopt;
  return std::max(Duration{}, event.at - *planned);
}

std::optional<Duration> JobSeries::committed(const RunProgress& event, WallTime now) {
  const bool same_run = event.run_id == run_id_;
  const std::uint64_t batches_before = same_run ? counted_.batches : 0;
  const Duration written_before = same_run ? timed_.write + timed_.commit : Duration{};
  count(event.run_id, event.counts, event.phases);
  learn(event.progress);
  facts_.checkpoint = now;
  if (event.counts.batches <= batches_before) return std::nullopt;
  const Duration spent = event.phases.write + event.phases.commit - written_before;
  return std::max(Duration{}, spent) /
         static_cast<std::int64_t>(event.counts.batches - batches_before);
}

void JobSeries::finished(const RunFinished& event) {
  if (event.trigger == Trigger::probe) return;
  const Outcome& outcome = event.outcome;
  count(event.run_id, outcome.counts, outcome.phases);
  learn(outcome.progress);
  of(runs_, outcome.result).Increment();
  if (outcome.result == RunResult::held) return;
  if (outcome.failure) failed(*outcome.failure);
  duration_.Observe(seconds(event.took));
  facts_.last_duration = event.took;
  if (outcome.result == RunResult::success || outcome.result == RunResult::partial)
    facts_.last_success = event.ended;
}

void JobSeries::failed(const Failure& failure) {
  of(failures_, failure.kind).Increment();
  if (failure.kind == FailureKind::constraint) of(rejected_, Rejection::constraint).Increment();
  if (failure.kind == FailureKind::conversion) of(rejected_, Rejection::conversion).Increment();
  if (failure.kind == FailureKind::deadlock) of(conflicts_, Conflict::repeated).Increment();
  if (failure.kind == FailureKind::conflict)
    of(conflicts_, failure.code == "fenced" ? Conflict::yielded : Conflict::repeated).Increment();
}

void JobSeries::retried(FailureKind kind) {
  of(retries_, kind).Increment();
}

void JobSeries::came_late(Duration by, std::uint64_t rows) {
  for (std::uint64_t row = 0; row < rows; ++row)
    late_arrival_.Observe(seconds(by));
}

void JobSeries::skipped(SkipReason reason) {
  of(skipped_, reason).Increment();
}

void JobSeries::count(const std::string& run_id, const RunCounts& counts,
                      const PhaseTimes& phases) {
  if (run_id != run_id_) {
    run_id_ = run_id;
    counted_ = {};
    timed_ = {};
  }
  const std::uint64_t rows_before = counted_.rows_read;
  const std::uint64_t settle_before = counted_.rows_settle_read;
  add(rows_read_, counts.rows_read, counted_.rows_read);
  counted_.rows_settle_read = std::max(counted_.rows_settle_read, counts.rows_settle_read);
  settle_rows_ += counted_.rows_settle_read - settle_before;
  read_rows_ += counted_.rows_read - rows_before;
  // rows_read holds both kinds of reads: what is left is what was seen for the first time.
  const std::uint64_t first_reads = read_rows_ - std::min(read_rows_, settle_rows_);
  if (first_reads > 0)
    facts_.settle_reread_ratio =
        static_cast<double>(settle_rows_) / static_cast<double>(first_reads);

  add(inserted_, counts.written.inserted, counted_.written.inserted);
  add(updated_, counts.written.updated, counted_.written.updated);
  add(deleted_, counts.written.deleted, counted_.written.deleted);
  add(unchanged_, counts.written.unchanged, counted_.written.unchanged);
  add(filtered_, counts.rows_filtered, counted_.rows_filtered);
  add(late_, counts.late_rows, counted_.late_rows);
  add(bytes_read_, counts.bytes_read, counted_.bytes_read);
  add(bytes_written_, counts.bytes_written, counted_.bytes_written);
  add(batches_, counts.batches, counted_.batches);

  add(connect_, phases.connect, timed_.connect);
  add(read_, phases.read, timed_.read);
  add(transform_, phases.transform, timed_.transform);
  add(write_, phases.write, timed_.write);
  add(commit_, phases.commit, timed_.commit);
  add(wait_, phases.wait, timed_.wait);
  add(blocked_read_, phases.blocked_read, timed_.blocked_read);
  add(blocked_write_, phases.blocked_write, timed_.blocked_write);
}

/// A run that never got as far as its checkpoint knows nothing of progress; what an earlier one
/// knew stays true, and lag goes on growing from it.
void JobSeries::learn(const Progress& progress) {
  const bool knows = progress.fresh_as_of || progress.read_as_of || progress.proof ||
                     progress.blocked_since || !progress.reached.empty() ||
                     !progress.settled.empty();
  if (!knows) return;
  const Progress before = std::exchange(facts_.progress, progress);
  Progress& now = facts_.progress;
  if (!now.fresh_as_of) now.fresh_as_of = before.fresh_as_of;
  if (!now.read_as_of) now.read_as_of = before.read_as_of;
  if (!now.proof) now.proof = before.proof;
}

}  // namespace tidemark::observe
