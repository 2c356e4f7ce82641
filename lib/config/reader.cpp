#include "config/reader.h"

#include <algorithm>
#include <map>

#include "config/near_miss.h"

namespace tidemark::config {
namespace {

std::string joined(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

std::string_view noun(Kind kind) {
  switch (kind) {
    case Kind::section:
    case Kind::named:
    case Kind::dictionary:
    case Kind::type_dictionary:
      return "a map";
    case Kind::text:
      return "a text";
    case Kind::boolean:
      return "true or false";
    case Kind::integer:
      return "a whole number";
    case Kind::number:
      return "a number";
    case Kind::duration:
      return "a duration";
    case Kind::duration_or_count:
      return "a duration or a whole number";
    case Kind::size:
      return "a size";
    case Kind::rate:
      return "a rate";
    case Kind::choice:
      return "a word";
    case Kind::type:
      return "a type";
    case Kind::secret:
      return "a secret";
    case Kind::list:
      return "a list";
    case Kind::list_or_dictionary:
      return "a list or a map";
  }
  return "a value";
}

/// A value as a message may show it: short.
std::string shown_text(const std::string& text) {
  constexpr std::size_t longest = 40;
  std::string shown = text.substr(0, longest);
  while (shown.size() < text.size() && !shown.empty() &&
         (static_cast<unsigned char>(text[shown.size()]) & 0xC0) == 0x80)
    shown.pop_back();
  return "\"" + shown + (shown.size() < text.size() ? "…\"" : "\"");
}

bool has_word(const Option& option, std::string_view word) {
  return std::find(option.choices.begin(), option.choices.end(), word) != option.choices.end();
}

/// In a job, `null` means: as if neither the job nor `defaults` had said anything.
bool null_resets(const Option& option) {
  return option.path.starts_with("jobs.*.");
}

const Option& element_option(const Item& parent) {
  static const Option text{.path = "", .kind = Kind::text};
  static const Option type{.path = "", .kind = Kind::type};
  return parent.option->kind == Kind::type_dictionary ? type : text;
}

/// Where else in the table a key of this name stands, for someone who wrote it one level off.
std::string belongs_under(std::string_view key, std::string_view section) {
  std::string found;
  for (const Option& option : option_table()) {
    const std::size_t dot = option.path.rfind('.');
    if (option.later || dot == std::string_view::npos || option.path.substr(dot + 1) != key)
      continue;
    std::string_view parent = option.path.substr(0, dot);
    if (parent.starts_with(section) && parent.size() > section.size() && !section.empty())
      parent.remove_prefix(section.size() + 1);
    std::string name(parent);
    for (std::size_t at = 0; (at = name.find('*', at)) != std::string::npos;)
      name.replace(at, 1, "NAME");
    found += (found.empty() ? "\"" : " or \"") + name + "\"";
  }
  return found.empty() ? "" : "this key belongs under " + found;
}

}  // namespace

Item Reader::root(const Node& node) {
  return value(option_tree(), node, node.place, "");
}

Item Reader::one(const OptionNode& spec, const Entry& entry) {
  return value(spec, entry.value, entry.place, entry.key);
}

Item Reader::value(const OptionNode& spec, const Node& node, const Place& key,
                   const std::string& path) {
  const Option& option = *spec.option;
  const bool is_section = option.kind == Kind::section || option.kind == Kind::named;
  if (node.kind == Node::Kind::null && !has_word(option, "null")) {
    Item nothing = not_given(spec, key, path);
    if (!is_section && !null_resets(option)) {
      report_.error(key, {path, "has no value", "give one, or take the line out"});
      nothing.state = Item::State::unusable;
    }
    return nothing;
  }
  Item item{.option = &option,
            .state = Item::State::given,
            .place = is_section ? key : node.place,
            .path = path,
            .name = spec.name};
  switch (option.kind) {
    case Kind::section:
      read_section(item, spec, node, key);
      break;
    case Kind::named:
      read_named(item, spec, node);
      break;
    case Kind::list:
      read_list(item, node);
      break;
    case Kind::dictionary:
    case Kind::type_dictionary:
      read_dictionary(item, node);
      break;
    case Kind::list_or_dictionary:
      if (node.kind == Node::Kind::map)
        read_dictionary(item, node);
      else
        read_list(item, node);
      break;
    default:
      read_scalar(item, node);
      break;
  }
  return item;
}

Item Reader::not_given(const OptionNode& spec, const Place& key, const std::string& path) {
  const Option& option = *spec.option;
  Item item{.option = &option, .place = key, .path = path, .name = spec.name};
  if (option.required && required_)
    report_.error(key,
                  {path, "required, and missing",
                   option.example.empty() ? "" : "for example " + std::string(option.example)});
  if (option.kind == Kind::section) {
    const bool required = required_;
    if (option.optional || option.required || spec.name == "defaults") required_ = false;
    if (!option.optional) item.state = Item::State::fallback;
    for (const OptionNode& child : spec.children)
      if (!child.option->later && child.name != "*")
        item.children.push_back(not_given(child, key, joined(path, child.name)));
    if (option.optional)
      for (Item& child : item.children)
        child.state = Item::State::absent;
    required_ = required;
  } else if (!option.fallback.empty()) {
    item.state = Item::State::fallback;
    if (is_scalar(option.kind)) item.text = option.fallback;
  }
  return item;
}

void Reader::read_section(Item& item, const OptionNode& spec, const Node& node, const Place& key) {
  const bool reference = node.find("env") != nullptr;
  if ((node.kind != Node::Kind::map || reference) && !item.option->shorthand.empty()) {
    Node wrapped{.kind = Node::Kind::map, .place = node.place};
    wrapped.entries.push_back({std::string(item.option->shorthand), node.place, node});
    return read_section(item, spec, wrapped, key);
  }
  const bool is_map = node.kind == Node::Kind::map;
  if (!is_map) refuse_kind(item, node);
  const bool required = required_;
  if (!is_map || item.name == "defaults") required_ = false;
  for (const OptionNode& child : spec.children) {
    if (child.option->later) continue;
    const std::string path = joined(item.path, child.name);
    const Entry* entry = is_map ? node.find(child.name) : nullptr;
    item.children.push_back(entry == nullptr ? not_given(child, item.place, path)
                                             : value(child, entry->value, entry->place, path));
  }
  required_ = required;
  for (const Entry& entry : node.entries) {
    const OptionNode* child = spec.child(entry.key);
    if (child == nullptr)
      refuse_unknown(spec, entry, item.path);
    else if (child->option->later)
      report_.error(entry.place,
                    {joined(item.path, entry.key), "not yet available in this version"});
  }
  refuse_groups(item);
}

void Reader::refuse_groups(const Item& section) {
  std::map<std::string_view, const Item*> first;
  for (const Item& child : section.children) {
    if (!child.given() || child.option->group.empty()) continue;
    const auto [other, added] = first.emplace(child.option->group, &child);
    if (added) continue;
    report_.error(child.place, {child.path, "\"" + other->second->name + "\" is given as well",
                                "only one of " + std::string(child.option->group)});
  }
}

void Reader::refuse_unknown(const OptionNode& spec, const Entry& entry, const std::string& path) {
  std::vector<std::string> siblings;
  for (const OptionNode& child : spec.children)
    if (!child.option->later) siblings.push_back(child.name);
  const std::string guess = nearest(entry.key, siblings);
  std::string hint;
  if (guess.empty() || edit_distance(entry.key, guess) > 1) {
    const std::string_view section = spec.name == "defaults" ? "jobs.*" : spec.option->path;
    hint = belongs_under(entry.key, section);
  }
  if (hint.empty()) hint = did_you_mean(entry.key, siblings);
  if (hint.empty() && siblings.size() <= 8) {
    for (const std::string& sibling : siblings)
      hint += (hint.empty() ? "" : ", ") + sibling;
    hint = "known here: " + hint;
  }
  report_.error(entry.place, {path, "unknown key \"" + entry.key + "\"", hint});
}

void Reader::read_named(Item& item, const OptionNode& spec, const Node& node) {
  if (node.kind != Node::Kind::map) return refuse_kind(item, node);
  const OptionNode& below = spec.children.front();
  for (const Entry& entry : node.entries) {
    if (entry.value.kind == Node::Kind::null && null_resets(*item.option)) continue;
    const std::string path = joined(item.path, entry.key);
    Node value_node = entry.value;
    // A name with nothing below it: what it lacks is to be said of it, so it is read as empty.
    if (value_node.kind == Node::Kind::null) value_node.kind = Node::Kind::map;
    Item child = value(below, value_node, entry.place, path);
    child.name = entry.key;
    item.children.push_back(std::move(child));
  }
}

void Reader::refuse_kind(Item& item, const Node& node) {
  const Kind kind = item.option->kind;
  std::string hint;
  if (node.kind == Node::Kind::map && is_scalar(kind) && !node.entries.empty()) {
    const std::vector<std::string> keys{"env", "file", "credential"};
    hint = did_you_mean(node.entries.front().key, keys);
  }
  if (hint.empty() && kind == Kind::secret)
    hint = "a text, {file: PATH}, {credential: NAME} or {env: NAME}";
  report_.error(
      node.place,
      {item.path, "must be " + std::string(noun(kind)) + ", but is " + std::string(describe(node)),
       hint});
  item.state = Item::State::unusable;
}

void Reader::read_scalar(Item& item, const Node& node) {
  const Option& option = *item.option;
  const bool secret = option.kind == Kind::secret;
  if (const auto reference = references_.resolve(node, item.path, secret)) {
    item.source = reference->source;
    if (reference->fallback != nullptr) {
      if (reference->fallback->kind != Node::Kind::scalar)
        return refuse_kind(item, *reference->fallback);
      return take_text(item, *reference->fallback, node);
    }
    if (!reference->text) {
      item.state = Item::State::unusable;
      return;
    }
    return take_text(item, {.kind = Node::Kind::scalar, .text = *reference->text}, node);
  }
  if (node.kind == Node::Kind::map && !node.entries.empty()) {
    const auto& later = option.later_choices;
    const Entry& first = node.entries.front();
    if (std::find(later.begin(), later.end(), first.key) != later.end()) {
      report_.error(first.place,
                    {item.path + "." + first.key, "not yet available in this version"});
      item.state = Item::State::unusable;
      return;
    }
  }
  if (node.kind == Node::Kind::null)
    return take_text(item, {.kind = Node::Kind::scalar, .place = node.place, .text = "null"}, node);
  if (node.kind != Node::Kind::scalar) return refuse_kind(item, node);
  take_text(item, node, node);
}

void Reader::take_text(Item& item, const Node& node, const Node& written) {
  const Option& option = *item.option;
  const bool literal = node.place.line != 0;
  const std::string shown = literal
                                ? shown_text(node.text)
                                : "the value of " + item.source.substr(2, item.source.size() - 3);
  const Verdict verdict = judge(option, node.text, node.quoted, shown);
  if (!verdict.message.empty()) {
    report_.error(literal ? node.place : written.place, {item.path, verdict.message, verdict.hint});
    item.state = Item::State::unusable;
    return;
  }
  if (option.kind == Kind::secret) {
    if (literal)
      report_.warning(node.place, {item.path, "a secret in the file itself",
                                   "better {file: PATH}, {credential: NAME} or {env: NAME}"});
    item.secret = Secret(node.text);
    item.text = "<secret>";
  } else {
    item.text = node.text;
    item.quoted = node.quoted;
  }
}

Item Reader::element(const Item& parent, const Node& node, std::string name,
                     const std::string& path) {
  Item item{.option = &element_option(parent),
            .state = Item::State::given,
            .place = node.place,
            .path = path,
            .name = std::move(name)};
  if (node.kind == Node::Kind::null) {
    report_.error(node.place,
                  {path, "has no value", "put `null` in quotes if it is meant as text"});
    item.state = Item::State::unusable;
    return item;
  }
  read_scalar(item, node);
  const Option& list = *parent.option;
  if (list.choices.empty() || !item.usable()) return item;
  Option words = list;
  words.kind = Kind::choice;
  const Verdict verdict = judge(words, item.text, item.quoted, shown_text(item.text));
  if (!verdict.message.empty()) {
    report_.error(node.place, {path, verdict.message, verdict.hint});
    item.state = Item::State::unusable;
  }
  return item;
}

void Reader::read_list(Item& item, const Node& node) {
  if (node.kind == Node::Kind::list) {
    for (std::size_t index = 0; index < node.items.size(); ++index)
      item.children.push_back(
          element(item, node.items[index], "", item.path + "[" + std::to_string(index) + "]"));
    return;
  }
  // One value may stand without brackets; a map is one only if it is a reference.
  const bool reference = node.find("env") != nullptr;
  if (node.kind == Node::Kind::map && !reference) return refuse_kind(item, node);
  item.children.push_back(element(item, node, "", item.path));
}

void Reader::read_dictionary(Item& item, const Node& node) {
  if (node.kind != Node::Kind::map) return refuse_kind(item, node);
  for (const Entry& entry : node.entries)
    item.children.push_back(element(item, entry.value, entry.key, joined(item.path, entry.key)));
}

}  // namespace tidemark::config
