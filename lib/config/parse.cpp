#include "config/parse.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/value.h"

namespace tidemark::config {
namespace {

struct Abandoned {};

std::size_t characters(std::string_view bytes) {
  std::size_t count = 0;
  for (const char byte : bytes)
    if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) ++count;
  return count;
}

/// The text by lines; yaml-cpp counts columns in bytes, people in characters.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    std::size_t start = 0;
    while (start <= text.size()) {
      std::size_t end = text.find('\n', start);
      if (end == std::string_view::npos) end = text.size();
      lines_.push_back(text.substr(start, end - start));
      start = end + 1;
    }
  }
  std::string_view at(int line) const {
    const auto index = static_cast<std::size_t>(line < 0 ? 0 : line);
    return index < lines_.size() ? lines_[index] : std::string_view();
  }
  Place place(const YAML::Mark& mark, std::uint32_t file) const {
    const int line = mark.line < 0 ? 0 : mark.line;
    const auto column = static_cast<std::size_t>(mark.column < 0 ? 0 : mark.column);
    return {.file = file,
            .line = static_cast<std::uint32_t>(line + 1),
            .column = static_cast<std::uint32_t>(characters(at(line).substr(0, column)) + 1)};
  }

 private:
  std::vector<std::string_view> lines_;
};

/// Builds the tree from the parser's events, which, unlike yaml-cpp's own nodes, still show
/// anchors, tags and keys that stand twice.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::string_view text, const Lines& lines, std::uint32_t file, Report& report)
      : text_(text), lines_(lines), file_(file), report_(report) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ == 1) return;
    const bool marked = lines_.at(mark.line).starts_with("---");
    fail(mark, "a second document starts here; a file holds one",
         marked ? "" : "this line is indented less than the first");
    throw Abandoned{};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    put({.kind = Node::Kind::null, .place = place(mark)});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "an alias; anchors and aliases are not allowed", use_defaults);
    // What it stands for is not looked at, so that nothing below it can be said to be missing.
    if (!open_.empty()) open_.back().dropped = true;
    put({.kind = Node::Kind::null, .place = place(mark)});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (tag == "!") refuse_unclosed(mark);
    if (value.find('\0') != std::string::npos) fail(mark, "a text must not hold a NUL");
    put({.kind = Node::Kind::scalar, .place = place(mark), .text = value, .quoted = tag == "!"});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

  std::optional<Node> take() { return std::move(root_); }

  void fail(const YAML::Mark& mark, std::string message, std::string_view hint = {}) {
    report_.error(place(mark), {path(), std::move(message), std::string(hint)});
  }

 private:
  struct Open {
    Node node;
    std::optional<Entry> entry = {};  ///< map: the key that waits for its value
    bool dropped = false;             ///< map: that key stood before, or is no key at all
  };
  static constexpr std::string_view use_defaults = "`defaults` holds what jobs share";

  Place place(const YAML::Mark& mark) const { return lines_.place(mark, file_); }

  std::string path() const {
    std::string text;
    for (const Open& one : open_) {
      if (one.node.kind == Node::Kind::list) {
        text += "[" + std::to_string(one.node.items.size()) + "]";
      } else if (one.entry) {
        if (!text.empty()) text += ".";
        text += one.entry->key;
      }
    }
    return text;
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor)
      fail(mark, "an anchor; anchors and aliases are not allowed", use_defaults);
  }
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, "a tag; tags are not allowed");
  }
  /// yaml-cpp takes the end of the file for a closing quote.
  void refuse_unclosed(const YAML::Mark& mark) {
    auto at = static_cast<std::size_t>(mark.pos);
    if (at >= text_.size()) return;
    const char quote = text_[at];
    if (quote != '"' && quote != '\'') return;
    for (++at; at < text_.size(); ++at) {
      if (quote == '"' && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == quote) {
        if (quote == '"' || at + 1 >= text_.size() || text_[at + 1] != quote) return;
        ++at;
      }
    }
    fail(mark, "a quote that is never closed");
    throw Abandoned{};
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Node::Kind kind) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() >= max_depth) {
      report_.error(place(mark),
                    {"", "nested deeper than " + std::to_string(max_depth) + " levels"});
      throw Abandoned{};
    }
    open_.push_back({.node = {.kind = kind, .place = place(mark)}});
  }
  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }

  void put(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& top = open_.back();
    if (top.node.kind == Node::Kind::list) {
      top.node.items.push_back(std::move(node));
    } else if (top.entry) {
      top.entry->value = std::move(node);
      if (!top.dropped) top.node.entries.push_back(std::move(*top.entry));
      top.entry.reset();
    } else {
      begin_entry(top, node);
    }
  }

  void begin_entry(Open& top, const Node& key) {
    const std::string parent = path();
    const auto complain = [&](std::string message, std::string hint) {
      report_.error(key.place, {parent, std::move(message), std::move(hint)});
      top.dropped = true;
    };
    top.entry = Entry{.key = key.text, .place = key.place, .value = {}};
    top.dropped = false;
    if (key.kind != Node::Kind::scalar) {
      complain("a key must be a plain text",
               key.kind == Node::Kind::null ? "put `null` in quotes if it is meant as a name" : "");
    } else if (key.text == "<<" && !key.quoted) {
      complain("a merge key (<<); merging is not allowed", std::string(use_defaults));
    } else if (const Entry* first = top.node.find(key.text)) {
      complain("\"" + key.text + "\" stands twice",
               "first at line " + std::to_string(first->place.line));
    }
  }

  std::string_view text_;
  const Lines& lines_;
  std::uint32_t file_;
  Report& report_;
  std::vector<Open> open_;
  std::optional<Node> root_;
  int documents_ = 0;
};

struct Wording {
  std::string_view theirs;
  std::string_view ours;
  std::string_view hint;
};
constexpr Wording wordings[] = {
    {"illegal map value", "a \":\" where no key can stand",
     "put a text that holds \": \" in quotes, and mind the indentation"},
    {"end of map not found", "the indentation fits none of the lines above", ""},
    {"end of sequence not found", "the indentation fits none of the lines above", ""},
    {"end of sequence flow not found", "a \"[\" that is never closed", ""},
    {"end of map flow not found", "a \"{\" that is never closed", ""},
    {"unknown token", "a character that no value can start with", "put the text in quotes"},
    {"the referenced anchor is not defined", "an alias; anchors and aliases are not allowed",
     "`defaults` holds what jobs share"},
};

void explain_syntax(const YAML::Exception& error, const Lines& lines, Builder& builder) {
  const std::string_view line = lines.at(error.mark.line);
  const std::size_t first = line.find_first_not_of(" \t");
  if (line.substr(0, first).find('\t') != std::string_view::npos) {
    YAML::Mark mark = error.mark;
    mark.column = static_cast<int>(line.find('\t'));
    builder.fail(mark, "a tab in the indentation", "YAML is indented with blanks");
    return;
  }
  for (const Wording& wording : wordings)
    if (error.msg == wording.theirs)
      return builder.fail(error.mark, std::string(wording.ours), wording.hint);
  builder.fail(error.mark, "not valid YAML: " + error.msg);
}

}  // namespace

std::optional<Node> parse(std::string_view text, std::uint32_t file, Report& report) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const Lines lines(text);
  if (text.size() > max_file_bytes) {
    report.error({.file = file}, {"", "larger than 4 MiB", "spread it over files by `include`"});
    return std::nullopt;
  }
  if (!is_valid_utf8(text)) {
    std::uint32_t number = 1;
    while (is_valid_utf8(lines.at(static_cast<int>(number) - 1)))
      ++number;
    report.error({.file = file, .line = number, .column = 1}, {"", "not UTF-8"});
    return std::nullopt;
  }
  Builder builder(text, lines, file, report);
  std::istringstream in{std::string(text)};
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Abandoned&) {
    return builder.take();  // what came before a second document
  } catch (const YAML::Exception& error) {
    explain_syntax(error, lines, builder);
    return std::nullopt;
  }
  std::optional<Node> root = builder.take();
  if (!root) return Node{.kind = Node::Kind::map, .place = {.file = file, .line = 1, .column = 1}};
  return root;
}

}  // namespace tidemark::config
