#pragma once

#include <mutex>
#include <random>

#include "core/ports.h"

namespace tidemark::runtime {

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime now() const override;
  SteadyTime steady() const override;
};

/// Seeded from the operating system; for jitter and ids, not for secrets.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  std::uint64_t next() override;

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace tidemark::runtime
