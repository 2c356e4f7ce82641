#include <algorithm>

#include "config/option.h"

namespace tidemark::config {
namespace {

OptionNode& descend(OptionNode& node, std::string_view path) {
  const std::size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  auto found = std::find_if(node.children.begin(), node.children.end(),
                            [&](const OptionNode& child) { return child.name == key; });
  if (found == node.children.end()) {
    node.children.push_back({.option = nullptr, .name = std::string(key)});
    found = std::prev(node.children.end());
  }
  return dot == std::string_view::npos ? *found : descend(*found, path.substr(dot + 1));
}

OptionNode build_tree() {
  static const Option root_option{.path = "", .kind = Kind::section};
  OptionNode root{.option = &root_option, .name = ""};
  for (const Option& option : option_table())
    descend(root, option.path).option = &option;
  descend(root, "defaults").children = descend(root, "jobs.*").children;
  return root;
}

}  // namespace

const OptionNode* OptionNode::child(std::string_view key) const noexcept {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const OptionNode& one) { return one.name == key; });
  return found == children.end() ? nullptr : &*found;
}

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = [] {
    std::vector<Option> all;
    for (const auto part : {daemon_options, connection_options, job_options, job_column_options,
                            job_running_options}) {
      const std::vector<Option> options = part();
      all.insert(all.end(), options.begin(), options.end());
    }
    return all;
  }();
  return table;
}

const OptionNode& option_tree() {
  static const OptionNode tree = build_tree();
  return tree;
}

bool is_scalar(Kind kind) noexcept {
  switch (kind) {
    case Kind::text:
    case Kind::boolean:
    case Kind::integer:
    case Kind::number:
    case Kind::duration:
    case Kind::duration_or_count:
    case Kind::size:
    case Kind::rate:
    case Kind::choice:
    case Kind::type:
    case Kind::secret:
      return true;
    default:
      return false;
  }
}

}  // namespace tidemark::config
