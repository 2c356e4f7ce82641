#include "runtime/system.h"

namespace tidemark::runtime {

WallTime SystemClock::now() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

SystemRandom::SystemRandom() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  engine_.seed(seed);
}

std::uint64_t SystemRandom::next() {
  const std::lock_guard lock(mutex_);
  return engine_();
}

}  // namespace tidemark::runtime
