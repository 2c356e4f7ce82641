#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "core/observer.h"
#include "core/pauses.h"
#include "core/schedule.h"
#include "sync/alarms.h"
#include "sync/job_request.h"
#include "sync/job_status.h"
#include "sync/retry.h"
#include "sync/runner.h"

namespace tidemark {

class Job;

/// What a job asks of the loop that owns it.
class JobHost {
 public:
  /// Wants a slot; `begin` is called when there is one.
  virtual void enqueue(Job& job) = 0;
  virtual void dequeue(Job& job) = 0;
  /// A run brought the target up to date: what comes after this job may start.
  virtual void succeeded(Job& job) = 0;
  /// The job stopped trying: what comes after it does not start.
  virtual void gave_up(Job& job) = 0;
  virtual bool stopping() const = 0;
  /// Calls after the present event has been dealt with, unless the loop is gone by then.
  virtual void later(std::function<void()> callback) = 0;

 protected:
  ~JobHost() = default;
};

/// What a job uses of the outside. All outlive it.
struct JobPorts {
  Timers& timers;
  Alarms& alarms;
  const Clock& clock;
  Random& random;
  Observer& observer;
  PauseStore& pauses;
};

/// The state machine of one job. Loop thread; owned by the Scheduler's loop.
///
/// A *chain* is one wish to be in step and all its tries: queued, running, backing off, until it
/// succeeds, gives up, halts, is held elsewhere or cancelled. There is at most one chain and at
/// most one run at a time (I4). The state that others see is derived from chain, run, pause and
/// halt, never stored, so the two can't disagree.
class Job {
 public:
  Job(JobHost& host, const JobPorts& ports, std::shared_ptr<const JobSettings> settings,
      std::unique_ptr<const Schedule> schedule, const JobHistory& history);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const JobName& name() const noexcept { return settings_->name; }
  const JobSettings& settings() const noexcept { return *settings_; }
  const JobHistory& history() const noexcept { return history_; }
  JobState state() const;
  /// Everything but due and deadlines, which depend on other jobs.
  JobStatus status() const;

  // The calendar.
  /// Whether the calendar and history want a run now.
  bool overdue(WallTime now) const;
  /// Plans the first tick; one that is overdue comes after `spread`.
  void plan(Duration spread);
  void clock_stepped_back();
  void upstream_succeeded(const JobName& upstream);
  void upstream_gave_up();
  /// When the next success is expected by this job's own calendar.
  std::optional<WallTime> due() const;
  /// Since when all jobs before this one have succeeded, until it has succeeded itself.
  std::optional<WallTime> ready_since() const { return ready_since_; }

  // A run.
  /// Takes the slot: from now on the job is running.
  RunRequest begin(std::string run_id);
  void finished(Outcome outcome);
  void progressed(const RunProgress& progress);
  bool running() const noexcept { return run_.has_value(); }
  SteadyTime queued_since() const noexcept { return queued_since_; }

  // Wishes of people.
  std::optional<Refusal> run_now(const RunOptions& options, RunDone done);
  std::optional<Refusal> pause(const PauseRequest& request);
  std::optional<Refusal> resume();
  std::optional<Refusal> cancel();
  /// A pause that outlived the last process.
  void restore(const Pause& pause);

  // Reload and stop.
  /// `run_changed`: what a run reads has changed, so one under way is asked to end after its batch
  /// and goes on with the new settings; what had failed is tried anew.
  void reconfigure(std::shared_ptr<const JobSettings> settings,
                   std::unique_ptr<const Schedule> schedule, bool run_changed);
  /// The configuration names it no more. It is gone once no run is under way.
  void remove();
  bool removed() const noexcept { return removed_; }
  /// No new runs; a run under way ends after its batch.
  void shut_down();
  void abort();

 private:
  enum class Activity { idle, queued, running, backoff };
  enum class Asked { nothing, cancel, pause, reload, disable, remove, shutdown };

  struct Chain {
    Trigger trigger = Trigger::schedule;
    RunOptions options = {};
    std::vector<RunDone> done = {};
    RetryCounts counts = {};
    std::uint32_t failures = 0;
    std::optional<Failure> failure = {};  ///< the newest one: why it backs off
    bool plain() const;
    /// A success brings the target up to date; a rehearsal, a backfill or a probe does not.
    bool counts_for_job() const;
    /// Takes a later wish in, where one run can fulfil both.
    bool join(Chain& later);
  };
  struct Run {
    std::string id;
    Trigger trigger = Trigger::schedule;
    WallTime started{};
    SteadyTime started_steady{};
    std::stop_source stop = {};
    std::stop_source abort = {};
    Asked asked = Asked::nothing;
    RunCounts counts = {};
  };
  struct Halt {
    Failure failure;
    RetryDecision decision;
  };

  // job.cpp
  void announce();
  std::string reason() const;
  std::optional<WallTime> next_start() const;
  bool probing() const;
  void arm_tick(std::optional<WallTime> when);
  void on_tick();
  void came_due(Trigger trigger);
  /// A tick that was to be made up for will not be: now it counts as skipped.
  void give_up_pending_tick();
  void start(Chain chain);
  void reset_dependencies();
  bool ready() const;
  void drop_chain();
  void complete(const RunFinished& event);
  RunFinished cancelled_event(const Chain& chain) const;
  void drop_requests();
  void tell(std::vector<RunDone> done, const RunFinished& event);

  // job_outcome.cpp
  RunFinished record(Outcome outcome);
  void after_success(const RunFinished& event);
  void after_cancelled(const RunFinished& event, Asked asked);
  void after_held(const RunFinished& event);
  void after_failure(const RunFinished& event, Asked asked);
  void after_probe(const RunFinished& event);
  void back_off(const Failure& failure, Duration delay);
  void halt(const Failure& failure, const RetryDecision& decision);
  void arm_probe();
  void continue_chain();
  void go_on();

  // job_request.cpp
  void ask_to_stop(Asked asked);
  void arm_pause_end();
  void end_pause(bool by_person);
  void restart(Trigger trigger);
  void keep_successes(const JobSettings& before, const std::set<JobName>& waited);
  void try_anew();
  void disable(Asked asked);
  std::optional<Refusal> refuse_disabled() const;

  JobHost& host_;
  JobPorts ports_;
  std::shared_ptr<const JobSettings> settings_;
  std::unique_ptr<const Schedule> schedule_;
  JobHistory history_;
  WallTime known_since_;

  JobState announced_ = JobState::waiting;
  WallTime announced_at_;
  Activity activity_ = Activity::idle;
  std::optional<Chain> chain_;
  std::optional<Run> run_;
  std::optional<Halt> halt_;
  std::optional<Pause> pause_;
  bool removed_ = false;
  /// A tick came while the job ran: it runs again right after.
  bool pending_tick_ = false;
  /// Work was put off by the pause: it is done at resume.
  bool missed_in_pause_ = false;
  /// The chain ended without success: one success before it is enough to start again.
  bool restart_on_any_ = false;
  /// The halt was lifted while its probe ran.
  bool run_after_probe_ = false;
  std::deque<Chain> requests_;
  std::set<JobName> waits_for_;
  std::optional<WallTime> ready_since_;

  std::optional<WallTime> tick_at_;
  std::unique_ptr<Alarms::Alarm> tick_;
  std::unique_ptr<Alarms::Alarm> pause_end_;
  std::optional<WallTime> retry_at_;  ///< of back-off, probe or a try at a held job
  std::unique_ptr<TimerHandle> retry_;
  SteadyTime queued_since_{};

  std::string held_by_;
  std::optional<Failure> last_failure_;
  std::string last_run_id_;
  RunCounts last_counts_;
  Progress progress_;
};

}  // namespace tidemark
