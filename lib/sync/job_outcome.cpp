// What follows from how a run ended.
#include <utility>

#include "sync/job.h"

namespace tidemark {
namespace {

/// After the other's lease: so much its renewal may be under way, and a try costs a round trip.
constexpr Duration after_lease = std::chrono::seconds(1);

bool knows_something(const Progress& progress) {
  return !progress.reached.empty() || !progress.settled.empty() || progress.proof ||
         progress.read_as_of || progress.initial_done;
}

}  // namespace

void Job::finished(Outcome outcome) {
  const Asked asked = run_->asked;
  if (outcome.result == RunResult::failed && !outcome.failure)
    outcome.failure = Failure{.message = "the run failed without saying why", .remedy = "report"};

  const RunFinished event = record(std::move(outcome));
  activity_ = Activity::idle;
  if (removed_) return drop_chain();
  if (probing()) {
    after_probe(event);
  } else {
    switch (event.outcome.result) {
      case RunResult::success:
      case RunResult::partial:
        after_success(event);
        break;
      case RunResult::cancelled:
        after_cancelled(event, asked);
        break;
      case RunResult::held:
        after_held(event);
        break;
      case RunResult::failed:
        after_failure(event, asked);
        break;
    }
  }
  go_on();
}

RunFinished Job::record(Outcome outcome) {
  const WallTime now = ports_.clock.now();
  RunFinished event{.job = name(),
                    .run_id = run_->id,
                    .trigger = run_->trigger,
                    .started = run_->started,
                    .ended = now,
                    .took = ports_.clock.steady() - run_->started_steady,
                    .outcome = std::move(outcome)};
  run_.reset();
  const Outcome& result = event.outcome;
  if (!chain_->options.probe && !chain_->options.dry_run) {
    history_.last_end = now;
    history_.last_result = result.result;
    history_.last_took = event.took;
    last_run_id_ = event.run_id;
    last_counts_ = result.counts;
    held_by_ = result.result == RunResult::held ? result.held_by : "";
    if (knows_something(result.progress)) progress_ = result.progress;
  }
  if (chain_->counts_for_job()) {
    if (result.result == RunResult::failed) {
      ++history_.consecutive_failures;
      last_failure_ = result.failure;
    } else if (result.result == RunResult::success || result.result == RunResult::partial) {
      history_.consecutive_failures = 0;
      last_failure_.reset();
    }
    if (result.result == RunResult::success) {
      history_.last_success = now;
      ready_since_.reset();
    }
  }
  ports_.observer.run_finished(event);
  return event;
}

void Job::after_success(const RunFinished& event) {
  const bool counts = chain_->counts_for_job();
  complete(event);
  if (!counts) return;
  if (event.outcome.result == RunResult::success)
    host_.succeeded(*this);
  else
    host_.gave_up(*this);
}

void Job::after_cancelled(const RunFinished& event, Asked asked) {
  if (asked == Asked::reload) {
    // The same wish goes on with the new settings, from the checkpoint.
    if (event.outcome.counts.batches > 0) continue_chain();
    chain_->counts = {};
    chain_->trigger = Trigger::resume;
    return;
  }
  if (asked == Asked::pause) missed_in_pause_ = true;
  if (asked == Asked::cancel) give_up_pending_tick();
  if (chain_->counts_for_job()) restart_on_any_ = true;
  complete(event);
}

void Job::after_held(const RunFinished& event) {
  const bool by_person = chain_->trigger == Trigger::manual || !chain_->counts_for_job();
  restart_on_any_ = true;
  give_up_pending_tick();
  complete(event);
  if (by_person) return;
  // Sooner it can't have run out.
  const Duration wait = event.outcome.held_for + after_lease;
  retry_at_ = ports_.clock.now() + wait;
  retry_ = ports_.timers.after(wait, [this] {
    retry_at_.reset();
    came_due(Trigger::retry);
  });
}

void Job::after_failure(const RunFinished& event, Asked asked) {
  const Failure failure = *event.outcome.failure;
  if (asked != Asked::nothing) return after_cancelled(event, asked);
  if (chain_->options.dry_run) return complete(event);

  (means_away(failure.kind) ? chain_->counts.away : chain_->counts.live) += 1;
  if (!means_away(failure.kind)) chain_->counts.away = 0;
  ++chain_->failures;
  give_up_pending_tick();
  const RetryDecision decision =
      RetryPolicy(settings_->retry).decide(failure, chain_->counts, ports_.random.uniform());
  if (decision.action == RetryDecision::Action::retry) {
    if (event.outcome.counts.batches > 0) continue_chain();
    // A person is told when the attempts are spent, though the job itself may go on trying.
    if (chain_->failures >= settings_->retry.attempts) {
      tell(std::exchange(chain_->done, {}), event);
      if (chain_->options.backfill) return complete(event);
    }
    return back_off(failure, decision.delay);
  }
  const bool counts = chain_->counts_for_job();
  complete(event);
  if (!counts) return;
  restart_on_any_ = true;
  if (decision.action != RetryDecision::Action::give_up) halt(failure, decision);
  host_.gave_up(*this);
}

/// What was committed holds the answer already: asking again would start from the beginning.
void Job::continue_chain() {
  chain_->options.resync = false;
  chain_->options.accept = RunOptions::Accept::none;
}

void Job::back_off(const Failure& failure, Duration delay) {
  activity_ = Activity::backoff;
  chain_->failure = failure;
  retry_at_ = ports_.clock.now() + delay;
  retry_ = ports_.timers.after(delay, [this] {
    Chain chain = std::move(*chain_);
    chain.trigger = Trigger::retry;
    start(std::move(chain));
  });
  const std::uint32_t attempt =
      means_away(failure.kind) ? chain_->counts.away : chain_->counts.live;
  ports_.observer.retry_scheduled(name(), failure, attempt, delay);
}

void Job::halt(const Failure& failure, const RetryDecision& decision) {
  halt_ = Halt{.failure = failure, .decision = decision};
  arm_probe();
}

void Job::arm_probe() {
  retry_.reset();
  retry_at_.reset();
  if (halt_->decision.action == RetryDecision::Action::halt) return;
  retry_at_ = ports_.clock.now() + halt_->decision.delay;
  retry_ = ports_.timers.after(halt_->decision.delay, [this] {
    // Only a run that transfers nothing is a probe: the others count in history and metrics.
    const bool probe = halt_->decision.action == RetryDecision::Action::halt_probe;
    Chain chain{.trigger = probe ? Trigger::probe : Trigger::retry};
    chain.options.probe = probe;
    start(std::move(chain));
  });
}

void Job::after_probe(const RunFinished& event) {
  complete(event);
  if (!halt_) return;
  const Outcome& outcome = event.outcome;
  if (outcome.result == RunResult::success) {
    halt_.reset();
    run_after_probe_ = true;
    return;
  }
  if (outcome.failure) {
    const RetryDecision decision = RetryPolicy(settings_->retry).decide(*outcome.failure, {}, 0);
    // A database that is away now says nothing about the cause of the halt.
    if (outcome.failure->needs_person) {
      halt_ = Halt{.failure = *outcome.failure, .decision = decision};
    } else if (decision.action == RetryDecision::Action::halt_probe) {
      halt_->failure = *outcome.failure;
    }
  }
  if (!pause_) arm_probe();
}

/// The run is over and its consequences are drawn: is there more to do at once?
void Job::go_on() {
  if (host_.stopping() || !settings_->enabled || pause_) {
    if (chain_ && chain_->counts_for_job()) missed_in_pause_ = true;
    drop_chain();
    drop_requests();
    return announce();
  }
  const bool lifted = std::exchange(run_after_probe_, false);
  if (activity_ == Activity::backoff) {
    // Whoever asked for a run meanwhile waits for this chain; asking cuts no back-off short.
    std::deque<Chain> others;
    for (Chain& request : std::exchange(requests_, {}))
      if (!chain_->join(request)) others.push_back(std::move(request));
    requests_ = std::move(others);
    return announce();
  }
  if (chain_) return start(std::move(*chain_));
  if (!requests_.empty()) {
    Chain next = std::move(requests_.front());
    requests_.pop_front();
    if (lifted) requests_.push_back({.trigger = Trigger::resume});
    return start(std::move(next));
  }
  if (lifted) return start({.trigger = Trigger::resume});
  if (halt_) {
    if (!retry_) arm_probe();
    return announce();
  }
  if (pending_tick_) return start({.trigger = Trigger::schedule});
  if (ready()) return start({.trigger = Trigger::after});
  announce();
}

}  // namespace tidemark
