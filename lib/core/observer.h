#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/names.h"
#include "core/outcome.h"
#include "core/ports.h"

namespace tidemark {

enum class JobState { waiting, queued, running, backoff, paused, halted, disabled };
std::string_view to_string(JobState state) noexcept;

enum class Trigger { schedule, manual, after, retry, probe, resume };
std::string_view to_string(Trigger trigger) noexcept;

enum class SkipReason { overlap, paused, dependency, missed };
std::string_view to_string(SkipReason reason) noexcept;

struct RunStarted {
  JobName job;
  std::string run_id;
  Trigger trigger = Trigger::schedule;
  WallTime at{};
};

struct RunProgress {
  JobName job;
  std::string run_id;
  RunCounts counts;  ///< of the run so far
  PhaseTimes phases;
  Progress progress;
};

struct RunFinished {
  JobName job;
  std::string run_id;
  Trigger trigger = Trigger::schedule;
  WallTime started{};
  WallTime ended{};
  Duration took{};
  Outcome outcome;
};

struct StateChanged {
  JobName job;
  JobState from = JobState::waiting;
  JobState to = JobState::waiting;
  std::string reason = {};              ///< for people
  std::optional<Failure> failure = {};  ///< of a halt or back-off
  std::optional<WallTime> next = {};    ///< next start, if one is planned
};

struct ReloadFinished {
  enum class Result { applied, unchanged, rejected } result = Result::applied;
  std::uint64_t generation = 0;
  std::vector<std::string> added, removed, changed, restart_required;
  std::vector<std::string> errors;
};

/// Told once of each thing that happens; log line, metric, history and alert come from the same
/// event. Must not throw or block. `batch_committed`, `mark_epoch_opened`, `rows_came_late` and
/// `note` may come from worker threads, the rest from the loop.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void run_started(const RunStarted&) {}
  virtual void batch_committed(const RunProgress&) {}
  virtual void run_finished(const RunFinished&) {}
  virtual void retry_scheduled(const JobName&, const Failure&, unsigned /*attempt*/,
                               Duration /*delay*/) {}
  virtual void run_skipped(const JobName&, SkipReason) {}
  virtual void state_changed(const StateChanged&) {}
  virtual void mark_epoch_opened(const JobName&, std::int64_t /*epoch*/,
                                 std::string_view /*reason*/) {}
  virtual void reload_finished(const ReloadFinished&) {}
  /// Rows became visible so long after their cursor's time had been read past.
  virtual void rows_came_late(const JobName&, Duration /*by*/, std::uint64_t /*rows*/) {}
  /// Something an operator should know that fits no other event.
  virtual void note(const JobName&, std::string_view /*text*/) {}
};

/// Hands each event to several observers, in order.
class Observers final : public Observer {
 public:
  explicit Observers(std::vector<Observer*> all) : all_(std::move(all)) {}
  void run_started(const RunStarted& event) override;
  void batch_committed(const RunProgress& event) override;
  void run_finished(const RunFinished& event) override;
  void retry_scheduled(const JobName& job, const Failure& failure, unsigned attempt,
                       Duration delay) override;
  void run_skipped(const JobName& job, SkipReason reason) override;
  void state_changed(const StateChanged& event) override;
  void mark_epoch_opened(const JobName& job, std::int64_t epoch, std::string_view reason) override;
  void reload_finished(const ReloadFinished& event) override;
  void rows_came_late(const JobName& job, Duration by, std::uint64_t rows) override;
  void note(const JobName& job, std::string_view text) override;

 private:
  std::vector<Observer*> all_;
};

}  // namespace tidemark
