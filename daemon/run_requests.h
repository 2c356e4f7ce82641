#pragma once

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/scheduler.h"

namespace tidemark {

/// Runs that were asked for by hand: what `tidemark run` waits for. Remembers the newest hundred.
/// Loop thread.
class RunRequests {
 public:
  struct Item {
    JobName job;
    std::optional<Refusal> refusal = {};
    std::optional<RunFinished> finished = {};
  };
  struct Entry {
    std::string id;
    std::vector<Item> items;
    bool done() const noexcept;
  };

  RunRequests(Scheduler& scheduler, Timers& timers) : scheduler_(scheduler), timers_(timers) {}

  /// Asks for one run of each job; the entry holds who refused.
  const Entry& begin(const std::vector<JobName>& jobs, const RunOptions& options);
  /// nullptr: unknown, or too long ago.
  const Entry* find(const std::string& id) const;
  /// Calls `then` once, from the loop: when every run of the entry has ended, or after `limit`.
  /// At once where the entry is done or unknown.
  void when_done(const std::string& id, Duration limit, std::function<void()> then);
  /// Whoever waits is called now: the daemon is about to end.
  void stop_waiting();

 private:
  struct Waiter {
    std::string id;
    std::function<void()> then;
    std::unique_ptr<TimerHandle> limit;
  };
  /// Calls those whose condition is met; they may ask again.
  void wake(const std::function<bool(const Waiter&)>& met);

  Scheduler& scheduler_;
  Timers& timers_;
  std::list<Waiter> waiters_;
  // Shared with callbacks that the scheduler may call after the entry has been dropped.
  std::deque<std::shared_ptr<Entry>> entries_;
  std::uint64_t count_ = 0;
};

}  // namespace tidemark
