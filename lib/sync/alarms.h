#pragma once

#include <functional>
#include <map>
#include <memory>

#include "core/ports.h"

namespace tidemark {

/// Calls at a time of the wall clock, over one steady timer: thousands of idle jobs cost one heap.
///
/// Loop thread. The clock is looked at no later than every `look` seconds, so a suspended machine
/// or a clock put forward is noticed soon; a clock put back is told to `on_step_back`, whose owner
/// plans anew. An alarm never comes early by the wall clock.
class Alarms {
 public:
  static constexpr Duration look = std::chrono::seconds(10);

  /// A planned call; destroying it cancels it. May be destroyed inside the call, and after Alarms.
  class Alarm;

  Alarms(Timers& timers, const Clock& clock, std::function<void(Duration)> on_step_back);
  ~Alarms();
  Alarms(const Alarms&) = delete;
  Alarms& operator=(const Alarms&) = delete;

  [[nodiscard]] std::unique_ptr<Alarm> at(WallTime when, std::function<void()> callback);
  /// When the clock was last looked at.
  SteadyTime looked() const noexcept { return looked_steady_; }

 private:
  using Key = std::pair<WallTime, std::uint64_t>;
  using Queue = std::map<Key, std::function<void()>>;
  void arm();
  void wake();

  Timers& timers_;
  const Clock& clock_;
  std::function<void(Duration)> on_step_back_;
  std::shared_ptr<Queue> queue_;
  std::uint64_t sequence_ = 0;
  bool waking_ = false;
  WallTime armed_for_{};
  std::unique_ptr<TimerHandle> timer_;
  WallTime looked_wall_{};
  SteadyTime looked_steady_{};
};

class Alarms::Alarm {
 public:
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  WallTime when() const noexcept { return key_.first; }

 private:
  friend class Alarms;
  Alarm(std::weak_ptr<Queue> queue, Key key) : queue_(std::move(queue)), key_(key) {}
  std::weak_ptr<Queue> queue_;
  Key key_;
};

}  // namespace tidemark
