#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/error.h"

// What the fuzz targets share. A target is one function that libFuzzer calls with any bytes; what
// it checks beside the sanitizers stands in it as `require`.
namespace tidemark::fuzz {

/// Ends the process where an invariant does not hold: libFuzzer keeps the input as a finding.
inline void require(bool holds, const char* invariant) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s\n", invariant);
  std::abort();
}

/// Takes an input apart in a way that a person can write a seed for: lines, bytes, the rest.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const noexcept { return rest_.empty(); }
  /// Up to the next line end, or all.
  std::string_view line() {
    const std::size_t end = rest_.find('\n');
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return line;
  }
  /// 0 where nothing is left.
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  /// Little-endian; missing bytes are 0.
  template <class T>
  T number() {
    std::uint64_t value = 0;
    for (std::size_t at = 0; at < sizeof(T); ++at)
      value |= static_cast<std::uint64_t>(byte()) << (8 * at);
    return static_cast<T>(value);
  }
  /// Fewer where the input ends before.
  std::string_view bytes(std::size_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() {
    const std::string_view all = rest_;
    rest_ = {};
    return all;
  }

 private:
  std::string_view rest_;
};

}  // namespace tidemark::fuzz
