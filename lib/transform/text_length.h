#pragma once

#include <cstddef>
#include <string_view>

namespace tidemark {

/// Characters (code points) of UTF-8 text.
inline std::size_t characters_of(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text)
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

/// The first `count` characters.
inline std::string_view first_characters(std::string_view text, std::size_t count) noexcept {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) continue;
    if (count == 0) break;
    --count;
  }
  return text.substr(0, at);
}

}  // namespace tidemark
