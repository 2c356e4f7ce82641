#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// An explicit-state model checker in a hundred lines: breadth first, so that the first violation it
// finds has the shortest trace. A model has
//   using State       plain bytes without padding
//   State start()
//   void steps(state, take)       calls take("what happens", who, next) for each step possible
//   const char* broken(state)     what the state violates; nullptr: nothing
//   std::string show(state)       for traces
namespace tidemark::model {

struct Result {
  std::size_t states = 0;
  std::string broken;              ///< "" where every state keeps the promise
  std::vector<std::string> trace;  ///< from the start to the broken state
  bool holds() const noexcept { return broken.empty(); }
};

template <class Model>
class Explorer {
 public:
  using State = typename Model::State;
  static_assert(std::has_unique_object_representations_v<State>, "states are compared by bytes");

  explicit Explorer(const Model& model) : model_(model), slots_(1U << 16U, none) {}

  Result run() {
    add(model_.start(), none, "start", -1);
    for (std::uint32_t at = 0; at < found_.size(); ++at) {
      if (const char* broken = model_.broken(found_[at].state))
        return {.states = found_.size(), .broken = broken, .trace = trace_to(at)};
      const State state = found_[at].state;
      model_.steps(state,
                   [&](const char* what, int who, const State& next) { add(next, at, what, who); });
    }
    return {.states = found_.size(), .broken = {}, .trace = {}};
  }

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  struct Found {
    State state;
    std::uint32_t from;
    std::int32_t who;
    const char* what;
  };

  /// FNV-1a by bytes, with the upper bits mixed down.
  static std::size_t hash(const State& state) {
    unsigned char bytes[sizeof(State)];
    std::memcpy(bytes, &state, sizeof state);
    std::uint64_t value = 14695981039346656037ULL;
    for (const unsigned char byte : bytes)
      value = (value ^ byte) * 1099511628211ULL;
    return static_cast<std::size_t>(value ^ value >> 29U);
  }

  void add(const State& state, std::uint32_t from, const char* what, int who) {
    if (2 * (found_.size() + 1) > slots_.size()) grow();
    std::size_t slot = hash(state) & (slots_.size() - 1);
    for (; slots_[slot] != none; slot = (slot + 1) & (slots_.size() - 1))
      if (std::memcmp(&found_[slots_[slot]].state, &state, sizeof state) == 0) return;
    slots_[slot] = static_cast<std::uint32_t>(found_.size());
    found_.push_back({state, from, who, what});
  }

  void grow() {
    slots_.assign(2 * slots_.size(), none);
    for (std::uint32_t at = 0; at < found_.size(); ++at) {
      std::size_t slot = hash(found_[at].state) & (slots_.size() - 1);
      while (slots_[slot] != none)
        slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = at;
    }
  }

  std::vector<std::string> trace_to(std::uint32_t at) const {
    std::vector<std::string> trace;
    for (; at != none; at = found_[at].from) {
      const Found& one = found_[at];
      std::string line = one.who < 0 ? "" : std::to_string(one.who + 1) + " ";
      trace.insert(trace.begin(), line + one.what + "  |  " + model_.show(one.state));
    }
    return trace;
  }

  const Model& model_;
  std::vector<Found> found_;
  std::vector<std::uint32_t> slots_;  ///< open addressing; indices into found_
};

template <class Model>
Result explore(const Model& model) {
  return Explorer<Model>(model).run();
}

/// One way to get it wrong: the same model with one guard switched off.
struct Mutant {
  const char* name;
  Result (*run)();
};

struct Checked {
  const char* name;
  const char* code;  ///< where the real thing stands
  Result (*run)();
  std::vector<Mutant> mutants;
};

Checked drain_model();
Checked times_model();
Checked numbers_model();
Checked xids_model();
Checked handover_model();
Checked append_handover_model();
Checked fence_model();
Checked range_fence_model();

}  // namespace tidemark::model
