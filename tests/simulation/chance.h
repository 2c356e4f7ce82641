#pragma once

#include "support/virtual_time.h"

namespace tidemark::sim {

/// Decisions of one seed: the same seed decides the same way on any machine. One thread.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed * 0x9e3779b97f4a7c15ULL + 1) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  /// True once in `times` on average.
  bool once_in(std::uint64_t times) { return below(times) == 0; }
  /// From `low` to `high`, both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  template <class Container>
  auto& pick(Container& from) {
    return from[below(from.size())];
  }

 private:
  test::SeededRandom random_;
};

}  // namespace tidemark::sim
