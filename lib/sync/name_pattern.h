#pragma once

#include <string_view>

namespace tidemark {

/// Whether a column name matches a pattern of `include` or `exclude`: `*` stands for any run of
/// characters, `?` for one byte, everything else for itself.
inline bool matches_pattern(std::string_view name, std::string_view pattern) noexcept {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (at < name.size()) {
    if (in < pattern.size() && pattern[in] == '*') {
      star = in++;
      resume = at;
    } else if (in < pattern.size() && (pattern[in] == '?' || pattern[in] == name[at])) {
      ++in;
      ++at;
    } else if (star != std::string_view::npos) {
      in = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (in < pattern.size() && pattern[in] == '*')
    ++in;
  return in == pattern.size();
}

}  // namespace tidemark
