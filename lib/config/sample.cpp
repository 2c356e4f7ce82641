// etc/tidemark.yaml from the option table.
#include <string>

#include "config/config.h"
#include "config/option.h"
#include "config/yaml_text.h"

namespace tidemark::config {
namespace {

constexpr std::string_view preamble =
    "# Configuration of Tidemark: every key, with its meaning and its default.\n"
    "#\n"
    "# Lines that start with #key show defaults or examples: take the # away to set one. This file "
    "is\n"
    "# written by the program from the table that also makes its parser and docs/config.md; the "
    "rules\n"
    "# for values, secrets, include and defaults are there. `tidemark check` tells what is wrong "
    "with a\n"
    "# file, `tidemark explain --origin` what is in force and why, `tidemark schema` prints a JSON "
    "Schema\n"
    "# for editors.\n";

constexpr std::size_t width = 100;

class Sample {
 public:
  std::string write() {
    text_ = preamble;
    children(option_tree(), "");
    return std::move(text_);
  }

 private:
  void children(const OptionNode& node, const std::string& indent) {
    for (const OptionNode& child : node.children) {
      if (child.option->later) continue;
      if (indent.empty()) text_ += "\n";
      if (child.option->kind == Kind::section && child.name != "defaults")
        section(child, child.name, indent);
      else if (child.option->kind == Kind::named)
        named(child, indent);
      else
        leaf(child, indent);
    }
  }

  void comment(const Option& option, const std::string& indent) {
    std::string text(option.doc);
    if (!option.fallback_note.empty())
      text += " Default: " + std::string(option.fallback_note) + ".";
    const bool empty = option.fallback == "[]" || option.fallback == "{}";
    if (!option.fallback.empty() && !option.example.empty() && !empty)
      text += " Default: " + std::string(option.fallback) + ".";
    if (option.reload == Reload::restart) text += " A change needs a restart.";
    text_ += wrapped(text, indent + "# ", width);
  }

  void header(const std::string& name, const std::string& indent) {
    text_ += indent + name + ":\n";
  }

  void section(const OptionNode& node, const std::string& name, const std::string& indent) {
    comment(*node.option, indent);
    header(name, indent);
    children(node, indent + "  ");
  }

  /// One entry that shows every key, and what else makes the sample a whole.
  void named(const OptionNode& node, const std::string& indent) {
    comment(*node.option, indent);
    header(node.name, indent);
    const OptionNode& entry = node.children.front();
    const std::string below = indent + "  ";
    if (node.name == "columns") {
      text_ += below + "#supplier_name:\n";
      children(entry, below + "  ");
    } else {
      section(entry, node.name == "jobs" ? "customers" : "shop", below);
    }
    if (node.name == "connections")
      text_ += "  warehouse:\n    type: sqlite\n    path: /srv/warehouse/warehouse.db\n";
  }

  void leaf(const OptionNode& node, const std::string& indent) {
    const Option& option = *node.option;
    comment(option, indent);
    const std::string_view value = option.example.empty() ? option.fallback : option.example;
    text_ += indent + (option.active ? "" : "#") + node.name + ": " + std::string(value) + "\n";
  }

  std::string text_;
};

}  // namespace

std::string sample_yaml() {
  return Sample().write();
}

}  // namespace tidemark::config
