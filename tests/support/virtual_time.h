#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "core/ports.h"

// Time, timers, workers and randomness that a test drives by hand: a day of schedule runs in
// milliseconds and the same way each time. One thread.
namespace tidemark::test {

/// Two clocks that move together, unless the wall clock is stepped.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(WallTime start = WallTime{std::chrono::seconds{1'795'046'400}})
      : wall_(start) {}
  WallTime now() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  /// What an administrator or NTP does to the wall clock; the steady one does not move.
  void step_wall(Duration by) { wall_ += by; }

 private:
  friend class VirtualTimers;
  void move_to(SteadyTime at) {
    wall_ += at - steady_;
    steady_ = at;
  }
  WallTime wall_;
  SteadyTime steady_{std::chrono::seconds{1'000}};
};

/// Timers on a VirtualClock. Nothing runs but inside `advance` and `drain`.
class VirtualTimers final : public Timers {
 public:
  explicit VirtualTimers(VirtualClock& clock) : clock_(clock) {}

  std::unique_ptr<TimerHandle> after(Duration delay, std::function<void()> callback) override;
  void post(std::function<void()> callback) override { posted_.push_back(std::move(callback)); }

  /// Runs what was posted, and what that posts, without moving time.
  void drain();
  /// Moves both clocks on by `by` and runs each timer at its own time, posted calls in between.
  void advance(Duration by);
  /// Advances timer by timer until `condition` holds; false if it did not within `limit`.
  bool advance_until(const std::function<bool()>& condition, Duration limit);

  std::size_t pending() const noexcept { return queue_->size(); }
  /// Timers that have run so far: what the daemon would have woken up for.
  std::uint64_t fired() const noexcept { return fired_; }

 private:
  using Key = std::pair<SteadyTime, std::uint64_t>;
  using Queue = std::map<Key, std::function<void()>>;
  class Handle;
  bool step(SteadyTime end);

  VirtualClock& clock_;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();  // handles may outlive the timers
  std::deque<std::function<void()>> posted_;
  std::uint64_t sequence_ = 0;
  std::uint64_t fired_ = 0;
};

/// Workers without threads: a task waits until the test runs it, or until it has lasted as long as
/// `take` says.
class InlineWorkers final : public Workers {
 public:
  explicit InlineWorkers(VirtualTimers& timers) : timers_(timers) {}

  void submit(std::function<void()> task) override;
  /// From now on each task runs by itself, `duration` after it was submitted.
  void take(Duration duration) { duration_ = duration; }
  /// From now on tasks wait for `run_next`.
  void wait_for_test() { duration_.reset(); }

  std::size_t pending() const noexcept { return tasks_.size(); }
  /// Runs the task that waited longest, then what it posted; false if there is none.
  bool run_next();
  void run_all();

 private:
  VirtualTimers& timers_;
  std::optional<Duration> duration_;
  std::deque<std::function<void()>> tasks_;
  std::map<std::uint64_t, std::unique_ptr<TimerHandle>> lasting_;
  std::uint64_t sequence_ = 0;
};

/// A fixed stream of numbers (SplitMix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t next() override;
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace tidemark::test
