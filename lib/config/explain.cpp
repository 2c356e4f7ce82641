#include <nlohmann/json.hpp>

#include <algorithm>

#include "config/config.h"
#include "config/scalar.h"
#include "config/yaml_text.h"

namespace tidemark::config {
namespace {

using Json = nlohmann::ordered_json;

Json json_scalar(const Effective& node) {
  if (node.quoted) return node.value;
  if (const auto flag = parse_boolean(node.value)) return *flag;
  if (const auto number = parse_integer(node.value)) return *number;
  if (const auto number = parse_number(node.value)) return *number;
  return node.value;
}

Json json_of(const Effective& node, bool origin) {
  Json json;
  switch (node.shape) {
    case Effective::Shape::scalar:
      json = json_scalar(node);
      break;
    case Effective::Shape::list:
      json = Json::array();
      for (const auto& [name, child] : node.children)
        json.push_back(json_scalar(child));
      break;
    case Effective::Shape::map:
      json = Json::object();
      for (const auto& [name, child] : node.children)
        json[name] = json_of(child, origin);
      return json;
  }
  return origin ? Json{{"value", json}, {"origin", node.origin}} : json;
}

class YamlWriter {
 public:
  explicit YamlWriter(bool origin) : origin_(origin) {}

  void write(const Effective& node, const std::string& indent) {
    for (const auto& [name, child] : node.children)
      entry(name, child, indent);
  }
  void write_leaf(const Effective& node) { text_ += leaf(node) + comment(node) + "\n"; }
  std::string take() { return std::move(text_); }

 private:
  void entry(const std::string& name, const Effective& node, const std::string& indent) {
    text_ += indent + yaml_scalar(name) + ":";
    if (node.shape == Effective::Shape::map && !node.children.empty()) {
      text_ += "\n";
      write(node, indent + "  ");
    } else if (is_block(node)) {
      block(node, indent + "  ");
    } else {
      text_ += " " + leaf(node) + comment(node) + "\n";
    }
  }

  static std::string leaf(const Effective& node) {
    if (node.shape == Effective::Shape::map) return "{}";
    if (node.shape == Effective::Shape::list) {
      std::vector<std::string> texts;
      for (const auto& [name, child] : node.children)
        texts.push_back(child.value);
      return yaml_list(texts);
    }
    return node.quoted ? yaml_scalar(node.value) : node.value;
  }

  /// Queries read best as they were written; a block can't hold every text, though.
  static bool is_block(const Effective& node) {
    return node.shape == Effective::Shape::scalar && node.value.find('\n') != std::string::npos &&
           node.value.front() != ' ' && node.value.front() != '\n' && node.value.back() == '\n' &&
           !node.value.ends_with("\n\n") &&
           std::none_of(node.value.begin(), node.value.end(), [](char letter) {
             return static_cast<unsigned char>(letter) < 0x20 && letter != '\n';
           });
  }

  void block(const Effective& node, const std::string& indent) {
    text_ += " |" + comment(node) + "\n";
    std::size_t start = 0;
    while (start < node.value.size()) {
      const std::size_t end = node.value.find('\n', start);
      if (end > start) text_ += indent + node.value.substr(start, end - start);
      text_ += "\n";
      start = end + 1;
    }
  }

  std::string comment(const Effective& node) const {
    return origin_ && !node.origin.empty() ? "  # " + node.origin : "";
  }

  bool origin_;
  std::string text_;
};

}  // namespace

std::string explain(const Effective& effective, const ExplainOptions& options) {
  const Effective* node = effective.find(options.under);
  if (node == nullptr) return "";
  if (options.json) return json_of(*node, options.origin).dump(2) + "\n";
  YamlWriter writer(options.origin);
  if (node->shape == Effective::Shape::map)
    writer.write(*node, "");
  else
    writer.write_leaf(*node);
  return writer.take();
}

}  // namespace tidemark::config
