#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "simulation/trace.h"

namespace tidemark::sim {

/// A seed that broke a promise.
struct Finding {
  std::uint64_t seed = 0;
  std::string what;
  std::vector<std::string> trace;
};

/// Plays one seed and adds to `tally`. A seed that breaks a promise is played again with a trace.
std::optional<Finding> simulate(std::uint64_t seed, Tally& tally);

/// Plays seeds from `first` on, `count` of them, up to the first that breaks a promise.
std::optional<Finding> simulate_many(std::uint64_t first, std::uint64_t count, Tally& tally);

}  // namespace tidemark::sim
