#include "config/merge.h"

#include <algorithm>
#include <utility>

namespace tidemark::config {
namespace {

void mark_inherited(Node& node) {
  node.place.inherited = true;
  for (Node& item : node.items)
    mark_inherited(item);
  for (Entry& entry : node.entries) {
    entry.place.inherited = true;
    mark_inherited(entry.value);
  }
}

bool merges(Kind kind) {
  return kind == Kind::section || kind == Kind::named || kind == Kind::dictionary ||
         kind == Kind::type_dictionary;
}

const OptionNode* below(const OptionNode& spec, const std::string& key) {
  return spec.option->kind == Kind::named ? &spec.children.front() : spec.child(key);
}

/// True where the job gives another key of the same group: table displaces query.
bool displaced(const OptionNode& spec, const std::string& key, const Node& over) {
  const OptionNode* mine = spec.child(key);
  if (spec.option->kind != Kind::section || mine == nullptr || mine->option->group.empty())
    return false;
  return std::any_of(over.entries.begin(), over.entries.end(), [&](const Entry& entry) {
    const OptionNode* other = spec.child(entry.key);
    return other != nullptr && other != mine && other->option->group == mine->option->group &&
           entry.value.kind != Node::Kind::null;
  });
}

void merge_entry(const OptionNode& spec, Node& merged, const Entry& entry) {
  Entry* base = merged.find(entry.key);
  if (base == nullptr) {
    merged.entries.push_back(entry);
    return;
  }
  const bool dictionary =
      spec.option->kind == Kind::dictionary || spec.option->kind == Kind::type_dictionary;
  if (dictionary && entry.value.kind == Node::Kind::null) {
    std::erase_if(merged.entries, [&](const Entry& one) { return one.key == entry.key; });
    return;
  }
  const OptionNode* child = below(spec, entry.key);
  base->place = entry.place;
  base->value = child == nullptr ? entry.value : merge(*child, base->value, entry.value);
}

}  // namespace

Node merge(const OptionNode& spec, const Node& base, const Node& over) {
  if (over.kind != Node::Kind::map || !merges(spec.option->kind)) return over;
  Node merged = base;
  mark_inherited(merged);
  if (merged.kind == Node::Kind::scalar && !spec.option->shorthand.empty()) {
    Node section{.kind = Node::Kind::map, .place = merged.place};
    section.entries.push_back({std::string(spec.option->shorthand), merged.place, merged});
    merged = std::move(section);
  }
  if (merged.kind != Node::Kind::map) return over;
  std::erase_if(merged.entries,
                [&](const Entry& entry) { return displaced(spec, entry.key, over); });
  merged.place = over.place;
  for (const Entry& entry : over.entries)
    merge_entry(spec, merged, entry);
  return merged;
}

}  // namespace tidemark::config
