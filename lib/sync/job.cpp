#include "sync/job.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidemark {

bool Job::Chain::plain() const {
  return !options.resync && !options.dry_run && !options.backfill && !options.probe &&
         options.accept == RunOptions::Accept::none;
}

bool Job::Chain::counts_for_job() const {
  return !options.dry_run && !options.backfill && !options.probe;
}

bool Job::Chain::join(Chain& later) {
  if (plain() && later.counts_for_job()) {
    options = later.options;
  } else if (!counts_for_job() || !later.plain()) {
    return false;
  }
  trigger = later.trigger;
  done.insert(done.end(), std::make_move_iterator(later.done.begin()),
              std::make_move_iterator(later.done.end()));
  later.done.clear();
  return true;
}

Job::Job(JobHost& host, const JobPorts& ports, std::shared_ptr<const JobSettings> settings,
         std::unique_ptr<const Schedule> schedule, const JobHistory& history)
    : host_(host),
      ports_(ports),
      settings_(std::move(settings)),
      schedule_(std::move(schedule)),
      history_(history),
      known_since_(ports.clock.now()),
      announced_at_(known_since_) {
  reset_dependencies();
}

JobState Job::state() const {
  if (run_ && !probing()) return JobState::running;
  if (!settings_->enabled) return JobState::disabled;
  if (pause_) return JobState::paused;
  if (activity_ == Activity::queued && !probing()) return JobState::queued;
  if (activity_ == Activity::backoff) return JobState::backoff;
  return halt_ ? JobState::halted : JobState::waiting;
}

bool Job::probing() const {
  return chain_ && chain_->options.probe;
}

std::string Job::reason() const {
  switch (state()) {
    case JobState::running:
      return run_->asked == Asked::nothing ? "" : "was asked to stop";
    case JobState::disabled:
      return "enabled: false in the configuration";
    case JobState::paused: {
      std::string text = pause_->by.empty() ? "paused" : "paused by " + pause_->by;
      return pause_->reason.empty() ? text : text + ": " + pause_->reason;
    }
    case JobState::queued:
      return "waits for a free worker or connection";
    case JobState::backoff:
      return chain_->failure->message;
    case JobState::halted:
      return halt_->failure.message;
    case JobState::waiting:
      break;
  }
  if (!held_by_.empty()) return "held by another daemon: " + held_by_;
  if (!waits_for_.empty()) {
    std::string text = "waits for a success of ";
    for (const JobName& upstream : waits_for_)
      text += (upstream == *waits_for_.begin() ? "" : ", ") + upstream.text;
    return text;
  }
  if (std::holds_alternative<ManualSchedule>(settings_->schedule.when)) return "runs when asked to";
  return "";
}

std::optional<WallTime> Job::next_start() const {
  switch (state()) {
    case JobState::backoff:
    case JobState::halted:
      return retry_at_;
    case JobState::paused:
      return pause_->until;
    case JobState::disabled:
    case JobState::queued:
      return std::nullopt;
    case JobState::running:
      return tick_at_;
    case JobState::waiting:
      break;
  }
  if (tick_at_ && retry_at_) return std::min(*tick_at_, *retry_at_);
  return tick_at_ ? tick_at_ : retry_at_;
}

void Job::announce() {
  const JobState now = state();
  if (now == announced_ || removed_) return;
  StateChanged event{.job = name(), .from = announced_, .to = now};
  event.reason = reason();
  event.next = next_start();
  if (now == JobState::halted) event.failure = halt_->failure;
  if (now == JobState::backoff) event.failure = chain_->failure;
  announced_ = now;
  announced_at_ = ports_.clock.now();
  ports_.observer.state_changed(event);
}

JobStatus Job::status() const {
  JobStatus status;
  status.settings = settings_;
  status.state = state();
  status.reason = reason();
  status.since = announced_at_;
  status.next_run = next_start();
  if (status.state == JobState::halted) status.failure = halt_->failure;
  if (status.state == JobState::backoff) status.failure = chain_->failure;
  status.probing = probing();
  if (run_) {
    status.run_id = run_->id;
    status.trigger = run_->trigger;
    status.run_started = run_->started;
    status.run_counts = run_->counts;
    status.stopping = run_->asked != Asked::nothing;
  }
  status.last_start = history_.last_start;
  status.last_end = history_.last_end;
  status.last_success = history_.last_success;
  status.last_result = history_.last_result;
  status.last_took = history_.last_took;
  status.last_run_id = last_run_id_;
  status.last_counts = last_counts_;
  status.last_failure = last_failure_;
  status.consecutive_failures = history_.consecutive_failures;
  if (chain_) {
    status.attempt = chain_->counts.live;
    status.away_attempt = chain_->counts.away;
  }
  status.held_by = held_by_;
  status.pause = pause_;
  status.waits_for.assign(waits_for_.begin(), waits_for_.end());
  status.degraded = !progress_.drift.empty() || !progress_.broken.empty() ||
                    history_.last_result == RunResult::partial;
  status.progress = progress_;
  return status;
}

// --- the calendar ---

bool Job::overdue(WallTime now) const {
  if (!settings_->enabled) return false;
  const bool every = std::holds_alternative<EverySchedule>(settings_->schedule.when);
  const bool cron = std::holds_alternative<CronSchedule>(settings_->schedule.when);
  if (!every && !cron) return false;
  if (!history_.last_start) return every;
  if (history_.last_result == RunResult::failed) return true;
  const auto next = schedule_->next(*history_.last_start);
  return next && *next <= now && settings_->schedule.missed == Missed::run_once;
}

void Job::plan(Duration spread) {
  if (!settings_->enabled) return announce();
  const WallTime now = ports_.clock.now();
  if (overdue(now)) {
    arm_tick(now + spread);
  } else {
    const auto missed = history_.last_start ? schedule_->next(*history_.last_start) : std::nullopt;
    if (missed && *missed <= now) ports_.observer.run_skipped(name(), SkipReason::missed);
    arm_tick(schedule_->next(now));
  }
  announce();
}

void Job::arm_tick(std::optional<WallTime> when) {
  tick_.reset();
  tick_at_ = when;
  if (when) tick_ = ports_.alarms.at(*when, [this] { on_tick(); });
}

void Job::on_tick() {
  const WallTime now = ports_.clock.now();
  const auto following = schedule_->next(*tick_at_);
  arm_tick(schedule_->next(now));
  if (following && *following <= now) {
    // The machine slept or the clock was put forward: several ticks are one.
    ports_.observer.run_skipped(name(), SkipReason::missed);
    if (settings_->schedule.missed == Missed::skip) return;
  }
  came_due(Trigger::schedule);
}

void Job::clock_stepped_back() {
  if (!tick_) return;
  const auto next = schedule_->next(ports_.clock.now());
  if (next && *next < *tick_at_) arm_tick(next);
}

void Job::came_due(Trigger trigger) {
  if (removed_ || !settings_->enabled || host_.stopping()) return;
  if (pause_) {
    missed_in_pause_ = true;
    ports_.observer.run_skipped(name(), SkipReason::paused);
    return;
  }
  if (activity_ == Activity::idle && !halt_) return start({.trigger = trigger});
  // What a halted job does is decided by its probe.
  if (halt_ || trigger != Trigger::schedule) return;
  // The first tick that falls into a run is only late: it is made up for when the run has ended.
  const bool made_up =
      activity_ == Activity::running && settings_->schedule.missed == Missed::run_once;
  if (made_up && !std::exchange(pending_tick_, true)) return;
  ports_.observer.run_skipped(name(), SkipReason::overlap);
}

void Job::give_up_pending_tick() {
  if (std::exchange(pending_tick_, false)) ports_.observer.run_skipped(name(), SkipReason::overlap);
}

void Job::start(Chain chain) {
  retry_.reset();
  retry_at_.reset();
  chain_ = std::move(chain);
  activity_ = Activity::queued;
  queued_since_ = ports_.clock.steady();
  host_.enqueue(*this);
  announce();
}

void Job::reset_dependencies() {
  waits_for_.clear();
  restart_on_any_ = false;
  if (const auto* after = std::get_if<AfterSchedule>(&settings_->schedule.when))
    waits_for_.insert(after->jobs.begin(), after->jobs.end());
}

bool Job::ready() const {
  return waits_for_.empty() && std::holds_alternative<AfterSchedule>(settings_->schedule.when);
}

void Job::upstream_succeeded(const JobName& upstream) {
  waits_for_.erase(upstream);
  if (restart_on_any_) waits_for_.clear();
  if (!ready()) return;
  if (!ready_since_) ready_since_ = ports_.clock.now();
  came_due(Trigger::after);
}

void Job::upstream_gave_up() {
  if (settings_->enabled && !pause_) ports_.observer.run_skipped(name(), SkipReason::dependency);
}

std::optional<WallTime> Job::due() const {
  return schedule_->next(history_.last_success.value_or(known_since_));
}

// --- a run ---

RunRequest Job::begin(std::string run_id) {
  Chain& chain = *chain_;
  if (chain.counts_for_job()) {
    reset_dependencies();
    pending_tick_ = false;
    missed_in_pause_ = false;
    halt_.reset();
    history_.last_start = ports_.clock.now();
  }
  activity_ = Activity::running;
  run_.emplace();
  run_->id = std::move(run_id);
  run_->trigger = chain.trigger;
  run_->started = ports_.clock.now();
  run_->started_steady = ports_.clock.steady();
  ports_.observer.run_started(
      {.job = name(), .run_id = run_->id, .trigger = chain.trigger, .at = run_->started});
  announce();
  return {.job = settings_,
          .run_id = run_->id,
          .trigger = chain.trigger,
          .options = chain.options,
          .stop = run_->stop.get_token(),
          .abort = run_->abort.get_token()};
}

void Job::progressed(const RunProgress& progress) {
  // A batch of an earlier run may be told late.
  if (!run_ || run_->id != progress.run_id) return;
  run_->counts = progress.counts;
  progress_ = progress.progress;
}

RunFinished Job::cancelled_event(const Chain& chain) const {
  const WallTime now = ports_.clock.now();
  return {.job = name(),
          .run_id = "",
          .trigger = chain.trigger,
          .started = now,
          .ended = now,
          .took = {},
          .outcome = {.result = RunResult::cancelled}};
}

void Job::tell(std::vector<RunDone> done, const RunFinished& event) {
  for (RunDone& one : done)
    if (one) host_.later([one = std::move(one), event] { one(event); });
}

void Job::drop_requests() {
  std::deque<Chain> dropped = std::exchange(requests_, {});
  for (Chain& request : dropped)
    tell(std::move(request.done), cancelled_event(request));
}

void Job::complete(const RunFinished& event) {
  std::vector<RunDone> done = std::move(chain_->done);
  chain_.reset();
  activity_ = Activity::idle;
  tell(std::move(done), event);
}

void Job::drop_chain() {
  retry_.reset();
  retry_at_.reset();
  if (!chain_) return;
  if (activity_ == Activity::queued) host_.dequeue(*this);
  complete(cancelled_event(*chain_));
}

}  // namespace tidemark
