#include "connector/mysql/token_state.h"

#include <charconv>
#include <string_view>

#include "core/error.h"

namespace tidemark::mysql {
namespace {

constexpr std::string_view unsampled = "unsampled";
constexpr std::string_view drained = "drained";

/// Reads numbers, each up to its stop.
class Numbers {
 public:
  explicit Numbers(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  bool done() const { return at_ == end_; }
  std::string_view rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  template <typename Number>
  Number take(char stop) {
    Number number = 0;
    const auto [next, error] = std::from_chars(at_, end_, number);
    const bool last = stop == ',' && next == end_;
    if (error != std::errc{} || (!last && (next == end_ || *next != stop)))
      throw Error({.kind = FailureKind::position_lost,
                   .message = "the checkpoint holds a horizon that can't be read",
                   .hint = "It was written by another version: run `tidemark resync`."});
    at_ = last ? next : next + 1;
    return number;
  }

 private:
  const char* at_;
  const char* end_;
};

}  // namespace

std::string to_text(const TokenState& state, bool must_say) {
  const bool waits = state.kind == TokenState::Kind::unsampled || !state.pending.empty();
  if (!waits) return must_say ? std::string(drained) : std::string();
  std::string text = std::to_string(state.after) + ":";
  if (state.kind == TokenState::Kind::unsampled) return text.append(unsampled);
  bool first = true;
  for (const Pending& one : state.pending) {
    if (!first) text += ',';
    first = false;
    text += std::to_string(one.thread) + "." + std::to_string(one.query_id) + "." +
            std::to_string(one.transaction) + "." + std::to_string(one.started);
  }
  return text;
}

TokenState token_state_from(const std::string& text) {
  TokenState state;
  if (text == drained) {
    state.kind = TokenState::Kind::drained;
    return state;
  }
  Numbers numbers(text);
  state.after = numbers.take<std::uint64_t>(':');
  if (numbers.rest() == unsampled) {
    state.kind = TokenState::Kind::unsampled;
    return state;
  }
  do {
    Pending one;
    one.thread = numbers.take<std::uint64_t>('.');
    one.query_id = numbers.take<std::uint64_t>('.');
    one.transaction = numbers.take<std::uint64_t>('.');
    one.started = numbers.take<std::int64_t>(',');
    state.pending.push_back(one);
  } while (!numbers.done());
  return state;
}

std::vector<Pending> still_open(const TokenState& state, const Look& look) {
  if (state.after != 0 && look.first <= state.after) return state.pending;
  return still_open(state.pending, look.work);
}

}  // namespace tidemark::mysql
