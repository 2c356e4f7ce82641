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

JobSeries::Counts::Counts() : duration(run_bounds), late_arrival(lateness_bounds()) {}

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
  counts_.runs[outcome.result].Increment();
  if (outcome.result == RunResult::held) return;
  if (outcome.failure) failed(*outcome.failure);
  counts_.duration.Observe(seconds(event.took));
  facts_.last_duration = event.took;
  if (outcome.result == RunResult::success || outcome.result == RunResult::partial)
    facts_.last_success = event.ended;
}

void JobSeries::failed(const Failure& failure) {
  counts_.failures[failure.kind].Increment();
  if (failure.kind == FailureKind::constraint) counts_.rejected[Rejection::constraint].Increment();
  if (failure.kind == FailureKind::conversion) counts_.rejected[Rejection::conversion].Increment();
  if (failure.kind == FailureKind::deadlock) counts_.conflicts[Conflict::repeated].Increment();
  if (failure.kind == FailureKind::conflict)
    counts_.conflicts[failure.code == "fenced" ? Conflict::yielded : Conflict::repeated]
        .Increment();
}

void JobSeries::retried(FailureKind kind) {
  counts_.retries[kind].Increment();
}

void JobSeries::came_late(Duration by, std::uint64_t rows) {
  for (std::uint64_t row = 0; row < rows; ++row)
    counts_.late_arrival.Observe(seconds(by));
}

void JobSeries::skipped(SkipReason reason) {
  counts_.skipped[reason].Increment();
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
  add(counts_.rows_read, counts.rows_read, counted_.rows_read);
  counted_.rows_settle_read = std::max(counted_.rows_settle_read, counts.rows_settle_read);
  settle_rows_ += counted_.rows_settle_read - settle_before;
  read_rows_ += counted_.rows_read - rows_before;
  // rows_read holds both kinds of reads: what is left is what was seen for the first time.
  const std::uint64_t first_reads = read_rows_ - std::min(read_rows_, settle_rows_);
  if (first_reads > 0)
    facts_.settle_reread_ratio =
        static_cast<double>(settle_rows_) / static_cast<double>(first_reads);

  add(counts_.inserted, counts.written.inserted, counted_.written.inserted);
  add(counts_.updated, counts.written.updated, counted_.written.updated);
  add(counts_.deleted, counts.written.deleted, counted_.written.deleted);
  add(counts_.unchanged, counts.written.unchanged, counted_.written.unchanged);
  add(counts_.filtered, counts.rows_filtered, counted_.rows_filtered);
  add(counts_.late, counts.late_rows, counted_.late_rows);
  add(counts_.bytes_read, counts.bytes_read, counted_.bytes_read);
  add(counts_.bytes_written, counts.bytes_written, counted_.bytes_written);
  add(counts_.batches, counts.batches, counted_.batches);

  add(counts_.connect, phases.connect, timed_.connect);
  add(counts_.read, phases.read, timed_.read);
  add(counts_.transform, phases.transform, timed_.transform);
  add(counts_.write, phases.write, timed_.write);
  add(counts_.commit, phases.commit, timed_.commit);
  add(counts_.wait, phases.wait, timed_.wait);
  add(counts_.blocked_read, phases.blocked_read, timed_.blocked_read);
  add(counts_.blocked_write, phases.blocked_write, timed_.blocked_write);
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
