#include "daemon/heartbeat.h"

#include <algorithm>

namespace tidemark {
namespace {

constexpr Duration period = std::chrono::seconds(1);
constexpr Duration status_period = std::chrono::minutes(1);
/// The scheduler looks at its clock at least every 10 s.
constexpr Duration scheduler_silence = std::chrono::seconds(30);
constexpr Duration patience = std::chrono::seconds(10);

}  // namespace

void Heartbeat::start() {
  last_status_ = ports_.clock.steady();
  beat();
}

void Heartbeat::beat() {
  const auto watchdog = ports_.notifier.watchdog_period();
  const SteadyTime now = ports_.clock.steady();
  const bool alive = now - ports_.scheduler_ticked() < scheduler_silence;
  if (stopping_) ports_.notifier.extend_timeout(patience);
  if (watchdog && (alive || stopping_) && now - last_watchdog_ >= *watchdog / 2) {
    last_watchdog_ = now;
    ports_.notifier.watchdog();
  }
  if (!stopping_ && now - last_status_ >= status_period) {
    last_status_ = now;
    ports_.notifier.status(ports_.status());
  }
  // A quarter of what is allowed: half of it is never missed by a beat's own length.
  const Duration next = watchdog ? std::clamp(*watchdog / 4, Duration(10'000), period) : period;
  timer_ = ports_.timers.after(next, [this] { beat(); });
}

}  // namespace tidemark
