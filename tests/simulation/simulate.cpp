#include "simulation/simulate.h"

#include "simulation/world.h"

namespace tidemark::sim {
namespace {

std::optional<std::string> play(std::uint64_t seed, Trace& trace, Tally& tally) {
  World world(seed, trace);
  std::optional<std::string> broken = world.play();
  tally += world.tally();
  return broken;
}

}  // namespace

std::optional<Finding> simulate(std::uint64_t seed, Tally& tally) {
  Trace none(false);
  const auto broken = play(seed, none, tally);
  if (!broken) return std::nullopt;
  Trace trace(true);
  Tally again;
  const auto repeated = play(seed, trace, again);
  Finding finding{seed, *broken, trace.lines()};
  if (repeated != broken) finding.what += " (and something else when played again: see the trace)";
  return finding;
}

std::optional<Finding> simulate_many(std::uint64_t first, std::uint64_t count, Tally& tally) {
  for (std::uint64_t seed = first; seed < first + count; ++seed)
    if (auto finding = simulate(seed, tally)) return finding;
  return std::nullopt;
}

}  // namespace tidemark::sim
