#include "sync/scheduler.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "sync/scheduler_loop.h"

namespace tidemark {
namespace {

/// Jobs that are due together at a start are spread over this long for each of them.
constexpr Duration spread_per_job = std::chrono::milliseconds(20);
constexpr Duration max_spread = std::chrono::seconds(10);
/// Cancelling a statement takes a driver some time; after this nobody waits for it any more.
constexpr Duration abort_grace = std::chrono::seconds(10);

/// FNV-1a: the same job gets the same jitter after a restart.
std::uint64_t stable_hash(std::string_view instance, std::string_view job) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char c : instance)
    add(static_cast<unsigned char>(c));
  add(0);
  for (const char c : job)
    add(static_cast<unsigned char>(c));
  return hash;
}

}  // namespace

Scheduler::Loop::Loop(SchedulerPorts ports)
    : ports_(std::move(ports)),
      alarms_(ports_.timers, ports_.clock,
              [this](Duration by) {
                ports_.observer.note(
                    {}, fmt::format("the clock was put back by {} s: all jobs are planned anew",
                                    std::chrono::duration_cast<std::chrono::seconds>(by).count()));
                for (const auto& [name, job] : jobs_)
                  job->clock_stepped_back();
              }),
      alive_(std::make_shared<Loop*>(this)) {
  ports_.progress.listen([this](const RunProgress& progress) {
    if (Job* const job = find(progress.job)) job->progressed(progress);
  });
}

Scheduler::Loop::~Loop() {
  ports_.progress.listen({});
  for (const auto& [name, job] : jobs_)
    job->abort();
}

// --- jobs ---

Job* Scheduler::Loop::find(const JobName& name) const {
  const auto found = jobs_.find(name);
  return found == jobs_.end() || found->second->removed() ? nullptr : found->second.get();
}

std::unique_ptr<const Schedule> Scheduler::Loop::schedule_of(const JobSettings& settings) const {
  return ports_.make_schedule(settings.schedule,
                              stable_hash(settings_.daemon.instance, settings.name.text));
}

Job& Scheduler::Loop::add(const JobSettings& settings, const JobHistory& history) {
  const JobPorts ports{.timers = ports_.timers,
                       .alarms = alarms_,
                       .clock = ports_.clock,
                       .random = ports_.random,
                       .observer = ports_.observer,
                       .pauses = ports_.pauses};
  auto job = std::make_unique<Job>(*this, ports, std::make_shared<const JobSettings>(settings),
                                   schedule_of(settings), history);
  return *(jobs_[settings.name] = std::move(job));
}

void Scheduler::Loop::start(const Settings& settings,
                            const std::map<JobName, JobHistory>& history) {
  settings_ = settings;
  slots_ = std::max<std::size_t>(1, settings.daemon.workers);
  generation_ = 1;
  for (const auto& [name, job] : settings_.jobs) {
    const auto past = history.find(name);
    add(job, past == history.end() ? JobHistory{} : past->second);
  }
  link_dependents();
  for (const Pause& pause : ports_.pauses.load())
    if (Job* const job = find(pause.job)) job->restore(pause);
  std::vector<Job*> all;
  for (const auto& [name, job] : jobs_)
    all.push_back(job.get());
  plan(all);
}

void Scheduler::Loop::plan(const std::vector<Job*>& jobs) {
  const WallTime now = ports_.clock.now();
  const auto overdue =
      std::count_if(jobs.begin(), jobs.end(), [now](const Job* job) { return job->overdue(now); });
  const Duration window = std::min(max_spread, overdue * spread_per_job);
  for (Job* const job : jobs) {
    const double share = overdue > 1 ? ports_.random.uniform() : 0;
    job->plan(Duration{static_cast<std::int64_t>(share * static_cast<double>(window.count()))});
    count_earlier_successes(*job);
  }
}

/// A job whose predecessors succeeded while it did not run, before a restart, owes that run still.
void Scheduler::Loop::count_earlier_successes(Job& job) {
  const auto* after = std::get_if<AfterSchedule>(&job.settings().schedule.when);
  if (after == nullptr) return;
  const JobHistory& own = job.history();
  const auto seen = own.last_result == RunResult::failed ? own.last_success : own.last_start;
  for (const JobName& name : after->jobs) {
    const Job* const upstream = find(name);
    if (upstream == nullptr) continue;
    const auto success = upstream->history().last_success;
    if (success && (!seen || *success > *seen)) job.upstream_succeeded(name);
  }
}

void Scheduler::Loop::link_dependents() {
  dependents_.clear();
  for (const auto& [name, job] : jobs_)
    if (const auto* after = std::get_if<AfterSchedule>(&job->settings().schedule.when))
      for (const JobName& upstream : after->jobs)
        dependents_[upstream].push_back(name);
}

void Scheduler::Loop::succeeded(Job& job) {
  const auto found = dependents_.find(job.name());
  if (found == dependents_.end()) return;
  for (const JobName& name : found->second)
    if (Job* const dependent = find(name)) dependent->upstream_succeeded(job.name());
}

void Scheduler::Loop::gave_up(Job& job) {
  const auto found = dependents_.find(job.name());
  if (found == dependents_.end()) return;
  for (const JobName& name : found->second)
    if (Job* const dependent = find(name)) dependent->upstream_gave_up();
}

ReloadDiff Scheduler::Loop::apply(const Settings& settings,
                                  const std::map<JobName, JobHistory>& history) {
  ReloadDiff diff = compare(settings_, settings);
  const Settings before = std::exchange(settings_, effective(settings_, settings));
  const bool changed = before != settings_;
  for (const JobName& name : diff.removed) {
    const auto found = jobs_.find(name);
    if (found == jobs_.end()) continue;
    found->second->remove();
    if (!found->second->running()) jobs_.erase(found);
  }
  std::vector<Job*> fresh;
  for (const JobName& name : diff.added) {
    const JobSettings& job = settings_.jobs.at(name);
    const auto leaving = jobs_.find(name);
    if (leaving != jobs_.end()) {
      // Its last run has not ended: the same object goes on, or two runs of it could overlap.
      leaving->second->reconfigure(std::make_shared<const JobSettings>(job), schedule_of(job),
                                   true);
    } else {
      const auto past = history.find(name);
      fresh.push_back(&add(job, past == history.end() ? JobHistory{} : past->second));
    }
  }
  for (const JobName& name : diff.changed) {
    const JobSettings& job = settings_.jobs.at(name);
    jobs_.at(name)->reconfigure(std::make_shared<const JobSettings>(job), schedule_of(job),
                                !same_run(before, settings_, name));
  }
  link_dependents();
  if (!fresh.empty())
    for (const Pause& pause : ports_.pauses.load())
      for (Job* const job : fresh)
        if (job->name() == pause.job) job->restore(pause);
  plan(fresh);
  if (changed) ++generation_;
  dispatch_soon();

  ReloadFinished event;
  event.result = changed ? ReloadFinished::Result::applied : ReloadFinished::Result::unchanged;
  event.generation = generation_;
  for (const JobName& name : diff.added)
    event.added.push_back(name.text);
  for (const JobName& name : diff.removed)
    event.removed.push_back(name.text);
  for (const JobName& name : diff.changed)
    event.changed.push_back(name.text);
  event.restart_required = diff.restart_required;
  ports_.observer.reload_finished(event);
  return diff;
}

// --- slots ---

void Scheduler::Loop::enqueue(Job& job) {
  queue_.push(job.name(), job.queued_since(), job.settings().priority);
  dispatch_soon();
}

void Scheduler::Loop::later(std::function<void()> callback) {
  ports_.timers.post([alive = std::weak_ptr(alive_), callback = std::move(callback)] {
    if (!alive.expired()) callback();
  });
}

/// Not at once: of jobs that are due at the same moment the one with the higher priority is first.
void Scheduler::Loop::dispatch_soon() {
  if (std::exchange(dispatch_posted_, true)) return;
  later([this] { dispatch(); });
}

void Scheduler::Loop::dispatch() {
  dispatch_posted_ = false;
  while (!stopping_ && running_.size() < slots_) {
    const auto next = queue_.take([this](const JobName& name) { return may_run(name); });
    if (!next) return;
    launch(*jobs_.at(*next));
  }
}

bool Scheduler::Loop::may_run(const JobName& name) const {
  const JobSettings& job = jobs_.at(name)->settings();
  const auto room = [this](const ConnectionName& connection, std::size_t wanted) {
    const auto limit = settings_.connections.find(connection);
    const auto used = in_use_.find(connection);
    // A run that has the connection to itself may start, however low the limit is.
    return limit == settings_.connections.end() || used == in_use_.end() ||
           used->second + wanted <= limit->second.max_connections;
  };
  if (job.source_connection == job.target_connection) return room(job.source_connection, 2);
  return room(job.source_connection, 1) && room(job.target_connection, 1);
}

void Scheduler::Loop::launch(Job& job) {
  const JobName name = job.name();
  auto& used = running_[name];
  used = {job.settings().source_connection, job.settings().target_connection};
  for (const ConnectionName& connection : used)
    ++in_use_[connection];
  RunRequest request = job.begin(new_run_id());
  ports_.workers.submit([&runner = ports_.runner, &timers = ports_.timers,
                         alive = std::weak_ptr(alive_), request = std::move(request), name] {
    Outcome outcome = runner.run(request);
    timers.post([alive, name, outcome = std::move(outcome)]() mutable {
      if (const auto loop = alive.lock()) (*loop)->ended(name, std::move(outcome));
    });
  });
}

void Scheduler::Loop::ended(const JobName& name, Outcome outcome) {
  const auto run = running_.extract(name);
  for (const ConnectionName& connection : run.mapped())
    if (--in_use_[connection] == 0) in_use_.erase(connection);
  const auto found = jobs_.find(name);
  found->second->finished(std::move(outcome));
  if (found->second->removed()) jobs_.erase(found);
  if (stopping_) {
    if (running_.empty()) finish_stop();
    return;
  }
  dispatch_soon();
}

std::string Scheduler::Loop::new_run_id() {
  const auto now = std::chrono::floor<std::chrono::seconds>(ports_.clock.now());
  return fmt::format("{:%Y%m%dT%H%M%S}-{:08x}", fmt::gmtime(now.time_since_epoch().count()),
                     static_cast<std::uint32_t>(ports_.random.next()));
}

// --- stop ---

void Scheduler::Loop::stop(std::function<void(const StopReport&)> done) {
  if (stopping_) return force();
  stopping_ = true;
  stopped_ = std::move(done);
  queue_.clear();
  for (const auto& [name, job] : jobs_)
    job->shut_down();
  if (running_.empty()) {
    later([this] { finish_stop(); });
    return;
  }
  grace_ = ports_.timers.after(settings_.daemon.shutdown_timeout, [this] { force(); });
}

void Scheduler::Loop::force() {
  if (forced_ || running_.empty()) return;
  forced_ = true;
  for (const auto& [name, job] : jobs_)
    job->abort();
  grace_ = ports_.timers.after(abort_grace, [this] { finish_stop(); });
}

void Scheduler::Loop::finish_stop() {
  grace_.reset();
  auto done = std::exchange(stopped_, {});
  if (!done) return;
  StopReport report{.forced = forced_};
  for (const auto& [name, run] : running_)
    report.unfinished.push_back(name);
  // Behind what the last runs have still to tell.
  later([done = std::move(done), report = std::move(report)] { done(report); });
}

// --- status ---

std::optional<WallTime> Scheduler::Loop::due_of(const Job& job, Dues& known) const {
  const auto memo = known.find(job.name());
  if (memo != known.end()) return memo->second;
  std::optional<WallTime> due;
  if (const auto* after = std::get_if<AfterSchedule>(&job.settings().schedule.when)) {
    due = job.ready_since();
    // Not ready yet: it can't be expected before the last of those it waits for.
    for (const JobName& name : due ? std::vector<JobName>{} : after->jobs) {
      const Job* const upstream = find(name);
      const auto theirs = upstream != nullptr && upstream->settings().enabled
                              ? due_of(*upstream, known)
                              : std::nullopt;
      if (!theirs) {
        due.reset();
        break;
      }
      due = std::max(due.value_or(*theirs), *theirs);
    }
  } else {
    due = job.due();
  }
  known[job.name()] = due;
  return due;
}

JobStatus Scheduler::Loop::status_of(const Job& job, Dues& known) const {
  JobStatus status = job.status();
  if (!job.settings().freshness || status.state == JobState::paused ||
      status.state == JobState::disabled)
    return status;
  const FreshnessSettings& freshness = *job.settings().freshness;
  status.due = due_of(job, known);
  if (!status.due) return status;
  const WallTime now = ports_.clock.now();
  status.deadline = *status.due + freshness.error;
  status.stale = now > *status.deadline;
  if (freshness.warn) status.warn_deadline = *status.due + *freshness.warn;
  status.late = now > status.warn_deadline.value_or(*status.deadline);
  return status;
}

std::vector<JobStatus> Scheduler::Loop::status() const {
  Dues known;
  std::vector<JobStatus> all;
  for (const auto& [name, job] : jobs_)
    if (!job->removed()) all.push_back(status_of(*job, known));
  return all;
}

std::optional<JobStatus> Scheduler::Loop::status(const JobName& name) const {
  Dues known;
  const Job* const job = find(name);
  if (job == nullptr) return std::nullopt;
  return status_of(*job, known);
}

SchedulerLoad Scheduler::Loop::load() const {
  return {.queued = queue_.size(),
          .running = running_.size(),
          .slots = slots_,
          .ticked = alarms_.looked()};
}

// --- the public face ---

Scheduler::Scheduler(SchedulerPorts ports) : loop_(std::make_unique<Loop>(std::move(ports))) {}
Scheduler::~Scheduler() = default;

void Scheduler::start(const Settings& settings, const std::map<JobName, JobHistory>& history) {
  loop_->start(settings, history);
}
ReloadDiff Scheduler::apply(const Settings& settings,
                            const std::map<JobName, JobHistory>& history) {
  return loop_->apply(settings, history);
}
std::optional<Refusal> Scheduler::run_now(const JobName& job, const RunOptions& options,
                                          Done done) {
  return loop_->ask(job, [&](Job& found) { return found.run_now(options, std::move(done)); });
}
std::optional<Refusal> Scheduler::pause(const JobName& job, const PauseRequest& request) {
  return loop_->ask(job, [&](Job& found) { return found.pause(request); });
}
std::optional<Refusal> Scheduler::resume(const JobName& job) {
  return loop_->ask(job, [](Job& found) { return found.resume(); });
}
std::optional<Refusal> Scheduler::cancel(const JobName& job) {
  return loop_->ask(job, [](Job& found) { return found.cancel(); });
}
void Scheduler::stop(std::function<void(const StopReport&)> done) {
  loop_->stop(std::move(done));
}
std::vector<JobStatus> Scheduler::status() const {
  return loop_->status();
}
std::optional<JobStatus> Scheduler::status(const JobName& job) const {
  return loop_->status(job);
}
SchedulerLoad Scheduler::load() const {
  return loop_->load();
}
std::uint64_t Scheduler::generation() const noexcept {
  return loop_->generation();
}

}  // namespace tidemark
