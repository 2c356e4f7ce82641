#include "config/yaml_text.h"

#include <algorithm>
#include <cstddef>

#include "core/one_line.h"

namespace tidemark::config {
namespace {

/// Numbers, dates and times in the eyes of some YAML reader; an address with its dots is none.
bool looks_like_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0o")) return true;
  return text.find_first_not_of("0123456789.+-_:eE") == std::string_view::npos &&
         text.find_first_of("0123456789") != std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') < 2;
}

bool is_plain(std::string_view text) {
  static constexpr std::string_view words[] = {"null",  "Null",  "NULL", "~",   "true", "True",
                                               "TRUE",  "yes",   "no",   "on",  "off",  "false",
                                               "False", "FALSE", "<<",   "---", "..."};
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (std::find(std::begin(words), std::end(words), text) != std::end(words)) return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`").find(text.front()) != std::string_view::npos)
    return false;
  if (looks_like_number(text)) return false;
  const auto awkward = [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F ||
           std::string_view(",[]{}\"\\").find(letter) != std::string_view::npos;
  };
  return std::none_of(text.begin(), text.end(), awkward) &&
         text.find(": ") == std::string_view::npos && text.find(" #") == std::string_view::npos;
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return one_line(quoted) + "\"";
}

std::string yaml_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts)
    list += (list.size() > 1 ? ", " : "") + yaml_scalar(text);
  return list + "]";
}

std::string wrapped(std::string_view text, std::string_view prefix, std::size_t width) {
  std::string lines;
  std::string line(prefix);
  bool begun = false;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    if (begun && line.size() + 1 + word.size() > width) {
      lines += line + "\n";
      line = prefix;
      begun = false;
    }
    if (begun) line += ' ';
    line += word;
    begun = true;
  }
  return lines + line + "\n";
}

}  // namespace tidemark::config
