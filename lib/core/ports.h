#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace tidemark {

using Duration = std::chrono::microseconds;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// The machine's time. Any thread. Tests have a virtual one.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime now() const = 0;
  virtual SteadyTime steady() const = 0;
};

/// A pending timer; destroying it cancels it, and then its callback never runs.
class TimerHandle {
 public:
  virtual ~TimerHandle() = default;
};

/// Timers and hand-over to the loop. `after` and the callbacks: loop thread; `post`: any thread.
class Timers {
 public:
  virtual ~Timers() = default;
  [[nodiscard]] virtual std::unique_ptr<TimerHandle> after(Duration delay,
                                                           std::function<void()> callback) = 0;
  /// Runs `callback` on the loop thread, after what was posted before it.
  virtual void post(std::function<void()> callback) = 0;
};

/// Threads for blocking work. Callers on the loop; tasks run on worker threads, at most as many at
/// a time as the pool has. A task must not throw.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual void submit(std::function<void()> task) = 0;
};

/// Randomness for jitter and ids; seeded in tests. Any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

}  // namespace tidemark
