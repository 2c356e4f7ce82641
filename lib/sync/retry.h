#pragma once

#include "core/outcome.h"
#include "core/settings.h"

namespace tidemark {

/// Failures in a row since the last success, or since the job last started afresh.
struct RetryCounts {
  std::uint32_t live = 0;  ///< with a live connection: these are what `attempts` limits
  std::uint32_t away = 0;  ///< while a database was away
};

/// What follows from a failed run.
struct RetryDecision {
  enum class Action {
    retry,       ///< run again after `delay`
    give_up,     ///< the run failed; the next tick starts afresh
    halt_probe,  ///< halted: look every `delay` whether the cause is gone
    halt_rerun,  ///< halted: try a real run every `delay`, as only that shows the cause is gone
    halt,        ///< halted until a person acts
  };
  Action action = Action::halt;
  Duration delay{};
};

/// The rules of retry and halt, as pure functions. Any thread.
///
/// Transient failures back off exponentially, jittered, capped at `max`. While a database is away
/// that goes on without end; with a live connection at most `attempts` times. Config failures and
/// refused rows halt and look again every `probe_halted`. Everything else waits for a person.
class RetryPolicy {
 public:
  explicit RetryPolicy(const RetrySettings& settings) : settings_(settings) {}
  /// `counts` include this failure; `random` is in [0, 1).
  RetryDecision decide(const Failure& failure, const RetryCounts& counts, double random) const;
  /// The n-th delay, from 1: initial * multiplier^(n-1), at most `max`, of which the share `jitter`
  /// is random.
  Duration delay(std::uint32_t n, double random) const;

 private:
  RetrySettings settings_;
};

/// A row whose parent is not there yet (a foreign key): counted and retried like a transient
/// failure, as the parent's job may bring it.
bool waits_for_parent(const Failure& failure) noexcept;

}  // namespace tidemark
