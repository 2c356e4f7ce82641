#pragma once

#include <optional>
#include <string>

#include "core/observer.h"
#include "core/pauses.h"
#include "core/settings.h"
#include "observe/families.h"

namespace tidemark::observe {

/// What is counted and known of one job. Guarded by its owner's mutex.
class JobSeries {
 public:
  JobSeries(Families& families, JobSettings job);

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

  SeriesGroup group_;
  std::array<Counter*, enum_size<RunResult>> runs_;
  std::array<Counter*, enum_size<SkipReason>> skipped_;
  std::array<Counter*, enum_size<FailureKind>> failures_;
  std::array<Counter*, enum_size<FailureKind>> retries_;
  std::array<Counter*, enum_size<Conflict>> conflicts_;
  std::array<Counter*, enum_size<Rejection>> rejected_;
  Histogram& duration_;
  Counter &connect_, &read_, &transform_, &write_, &commit_, &wait_;
  Counter &blocked_read_, &blocked_write_;
  Counter &rows_read_, &inserted_, &updated_, &deleted_;
  Counter &unchanged_, &filtered_, &late_;
  Histogram& late_arrival_;
  Counter &bytes_read_, &bytes_written_, &batches_;
};

}  // namespace tidemark::observe
