#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tidemark::sim {

/// What happened in one seed, in order. Kept only when somebody will read it: a seed that fails is
/// played again with it.
class Trace {
 public:
  explicit Trace(bool kept) : kept_(kept) {}
  /// `text` is built only when the trace is kept.
  template <class Text>
  void add(Text&& text) {
    if (kept_) lines_.push_back(text());
  }
  const std::vector<std::string>& lines() const noexcept { return lines_; }

 private:
  bool kept_;
  std::vector<std::string> lines_;
};

/// How much one or many seeds have done, for the closing line.
struct Tally {
  std::uint64_t seeds = 0;
  std::uint64_t operations = 0;  ///< of the engine on a database: where something may come between
  std::uint64_t moves = 0;       ///< of applications, clocks, faults
  std::uint64_t runs = 0;
  std::uint64_t crashes = 0;

  Tally& operator+=(const Tally& other) noexcept {
    seeds += other.seeds;
    operations += other.operations;
    moves += other.moves;
    runs += other.runs;
    crashes += other.crashes;
    return *this;
  }
};

}  // namespace tidemark::sim
