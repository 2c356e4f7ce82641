#pragma once

#include <map>
#include <memory>
#include <optional>

#include "sync/alarms.h"
#include "sync/job.h"
#include "sync/run_queue.h"
#include "sync/scheduler.h"

namespace tidemark {

/// The Scheduler's inside: the jobs, the queue and the slots. Loop thread.
class Scheduler::Loop final : public JobHost {
 public:
  explicit Loop(SchedulerPorts ports);
  ~Loop();

  void start(const Settings& settings, const std::map<JobName, JobHistory>& history);
  ReloadDiff apply(const Settings& settings, const std::map<JobName, JobHistory>& history);
  void stop(std::function<void(const StopReport&)> done);
  /// Calls `wish` with the job, unless there is none or the loop is stopping.
  template <class Wish>
  std::optional<Refusal> ask(const JobName& name, Wish wish) {
    Job* const job = find(name);
    if (stopping_)
      return Refusal{.reason = Refusal::Reason::stopping, .message = "the daemon is stopping"};
    if (job == nullptr)
      return Refusal{
          .reason = Refusal::Reason::unknown_job,
          .message = "no job is called " + name.text + "; the names are listed by: tidemark list"};
    return wish(*job);
  }
  std::vector<JobStatus> status() const;
  std::optional<JobStatus> status(const JobName& name) const;
  SchedulerLoad load() const;
  std::uint64_t generation() const noexcept { return generation_; }

  void enqueue(Job& job) override;
  void dequeue(Job& job) override { queue_.erase(job.name()); }
  void succeeded(Job& job) override;
  void gave_up(Job& job) override;
  bool stopping() const override { return stopping_; }
  void later(std::function<void()> callback) override;

 private:
  using Dues = std::map<JobName, std::optional<WallTime>>;

  Job* find(const JobName& name) const;
  Job& add(const JobSettings& settings, const JobHistory& history);
  std::unique_ptr<const Schedule> schedule_of(const JobSettings& settings) const;
  void link_dependents();
  void plan(const std::vector<Job*>& jobs);
  void count_earlier_successes(Job& job);
  void dispatch_soon();
  void dispatch();
  bool may_run(const JobName& name) const;
  void launch(Job& job);
  void ended(const JobName& name, Outcome outcome);
  std::string new_run_id();
  void force();
  void finish_stop();
  std::optional<WallTime> due_of(const Job& job, Dues& known) const;
  JobStatus status_of(const Job& job, Dues& known) const;

  SchedulerPorts ports_;
  Alarms alarms_;
  Settings settings_;
  std::uint64_t generation_ = 0;
  std::map<JobName, std::unique_ptr<Job>> jobs_;
  std::map<JobName, std::vector<JobName>> dependents_;
  RunQueue queue_;
  std::size_t slots_ = 0;
  /// The connections that each run under way uses.
  std::map<JobName, std::vector<ConnectionName>> running_;
  std::map<ConnectionName, std::size_t> in_use_;
  bool dispatch_posted_ = false;

  bool stopping_ = false;
  bool forced_ = false;
  std::function<void(const StopReport&)> stopped_;
  std::unique_ptr<TimerHandle> grace_;

  /// Gone with the loop: what was posted before asks it first.
  std::shared_ptr<Loop*> alive_;
};

}  // namespace tidemark
