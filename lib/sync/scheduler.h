#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/observer.h"
#include "core/pauses.h"
#include "core/schedule.h"
#include "sync/job_request.h"
#include "sync/job_status.h"
#include "sync/progress_relay.h"
#include "sync/reload.h"
#include "sync/runner.h"

namespace tidemark {

/// What the Scheduler uses of the outside. All outlive it.
struct SchedulerPorts {
  Timers& timers;
  Workers& workers;
  const Clock& clock;
  Random& random;
  Runner& runner;
  Observer& observer;
  PauseStore& pauses;
  ProgressRelay& progress;
  ScheduleFactory make_schedule;
};

/// How the loop stopped.
struct StopReport {
  bool forced = false;                   ///< statements were cancelled
  std::vector<JobName> unfinished = {};  ///< runs that did not end even so
};

/// How much is going on now: for metrics and the watchdog.
struct SchedulerLoad {
  std::size_t queued = 0;
  std::size_t running = 0;
  std::size_t slots = 0;
  SteadyTime ticked{};  ///< when the scheduler last looked at its clock: at least every 10 s
};

/// Owns every job: when it runs, what follows from its outcome, what a person wants of it.
///
/// Loop thread only, no locks. Runs are handed to Workers, as many at a time as there are slots and
/// as their connections allow; results come back through Timers::post. A free slot goes to the run
/// that waited longest, each point of priority counting as a minute of waiting, so nothing starves.
/// A job never overlaps itself, and one job's failure stops no other. Destruction asks what runs to
/// abort and does not wait: results that come later are dropped, no callback is called.
class Scheduler {
 public:
  using Done = RunDone;

  explicit Scheduler(SchedulerPorts ports);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Once. Jobs that are overdue by `history` start at once, spread over a short while: those that
  /// missed a tick (unless `missed: skip`), whose last run failed, and `every` jobs that never ran.
  /// The others start where the calendar says; pauses are taken from the store.
  void start(const Settings& settings, const std::map<JobName, JobHistory>& history);

  /// Takes over checked settings; tells the Observer. Unchanged jobs are not touched. A job counts
  /// as changed too when a connection it uses has changed. `history` is what is known of jobs that
  /// are added (they may have been there before).
  ReloadDiff apply(const Settings& settings, const std::map<JobName, JobHistory>& history = {});

  /// One run now, or as soon as the run under way has ended. `done` is called once, when the run
  /// has succeeded, failed for good (attempts spent, an away database included), was cancelled or
  /// is held elsewhere. resync, accept, backfill and dry_run are options of it.
  std::optional<Refusal> run_now(const JobName& job, const RunOptions& options = {},
                                 Done done = {});
  /// No run starts until resumed; a run under way ends after its batch. Persistent.
  std::optional<Refusal> pause(const JobName& job, const PauseRequest& request);
  /// Ends a pause, a halt or a back-off. A halted or backing-off job runs at once.
  std::optional<Refusal> resume(const JobName& job);
  /// Ends the run under way after its batch; asked again, cancels its statement. A queued run or a
  /// back-off is dropped. The next tick starts as planned.
  std::optional<Refusal> cancel(const JobName& job);

  /// No new runs; those under way end after their batch, and are aborted once shutdown_timeout has
  /// passed or at a second call. The first call's `done` is called when all have ended, or 10 s
  /// after the abort with those that have not. A later call's `done` is ignored.
  void stop(std::function<void(const StopReport&)> done);

  std::vector<JobStatus> status() const;
  std::optional<JobStatus> status(const JobName& job) const;
  SchedulerLoad load() const;
  /// +1 at each `apply` that changed something; 1 after `start`.
  std::uint64_t generation() const noexcept;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace tidemark
