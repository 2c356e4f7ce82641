#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "schedule/schedule.h"
#include "support/virtual_time.h"
#include "sync/scheduler.h"

// A Scheduler in virtual time with runs that do what the test says.
namespace tidemark::test {

using namespace std::chrono_literals;

inline Failure failure_of(FailureKind kind, std::string message = "it broke") {
  Failure failure;
  failure.kind = kind;
  failure.message = std::move(message);
  return failure;
}
inline Outcome succeeded() {
  Outcome outcome;
  outcome.result = RunResult::success;
  return outcome;
}
inline Outcome failed(FailureKind kind, std::string message = "it broke") {
  Outcome outcome;
  outcome.failure = failure_of(kind, std::move(message));
  return outcome;
}
inline Outcome cancelled() {
  Outcome outcome;
  outcome.result = RunResult::cancelled;
  return outcome;
}

/// Runs by script, one per job; without one a run succeeds, or is cancelled once asked to stop.
class ScriptedRunner final : public Runner {
 public:
  struct Call {
    std::string job;
    Trigger trigger;
    RunOptions options;
    WallTime at;
    std::shared_ptr<const JobSettings> settings;
    std::stop_token stop, abort;
  };
  using Script = std::function<Outcome(const RunRequest&)>;

  explicit ScriptedRunner(const Clock& clock) : clock_(clock) {}
  Outcome run(const RunRequest& request) noexcept override {
    calls.push_back({request.job->name.text, request.trigger, request.options, clock_.now(),
                     request.job, request.stop, request.abort});
    const auto script = scripts.find(request.job->name.text);
    if (script != scripts.end()) return script->second(request);
    return request.stop.stop_requested() ? cancelled() : succeeded();
  }
  std::size_t count(const std::string& job) const {
    std::size_t found = 0;
    for (const Call& call : calls)
      found += call.job == job ? 1 : 0;
    return found;
  }
  std::vector<std::string> order() const {
    std::vector<std::string> names;
    for (const Call& call : calls)
      names.push_back(call.job);
    return names;
  }

  std::vector<Call> calls;
  std::map<std::string, Script> scripts;

 private:
  const Clock& clock_;
};

/// Writes down what it is told, as short lines.
class RecordingObserver final : public Observer {
 public:
  void run_started(const RunStarted& event) override {
    add(event.job, "started " + std::string(to_string(event.trigger)));
  }
  void run_finished(const RunFinished& event) override {
    add(event.job, "finished " + std::string(to_string(event.outcome.result)));
  }
  void retry_scheduled(const JobName& job, const Failure&, unsigned attempt,
                       Duration delay) override {
    add(job, "retry " + std::to_string(attempt));
    delays.push_back(delay);
  }
  void run_skipped(const JobName& job, SkipReason reason) override {
    add(job, "skipped " + std::string(to_string(reason)));
  }
  void state_changed(const StateChanged& event) override {
    add(event.job, std::string(to_string(event.from)) + ">" + std::string(to_string(event.to)));
    states.push_back(event);
  }
  void reload_finished(const ReloadFinished& event) override { reloads.push_back(event); }
  void note(const JobName&, std::string_view text) override { notes.emplace_back(text); }

  std::size_t count(const std::string& line) const {
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
  }

  std::vector<std::string> lines;
  std::vector<std::string> notes;
  std::vector<Duration> delays;
  std::vector<StateChanged> states;
  std::vector<ReloadFinished> reloads;

 private:
  void add(const JobName& job, const std::string& what) { lines.push_back(job.text + " " + what); }
};

class MemoryPauses final : public PauseStore {
 public:
  std::vector<Pause> load() override {
    std::vector<Pause> all;
    for (const auto& [name, pause] : kept)
      all.push_back(pause);
    return all;
  }
  void save(const Pause& pause) noexcept override { kept[pause.job] = pause; }
  void remove(const JobName& job) noexcept override { kept.erase(job); }
  std::map<JobName, Pause> kept;
};

/// Jobs as a test writes them.
struct JobOf {
  JobSettings settings;

  explicit JobOf(const std::string& name) {
    settings.name = JobName{name};
    settings.source_connection = ConnectionName{"erp"};
    settings.target_connection = ConnectionName{"wms"};
    settings.target_table = {"public", name};
    settings.retry.jitter = 0;
  }
  JobOf& every(Duration interval) {
    settings.schedule.when = EverySchedule{interval};
    return *this;
  }
  JobOf& cron(const std::string& expression, const std::string& zone = "UTC") {
    settings.schedule.when = CronSchedule{expression, zone};
    return *this;
  }
  JobOf& after(const std::vector<std::string>& jobs) {
    AfterSchedule schedule;
    for (const std::string& job : jobs)
      schedule.jobs.emplace_back(job);
    settings.schedule.when = schedule;
    return *this;
  }
  JobOf& with(const std::function<void(JobSettings&)>& change) {
    change(settings);
    return *this;
  }
};

inline Settings configuration(const std::vector<JobOf>& jobs, std::uint32_t workers = 4) {
  Settings settings;
  settings.daemon.workers = workers;
  for (const char* name : {"erp", "wms"}) {
    ConnectionSettings connection;
    connection.name = ConnectionName{name};
    connection.type = "memory";
    connection.max_connections = 1000;
    settings.connections[connection.name] = connection;
  }
  for (const JobOf& job : jobs)
    settings.jobs[job.settings.name] = job.settings;
  return settings;
}

/// Starts on a multiple of an hour; runs take no time unless the test says otherwise.
struct World {
  VirtualClock clock;
  VirtualTimers timers{clock};
  InlineWorkers workers{timers};
  SeededRandom random;
  ScriptedRunner runner{clock};
  RecordingObserver observer;
  MemoryPauses pauses;
  ProgressRelay progress{timers};
  std::unique_ptr<Scheduler> scheduler;

  World() {
    workers.take(0s);
    make();
  }
  void make() {
    scheduler =
        std::make_unique<Scheduler>(SchedulerPorts{.timers = timers,
                                                   .workers = workers,
                                                   .clock = clock,
                                                   .random = random,
                                                   .runner = runner,
                                                   .observer = observer,
                                                   .pauses = pauses,
                                                   .progress = progress,
                                                   .make_schedule = schedule::make_schedule});
  }
  void start(const std::vector<JobOf>& jobs, std::uint32_t worker_count = 4,
             const std::map<JobName, JobHistory>& history = {}) {
    scheduler->start(configuration(jobs, worker_count), history);
    timers.drain();
  }
  JobStatus status(const std::string& job) const { return scheduler->status(JobName{job}).value(); }
  JobState state(const std::string& job) const { return status(job).state; }
  /// The refusal's message; "" where there was none.
  std::string refusal(const std::optional<Refusal>& refused) {
    timers.drain();
    return refused ? refused->message : "";
  }
  std::string run_now(const std::string& job, const RunOptions& options = {},
                      Scheduler::Done done = {}) {
    return refusal(scheduler->run_now(JobName{job}, options, std::move(done)));
  }
  std::string pause(const std::string& job, const PauseRequest& request = {}) {
    return refusal(scheduler->pause(JobName{job}, request));
  }
  std::string resume(const std::string& job) { return refusal(scheduler->resume(JobName{job})); }
  std::string cancel(const std::string& job) { return refusal(scheduler->cancel(JobName{job})); }
  ReloadDiff apply(const std::vector<JobOf>& jobs, std::uint32_t worker_count = 4) {
    const ReloadDiff diff = scheduler->apply(configuration(jobs, worker_count));
    timers.drain();
    return diff;
  }
};

}  // namespace tidemark::test
