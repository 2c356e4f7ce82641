#include "sync/alarms.h"

#include <algorithm>

namespace tidemark {
namespace {

/// Slewing moves the clock by less than this between two looks.
constexpr Duration step_threshold = std::chrono::seconds(1);

}  // namespace

Alarms::Alarm::~Alarm() {
  if (const auto queue = queue_.lock()) queue->erase(key_);
}

Alarms::Alarms(Timers& timers, const Clock& clock, std::function<void(Duration)> on_step_back)
    : timers_(timers),
      clock_(clock),
      on_step_back_(std::move(on_step_back)),
      queue_(std::make_shared<Queue>()),
      looked_wall_(clock.now()),
      looked_steady_(clock.steady()) {
  arm();
}

Alarms::~Alarms() = default;

std::unique_ptr<Alarms::Alarm> Alarms::at(WallTime when, std::function<void()> callback) {
  const Key key{when, ++sequence_};
  queue_->emplace(key, std::move(callback));
  if (!waking_ && when < armed_for_) arm();
  return std::unique_ptr<Alarm>(new Alarm(queue_, key));
}

void Alarms::arm() {
  const WallTime now = clock_.now();
  armed_for_ = now + look;
  if (!queue_->empty()) armed_for_ = std::clamp(queue_->begin()->first.first, now, armed_for_);
  timer_ = timers_.after(armed_for_ - now, [this] { wake(); });
}

void Alarms::wake() {
  const WallTime now = clock_.now();
  const SteadyTime steady = clock_.steady();
  const Duration stepped = (now - looked_wall_) - (steady - looked_steady_);
  looked_wall_ = now;
  looked_steady_ = steady;
  waking_ = true;
  if (stepped < -step_threshold) on_step_back_(-stepped);
  while (!queue_->empty() && queue_->begin()->first.first <= now) {
    // Taken out before it runs: it may destroy its own Alarm.
    const auto first = queue_->begin();
    const std::function<void()> callback = std::move(first->second);
    queue_->erase(first);
    callback();
  }
  waking_ = false;
  arm();
}

}  // namespace tidemark
