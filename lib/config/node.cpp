#include "config/node.h"

#include <algorithm>

namespace tidemark::config {

const Entry* Node::find(std::string_view key) const noexcept {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

Entry* Node::find(std::string_view key) noexcept {
  return const_cast<Entry*>(static_cast<const Node*>(this)->find(key));
}

std::string_view describe(const Node& node) noexcept {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::scalar:
      return node.quoted ? "a text in quotes" : "a single value";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
  }
  return "nothing";
}

}  // namespace tidemark::config
