// What people and reloads ask of a job.
#include <utility>

#include "sync/job.h"

namespace tidemark {
namespace {

/// Wishes that wait for the run under way; more than that is a script gone wild.
constexpr std::size_t max_requests = 16;

}  // namespace

std::optional<Refusal> Job::refuse_disabled() const {
  if (settings_->enabled) return std::nullopt;
  return Refusal{.reason = Refusal::Reason::disabled,
                 .message = "job " + name().text +
                            " is disabled; set enabled: true in its configuration and reload"};
}

std::optional<Refusal> Job::run_now(const RunOptions& options, RunDone done) {
  if (auto refusal = refuse_disabled()) return refusal;
  if (pause_)
    return Refusal{.reason = Refusal::Reason::paused,
                   .message = "job " + name().text + " is paused; end that first with: tidemark " +
                              "resume " + name().text};
  Chain chain{.trigger = Trigger::manual, .options = options};
  chain.done.push_back(std::move(done));
  if (activity_ == Activity::queued && probing()) drop_chain();
  if (activity_ == Activity::idle) {
    start(std::move(chain));
    return std::nullopt;
  }
  if (activity_ == Activity::backoff) {
    if (chain_->join(chain)) {
      restart(Trigger::manual);
    } else {
      requests_.push_back(std::move(*chain_));
      start(std::move(chain));
    }
    return std::nullopt;
  }
  if (activity_ == Activity::queued && chain_->join(chain)) return std::nullopt;
  if (requests_.size() >= max_requests)
    return Refusal{.reason = Refusal::Reason::busy,
                   .message = "job " + name().text + " has " + std::to_string(max_requests) +
                              " runs waiting already; try again when they are done"};
  requests_.push_back(std::move(chain));
  return std::nullopt;
}

std::optional<Refusal> Job::pause(const PauseRequest& request) {
  if (auto refusal = refuse_disabled()) return refusal;
  const WallTime now = ports_.clock.now();
  Pause pause{.job = name(), .reason = request.reason, .by = request.by, .since = now};
  if (request.length) pause.until = now + *request.length;
  ports_.pauses.save(pause);
  pause_ = std::move(pause);
  arm_pause_end();
  if (run_) {
    ask_to_stop(Asked::pause);
  } else {
    if (chain_ && chain_->counts_for_job()) missed_in_pause_ = true;
    drop_chain();
    drop_requests();
  }
  announce();
  return std::nullopt;
}

void Job::restore(const Pause& pause) {
  if (pause.until && *pause.until <= ports_.clock.now()) {
    ports_.pauses.remove(name());
    return;
  }
  pause_ = pause;
  arm_pause_end();
}

void Job::arm_pause_end() {
  pause_end_.reset();
  if (pause_->until) pause_end_ = ports_.alarms.at(*pause_->until, [this] { end_pause(false); });
}

void Job::end_pause(bool by_person) {
  pause_end_.reset();
  pause_.reset();
  ports_.pauses.remove(name());
  if (removed_ || !settings_->enabled) return;
  const bool missed =
      std::exchange(missed_in_pause_, false) && settings_->schedule.missed == Missed::run_once;
  const bool lifted = by_person && halt_;
  if (lifted) halt_.reset();
  if (run_) {
    // It was asked to stop and can't be asked to stay: it goes on as soon as it has ended.
    if (run_->asked == Asked::pause) run_->asked = Asked::reload;
    if (lifted) run_after_probe_ = true;
  } else if (halt_) {
    arm_probe();
  } else if (missed || lifted) {
    start({.trigger = Trigger::resume});
  } else if (ready()) {
    start({.trigger = Trigger::after});
  }
  announce();
}

std::optional<Refusal> Job::resume() {
  if (auto refusal = refuse_disabled()) return refusal;
  if (pause_) {
    end_pause(true);
  } else if (halt_) {
    halt_.reset();
    if (run_) {
      run_after_probe_ = true;
    } else {
      if (probing()) drop_chain();
      if (!chain_) start({.trigger = Trigger::resume});
    }
    announce();
  } else if (activity_ == Activity::backoff) {
    restart(Trigger::resume);
  } else {
    return Refusal{.reason = Refusal::Reason::not_paused,
                   .message = "job " + name().text + " is " + std::string(to_string(state())) +
                              ", neither paused nor halted; to run it now: tidemark run " +
                              name().text};
  }
  return std::nullopt;
}

std::optional<Refusal> Job::cancel() {
  if (run_ && !probing()) {
    if (run_->asked == Asked::cancel) run_->abort.request_stop();
    ask_to_stop(Asked::cancel);
    return std::nullopt;
  }
  if (!chain_ || probing())
    return Refusal{.reason = Refusal::Reason::not_running,
                   .message = "job " + name().text + " is " + std::string(to_string(state())) +
                              ", there is no run to cancel; to keep it from running: tidemark " +
                              "pause " + name().text};
  if (chain_->counts_for_job()) restart_on_any_ = true;
  drop_chain();
  if (!requests_.empty() || halt_)
    go_on();
  else
    announce();
  return std::nullopt;
}

/// Starts the chain that backs off now, as if nothing had failed yet.
void Job::restart(Trigger trigger) {
  Chain chain = std::move(*chain_);
  chain.trigger = trigger;
  chain.counts = {};
  chain.failures = 0;
  start(std::move(chain));
}

void Job::ask_to_stop(Asked asked) {
  // A reload means "go on afterwards", so whatever else was asked is the stronger wish.
  if (asked != Asked::reload || run_->asked == Asked::nothing) run_->asked = asked;
  run_->stop.request_stop();
}

void Job::reconfigure(std::shared_ptr<const JobSettings> settings,
                      std::unique_ptr<const Schedule> schedule, bool run_changed) {
  const bool returned = std::exchange(removed_, false);
  const bool anew = returned || !settings_->enabled;
  const bool calendar_changed = settings->schedule != settings_->schedule;
  const std::set<JobName> waited = waits_for_;
  const std::shared_ptr<const JobSettings> before = std::exchange(settings_, std::move(settings));
  if (!settings_->enabled) return disable(Asked::disable);
  if (anew || calendar_changed) {
    schedule_ = std::move(schedule);
    reset_dependencies();
    if (!anew) keep_successes(*before, waited);
    if (anew || !history_.last_start)
      plan(Duration::zero());
    else
      arm_tick(schedule_->next(ports_.clock.now()));
  }
  if (anew) {
    if (run_) run_->asked = Asked::reload;
  } else if (run_changed) {
    try_anew();
  } else if (activity_ == Activity::queued) {
    host_.enqueue(*this);  // the priority may be another
  }
  if (calendar_changed && ready() && activity_ == Activity::idle) came_due(Trigger::after);
  announce();
}

/// Jobs before this one that had succeeded already need not succeed again.
void Job::keep_successes(const JobSettings& before, const std::set<JobName>& waited) {
  if (const auto* after = std::get_if<AfterSchedule>(&before.schedule.when))
    for (const JobName& upstream : after->jobs)
      if (waited.count(upstream) == 0) waits_for_.erase(upstream);
}

/// What a run reads has changed: that may be the cure of what failed.
void Job::try_anew() {
  const bool halted = halt_.has_value();
  halt_.reset();
  if (run_) {
    run_after_probe_ = halted;
    if (!probing()) ask_to_stop(Asked::reload);
    return;
  }
  if (pause_) return;
  if (probing()) drop_chain();
  if (activity_ == Activity::backoff) return restart(Trigger::resume);
  if (activity_ == Activity::queued) return host_.enqueue(*this);
  if (halted) start({.trigger = Trigger::resume});
}

void Job::disable(Asked asked) {
  arm_tick(std::nullopt);
  halt_.reset();
  held_by_.clear();
  pending_tick_ = false;
  drop_requests();
  if (run_)
    ask_to_stop(asked);
  else
    drop_chain();
  announce();
}

void Job::remove() {
  removed_ = true;
  disable(Asked::remove);
}

void Job::shut_down() {
  arm_tick(std::nullopt);
  pause_end_.reset();
  drop_requests();
  if (run_)
    ask_to_stop(Asked::shutdown);
  else
    drop_chain();
}

void Job::abort() {
  if (run_) run_->abort.request_stop();
}

}  // namespace tidemark
