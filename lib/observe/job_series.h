#pragma once

#include <optional>
#include <string>
#include <utility>

#include "core/observer.h"
#include "core/pauses.h"
#include "core/settings.h"
#include "observe/series.h"

namespace tidemark::observe {

/// What is counted and known of one job. Guarded by its owner's mutex.
class JobSeries {
 public:
  explicit JobSeries(JobSettings job) : job_(std::move(job)) {}

  /// A reload: counts go on.
  void set_settings(JobSettings job) { job_ = std::move(job); }
  const JobSettings& settings() const noexcept { return job_; }

  void restore(const JobHistory& history, const std::optional<Progress>& progress);
  /// Returns how late a planned run started.
  std::optional<Duration> started(const RunStarted& event);
  /// Time to write one batch, on the average of those committed since the last call.
  std::optional<Duration> committed(const RunProgress& event, WallTime now);
  void finished(const RunFinished& event);
  void retried(FailureKind kind);
  void came_late(Duration by, std::uint64_t rows);
  void skipped(SkipReason reason);
  void planned(std::optional<WallTime> start) { planned_ = start; }

  struct Facts {
    std::optional<WallTime> last_start = {};
    std::optional<WallTime> last_success = {};
    std::optional<Duration> last_duration = {};
    std::optional<WallTime> checkpoint = {};
    Progress progress = {};
    double settle_reread_ratio = 0;
  };
  const Facts& facts() const noexcept { return facts_; }

  struct Counts {
    Counts();
    Counters<RunResult> runs;
    Counters<SkipReason> skipped;
    Counters<FailureKind> failures, retries;
    Counters<Conflict> conflicts;
    Counters<Rejection> rejected;
    Histogram duration;
    Counter connect, read, transform, write, commit, wait;
    Counter blocked_read, blocked_write;
    Counter rows_read, inserted, updated, deleted, unchanged, filtered, late;
    Histogram late_arrival;
    Counter bytes_read, bytes_written, batches;
  };
  const Counts& counts() const noexcept { return counts_; }

 private:
  void failed(const Failure& failure);
  void count(const std::string& run_id, const RunCounts& counts, const PhaseTimes& phases);
  void learn(const Progress& progress);

  JobSettings job_;
  Facts facts_;
  std::optional<WallTime> planned_;

  // Of the run under way: what is already in the counters.
  std::string run_id_;
  RunCounts counted_;
  PhaseTimes timed_;
  std::uint64_t read_rows_ = 0;
  std::uint64_t settle_rows_ = 0;

  Counts counts_;
};

}  // namespace tidemark::observe
