#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::config {

/// Where something stands: an index into the files read, line and column from 1 (0: no place).
struct Place {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool inherited = false;  ///< came into a job from `defaults`
};

/// A key and its value. A template because it holds what is not complete yet where it is named.
template <class Value>
struct KeyedValue {
  std::string key;
  Place place;  ///< of the key
  Value value;
};

struct Node;
using Entry = KeyedValue<Node>;

/// A YAML value as it was written, with its place; nothing is interpreted yet. Plain data.
struct Node {
  enum class Kind { null, scalar, list, map };
  Kind kind = Kind::null;
  Place place = {};
  std::string text = {};  ///< scalar
  bool quoted = false;    ///< scalar: in quotes or as a block
  std::vector<Node> items = {};
  std::vector<Entry> entries = {};  ///< map: in the order of the file, each key once

  const Entry* find(std::string_view key) const noexcept;
  Entry* find(std::string_view key) noexcept;
};

/// "a text", "a number"…: what a person would call it.
std::string_view describe(const Node& node) noexcept;

}  // namespace tidemark::config
