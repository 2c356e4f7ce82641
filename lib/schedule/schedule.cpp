#include "schedule/schedule.h"

#include <algorithm>

#include "core/error.h"
#include "schedule/cron.h"

namespace tidemark::schedule {
namespace {

/// SplitMix64: spreads consecutive ticks evenly over 64 bits.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// Moves each tick of a calendar by an offset in [0, width) that depends on seed and tick alone.
class Jitter {
 public:
  Jitter(Duration width, std::uint64_t seed) : width_(width), seed_(seed) {}

  Duration width() const { return width_; }
  WallTime moved(WallTime tick) const {
    if (width_ <= Duration::zero()) return tick;
    const auto number = static_cast<std::uint64_t>(tick.time_since_epoch().count());
    const auto width = static_cast<std::uint64_t>(width_.count());
    return tick + Duration{static_cast<std::int64_t>(mix(seed_ ^ mix(number)) % width)};
  }
  /// First moved tick after `after`; `tick` gives the calendar's first tick after a time.
  template <class Tick>
  std::optional<WallTime> next(WallTime after, Tick tick) const {
    std::optional<WallTime> best;
    std::optional<WallTime> at = tick(after - width_);
    // Ticks may be closer than the jitter is wide: the next tick can come before this one.
    for (; at && (!best || *at < *best); at = tick(*at)) {
      const WallTime candidate = moved(*at);
      if (candidate > after && (!best || candidate < *best)) best = candidate;
    }
    return best;
  }

 private:
  Duration width_;
  std::uint64_t seed_;
};

class Never final : public Schedule {
 public:
  std::optional<WallTime> next(WallTime) const override { return std::nullopt; }
};

class Every final : public Schedule {
 public:
  Every(Duration interval, Jitter jitter) : interval_(interval), jitter_(jitter) {
    if (interval <= Duration::zero())
      throw Error({.kind = FailureKind::schema,
                   .message = "schedule.every is not longer than zero",
                   .hint = "Write a duration such as 30s or 1h."});
  }
  std::optional<WallTime> next(WallTime after) const override {
    return jitter_.next(after, [this](WallTime from) { return std::optional(tick(from)); });
  }

 private:
  WallTime tick(WallTime after) const {
    const std::int64_t count = after.time_since_epoch().count();
    const std::int64_t every = interval_.count();
    std::int64_t number = count / every;
    if (count % every < 0) --number;
    return WallTime{Duration{(number + 1) * every}};
  }
  Duration interval_;
  Jitter jitter_;
};

class ByCron final : public Schedule {
 public:
  ByCron(const CronSchedule& settings, Jitter jitter)
      : cron_(settings.expression, settings.timezone), jitter_(jitter) {}
  std::optional<WallTime> next(WallTime after) const override {
    return jitter_.next(after, [this](WallTime from) { return cron_.next(from); });
  }

 private:
  Cron cron_;
  Jitter jitter_;
};

}  // namespace

std::unique_ptr<const Schedule> make_schedule(const ScheduleSettings& settings,
                                              std::uint64_t seed) {
  if (const auto* every = std::get_if<EverySchedule>(&settings.when)) {
    // Wider than the interval it would only shuffle ticks, and each search would visit them all.
    const Duration width = std::min(settings.jitter, every->interval);
    return std::make_unique<Every>(every->interval, Jitter(width, seed));
  }
  if (const auto* cron = std::get_if<CronSchedule>(&settings.when))
    return std::make_unique<ByCron>(*cron, Jitter(settings.jitter, seed));
  return std::make_unique<Never>();
}

}  // namespace tidemark::schedule
