// docs/config.md from the option table, with the rules that no table can say.
#include <fstream>
#include <string>

#include "config/config.h"
#include "config/option.h"
#include "core/error.h"

namespace tidemark::config {
namespace {

constexpr std::string_view introduction = R"(# Configuration

<!-- Written by the program from its option table; change lib/config and run scripts/dev docs. -->

One YAML file, `/etc/tidemark/tidemark.yaml`, plus the files that its `include` names.
[etc/tidemark.yaml](../etc/tidemark.yaml) shows every key with a comment. `tidemark check` tells
what is wrong with a file, `tidemark explain --origin` prints what is in force and where each value
came from, and `tidemark schema` prints a JSON Schema for editors.

## Rules for the whole file

- **Nothing is ignored.** Unknown keys, keys that stand twice, wrong types, anchors, aliases, `<<`
  and tags are refused. Every problem of all files is reported at once, each as
  `file:line:column: path: what is wrong`, and the exit status is 78.
- **Units.** A duration is a whole number and one of `ms s m h d` (`500ms`, `30s`, `7d`), a size one
  of `B KiB MiB GiB TiB` (`8MiB`), a rate a number a second (`50000/s`). Whole numbers have no
  leading zero. Numbers and `true`, `false` stand without quotes.
- **Values from elsewhere.** Any single value may be `{env: NAME}` or `{env: NAME, default: VALUE}`.
  A secret may also be `{file: PATH}` (one newline at its end is cut; a relative path starts at the
  file that names it; a file that every user can open is refused) or `{credential: NAME}` (from
  systemd's `$CREDENTIALS_DIRECTORY`, which changes only at a restart). Files and variables are read
  again at a reload. One that is missing is an error; `tidemark check` without `--connect` only
  warns, because it may run as another user. There is no expansion within a text.
- **Secrets** never reach a log line, an error, the API or `explain`. A literal password works and is
  warned about; one inside a `url` is refused.
- **Tables** are written `name` or `schema.name`. A part that itself holds a dot or a double quote
  stands in double quotes, whatever the database, with a quote in it doubled: `'public."odd.name"'`.
- **Included files** hold `connections` and `jobs`. A name may stand once over all files.
- **Defaults.** `defaults` may hold every key of a job. Maps merge, lists and `key` are replaced, and
  `null` in a job means: neither the job nor `defaults` says anything. Of keys that exclude each
  other (`table` and `query`; `every`, `cron`, `after` and `manual`) a job's own displaces the
  inherited one.
- **Reload** (SIGHUP, `tidemark reload`): the new file is checked whole. If anything is wrong,
  everything goes on as it was. If it is right, unchanged jobs are not touched and changed ones go on
  from their checkpoint. Keys marked *restart* keep their old value until then, and the reload says
  so.
)";

std::string code(std::string_view text) {
  return "`" + std::string(text) + "`";
}

std::string words(const std::vector<std::string_view>& choices) {
  std::string text;
  for (const std::string_view word : choices)
    text += (text.empty() ? "" : ", ") + code(word);
  return text;
}

std::string noun(Kind kind) {
  switch (kind) {
    case Kind::section:
    case Kind::named:
      return "map";
    case Kind::text:
      return "text";
    case Kind::boolean:
      return "true, false";
    case Kind::integer:
      return "whole number";
    case Kind::number:
      return "number";
    case Kind::duration:
      return "duration";
    case Kind::duration_or_count:
      return "duration or whole number";
    case Kind::size:
      return "size";
    case Kind::rate:
      return "rate";
    case Kind::choice:
      return "";
    case Kind::type:
      return "logical type";
    case Kind::secret:
      return "secret";
    case Kind::list:
      return "list";
    case Kind::dictionary:
      return "map of texts";
    case Kind::type_dictionary:
      return "map of types";
    case Kind::list_or_dictionary:
      return "list, or map of texts";
  }
  return "";
}

std::string type_of(const Option& option) {
  std::string text = noun(option.kind);
  if (!option.choices.empty()) {
    const std::string_view link = option.kind == Kind::list ? " of " : ", or ";
    text += (text.empty() ? "" : std::string(link)) + words(option.choices);
  }
  if (!option.lowest.empty() && option.lowest == option.highest) return text;
  if (!option.lowest.empty()) text += ", from " + std::string(option.lowest);
  if (!option.highest.empty()) text += " to " + std::string(option.highest);
  return text;
}

std::string default_of(const Option& option) {
  if (option.required) return "required";
  if (!option.fallback.empty()) return code(option.fallback);
  if (!option.fallback_note.empty()) return std::string(option.fallback_note);
  return "-";
}

class Reference {
 public:
  std::string write() {
    text_ = introduction;
    text_ += "\n## Top of the file\n";
    table(option_tree(), "");
    for (const OptionNode& child : option_tree().children) {
      if (child.option->later || child.option->kind == Kind::list) continue;
      if (child.name == "daemon") part(child, "daemon", "## ");
      if (child.name == "connections") names(child, "connections.NAME");
      if (child.name == "defaults") heading(child, "defaults", "## ");
      if (child.name == "jobs") names(child, "jobs.NAME");
    }
    later();
    return std::move(text_);
  }

 private:
  void heading(const OptionNode& node, const std::string& title, const std::string& level) {
    text_ += "\n" + level + code(title) + "\n\n" + std::string(node.option->doc) + "\n";
  }

  void names(const OptionNode& node, const std::string& title) {
    heading(node, node.name, "## ");
    part(node.children.front(), title, "### ");
  }

  void part(const OptionNode& node, const std::string& title, const std::string& level) {
    heading(node, title, level);
    table(node, "");
    for (const OptionNode& child : node.children)
      if (child.option->kind == Kind::named && !child.option->later)
        part(child.children.front(), title + "." + child.name + ".NAME", "### ");
  }

  /// Sections stand in their parent's table, their keys with the path below it.
  void table(const OptionNode& node, const std::string& prefix) {
    if (prefix.empty()) text_ += "\n| key | value | default | meaning |\n|-|-|-|-|\n";
    for (const OptionNode& child : node.children) {
      const Option& option = *child.option;
      if (option.later) continue;
      const std::string name = prefix + child.name;
      std::string doc(option.doc);
      if (option.reload == Reload::restart) doc += " *Restart.*";
      if (!option.example.empty()) doc += " Example: " + code(option.example);
      text_ += "| " + code(name) + " | " + escaped(type_of(option)) + " | " +
               escaped(default_of(option)) + " | " + escaped(doc) + " |\n";
      const bool top = node.option->path.empty();
      if (option.kind == Kind::section && !top) table(child, name + ".");
    }
  }

  void later() {
    text_ += "\n## Not yet available\n\nRefused by this version: ";
    std::string list;
    for (const Option& option : option_table()) {
      const std::string separator = list.empty() ? "" : ", ";
      if (option.later) list += separator + code(named(option.path));
      for (const std::string_view word : option.later_choices)
        list += (list.empty() ? "" : ", ") + code(named(option.path) + ": " + std::string(word));
    }
    text_ += list + ".\n";
  }

  static std::string named(std::string_view path) {
    std::string text(path);
    for (std::size_t at = 0; (at = text.find('*', at)) != std::string::npos;)
      text.replace(at, 1, "NAME");
    return text;
  }

  static std::string escaped(const std::string& text) {
    std::string cell;
    for (const char letter : text)
      cell += letter == '|' ? "\\|" : std::string(1, letter);
    return cell;
  }

  std::string text_;
};

bool write_file(const std::string& path, const std::string& text) {
  std::ifstream old(path, std::ios::binary);
  const std::string before((std::istreambuf_iterator<char>(old)), {});
  if (old && before == text) return false;
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text << std::flush;
  if (!out)
    throw Error({.kind = FailureKind::resource,
                 .message = "can't write " + path,
                 .hint = "Look whether the directory is there and may be written."});
  return true;
}

}  // namespace

std::string reference_markdown() {
  return Reference().write();
}

int write_generated(const std::string& directory) {
  int changed = 0;
  changed += write_file(directory + "/docs/config.md", reference_markdown()) ? 1 : 0;
  changed += write_file(directory + "/etc/tidemark.yaml", sample_yaml()) ? 1 : 0;
  return changed;
}

}  // namespace tidemark::config
