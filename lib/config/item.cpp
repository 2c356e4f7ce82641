#include "config/item.h"

#include <algorithm>
#include <stdexcept>

#include "config/report.h"
#include "config/scalar.h"

namespace tidemark::config {

const Item* Item::find(std::string_view key) const noexcept {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const Item& one) { return one.name == key; });
  return found == children.end() ? nullptr : &*found;
}

const Item& Item::operator[](std::string_view key) const {
  const Item* found = find(key);
  if (found == nullptr) throw std::logic_error("no option " + path + "." + std::string(key));
  return *found;
}

Item& Item::operator[](std::string_view key) {
  return const_cast<Item&>(static_cast<const Item&>(*this)[key]);
}

std::int64_t Item::integer() const {
  return usable() ? parse_integer(text).value_or(0) : 0;
}
double Item::number() const {
  return usable() ? parse_number(text).value_or(0) : 0;
}
bool Item::boolean() const {
  return usable() && parse_boolean(text).value_or(false);
}
Duration Item::duration() const {
  return usable() ? parse_duration(text).value_or(Duration::zero()) : Duration::zero();
}
Bytes Item::size() const {
  return usable() ? parse_size(text).value_or(0) : 0;
}
std::uint64_t Item::rate() const {
  return usable() ? parse_rate(text).value_or(0) : 0;
}

std::vector<std::string> Item::list() const {
  std::vector<std::string> texts;
  for (const Item& child : children)
    if (child.usable()) texts.push_back(child.text);
  return texts;
}

std::vector<std::pair<std::string, std::string>> Item::dictionary() const {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const Item& child : children)
    if (child.usable()) entries.emplace_back(child.name, child.text);
  return entries;
}

void Item::fill(std::string value) {
  state = State::fallback;
  text = std::move(value);
}

namespace {

bool shown_as_text(const Item& item) {
  if (item.option == nullptr) return true;
  switch (item.option->kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::number:
      return false;
    case Kind::duration_or_count:
      return !parse_integer(item.text);
    default:
      return true;
  }
}

Effective::Shape shape_of(const Item& item) {
  switch (item.option == nullptr ? Kind::text : item.option->kind) {
    case Kind::section:
    case Kind::named:
    case Kind::dictionary:
    case Kind::type_dictionary:
      return Effective::Shape::map;
    case Kind::list:
      return Effective::Shape::list;
    case Kind::list_or_dictionary:
      return !item.children.empty() && !item.children.front().name.empty() ? Effective::Shape::map
                                                                           : Effective::Shape::list;
    default:
      return Effective::Shape::scalar;
  }
}

}  // namespace

Effective effective_of(const Item& item, const Report& report) {
  Effective shown{.shape = shape_of(item)};
  if (item.state == Item::State::given) shown.origin = report.where(item.place) + item.source;
  if (item.state == Item::State::fallback) shown.origin = "default";
  if (shown.shape == Effective::Shape::scalar) {
    shown.value = item.text;
    shown.quoted = shown_as_text(item);
    return shown;
  }
  for (const Item& child : item.children) {
    if (!child.usable()) continue;
    Effective below = effective_of(child, report);
    const bool section = child.option != nullptr && child.option->kind == Kind::section;
    if (section && below.children.empty()) continue;
    shown.children.emplace_back(child.name, std::move(below));
  }
  return shown;
}

const Effective* Effective::find(std::string_view path) const noexcept {
  if (path.empty()) return this;
  for (const auto& [name, child] : children) {
    // Names may hold dots themselves, so the path can't be cut into parts beforehand.
    if (name.empty() || !path.starts_with(name)) continue;
    const std::string_view rest = path.substr(name.size());
    if (rest.empty()) return &child;
    if (rest.front() != '.') continue;
    if (const Effective* found = child.find(rest.substr(1))) return found;
  }
  return nullptr;
}

}  // namespace tidemark::config
