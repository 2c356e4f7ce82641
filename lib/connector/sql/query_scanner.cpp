#include "connector/sql/query_scanner.h"

#include <algorithm>
#include <cctype>

#include "core/error.h"

namespace tidemark::sql {
namespace {

bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

class Scanner {
 public:
  Scanner(std::string_view text, const Lexis& lexis) : text_(text), lexis_(lexis) {}

  ScannedQuery scan() {
    while (at_ < text_.size())
      step();
    if (depth_ != 0) refuse("a parenthesis is never closed", opened_);
    if (!started_) refuse("the query is empty", 0);
    return {std::string(text_.substr(0, end_ == npos ? text_.size() : end_)), std::move(markers_)};
  }

 private:
  static constexpr std::size_t npos = std::string_view::npos;

  [[noreturn]] void refuse(const std::string& what, std::size_t at, std::string hint = {}) const {
    const auto line =
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    throw Error({.kind = FailureKind::schema,
                 .message = "the query can't be used: " + what + " (line " + std::to_string(line) +
                            " of it)",
                 .hint = std::move(hint)});
  }

  char ahead(std::size_t distance) const {
    return at_ + distance < text_.size() ? text_[at_ + distance] : '\0';
  }
  bool looking_at(std::string_view wanted) const {
    return text_.substr(at_, wanted.size()) == wanted;
  }

  void step() {
    const char c = text_[at_];
    if (is_blank(c)) {
      ++at_;
    } else if (starts_line_comment()) {
      skip_to_line_end();
    } else if (looking_at("/*")) {
      skip_block_comment();
    } else {
      if (end_ != npos) refuse("it holds more than one statement", at_);
      code(c);
    }
  }

  void code(char c) {
    if (is_word(c)) {
      word();
      return;
    }
    if (c == '\'') {
      quoted('\'', lexis_.backslash_escapes);
    } else if (c == '"') {
      quoted('"', lexis_.backslash_escapes);
    } else if (c == '`' && lexis_.backquotes) {
      quoted('`', false);
    } else if (c == '[' && lexis_.brackets) {
      bracketed();
    } else if (looking_at("{{")) {
      marker();
    } else if (c == ';') {
      if (depth_ != 0) refuse("a semicolon stands inside parentheses", at_);
      end_ = at_++;
    } else {
      if (c == '(' && depth_++ == 0) opened_ = at_;
      if (c == ')' && depth_-- == 0) refuse("a parenthesis is closed that was never opened", at_);
      ++at_;
    }
    previous_ = std::string(1, c);
  }

  bool starts_line_comment() const {
    if (text_[at_] == '#') return lexis_.hash_comments;
    if (!looking_at("--")) return false;
    return !lexis_.dashes_need_blank || ahead(2) == '\0' || is_blank(ahead(2));
  }

  void skip_to_line_end() {
    const std::size_t start = at_;
    at_ = std::min(text_.find('\n', at_), text_.size());
    no_marker_between(start, "a comment");
  }

  void skip_block_comment() {
    const std::size_t start = at_;
    if (lexis_.comments_run && (ahead(2) == '!' || (ahead(2) == 'M' && ahead(3) == '!')))
      refuse("it holds a comment that the server runs", start,
             "Write what stands in /*! … */ without the comment around it.");
    std::size_t open = 0;
    do {
      if (at_ >= text_.size()) refuse("a comment is never closed", start);
      if (looking_at("/*") && (open == 0 || lexis_.nested_comments)) {
        ++open;
        at_ += 2;
      } else if (looking_at("*/")) {
        --open;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (open != 0);
    no_marker_between(start, "a comment");
  }

  void quoted(char quote, bool backslash) {
    const std::size_t start = at_++;
    for (;; ++at_) {
      if (at_ >= text_.size()) refuse("a quote is never closed", start);
      if (text_[at_] == '\\' && backslash) {
        ++at_;
      } else if (text_[at_] == quote) {
        if (ahead(1) != quote) break;
        ++at_;
      }
    }
    ++at_;
    started_ = true;
    no_marker_between(start, "quotes");
  }

  void bracketed() {
    const std::size_t start = at_;
    at_ = text_.find(']', at_);
    if (at_ == npos) refuse("a bracket is never closed", start);
    ++at_;
    no_marker_between(start, "brackets");
  }

  /// $tag$ … $tag$; false where the dollar begins no such quote.
  bool dollar_quoted() {
    std::size_t close = at_ + 1;
    while (close < text_.size() && text_[close] != '$' && is_word(text_[close]))
      ++close;
    if (close >= text_.size() || text_[close] != '$' || is_digit(ahead(1))) return false;
    const std::string_view tag = text_.substr(at_, close + 1 - at_);
    const std::size_t start = at_;
    const std::size_t found = text_.find(tag, close + 1);
    if (found == npos) refuse("a dollar quote is never closed", start);
    at_ = found + tag.size();
    no_marker_between(start, "quotes");
    return true;
  }

  void marker() {
    if (!looking_at(cursor_marker))
      refuse("it holds a placeholder other than {{cursor}}", at_,
             "Only {{cursor}} is filled in; write it without blanks.");
    markers_.push_back(at_);
    at_ += cursor_marker.size();
  }

  void no_marker_between(std::size_t start, const char* where) const {
    if (text_.substr(start, at_ - start).find(cursor_marker) != npos)
      refuse(std::string("{{cursor}} stands inside ") + where, start,
             "Put {{cursor}} where a condition may stand: WHERE … AND {{cursor}}.");
  }

  void word() {
    if (text_[at_] == '$' && lexis_.dollar_quotes && dollar_quoted()) {
      previous_ = "'";
      return;
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_]))
      ++at_;
    const std::string name = upper(text_.substr(start, at_ - start));
    // E'…' and X'…': the prefix belongs to the quote.
    if (at_ < text_.size() && text_[at_] == '\'' && name == "E" && lexis_.escape_strings) {
      quoted('\'', true);
      previous_ = "'";
      return;
    }
    if (!started_) first_word(name, start);
    if (depth_ == 0 && previous_ != "." && previous_ != "AS") top_level(name, start);
    previous_ = name;
  }

  void first_word(const std::string& name, std::size_t start) {
    started_ = true;
    if (name != "SELECT" && name != "WITH" && name != "VALUES")
      refuse("it does not begin with SELECT", start,
             "A job only reads its source: write one SELECT, or WITH … SELECT.");
  }

  void top_level(const std::string& name, std::size_t start) {
    const bool refused = (name == "ORDER" && next_word() == "BY") || name == "LIMIT" ||
                         (name == "OFFSET" && is_number(next_word())) ||
                         (name == "FETCH" && (next_word() == "FIRST" || next_word() == "NEXT"));
    if (!refused) return;
    refuse("it has " + (name == "ORDER" ? std::string("ORDER BY") : name) + " at its top level",
           start,
           "Order and page limit are added by Tidemark; to keep yours, put the query into a "
           "subquery of its own.");
  }

  static bool is_number(const std::string& word) { return !word.empty() && is_digit(word.front()); }

  std::string next_word() const {
    std::size_t start = at_;
    while (start < text_.size() && is_blank(text_[start]))
      ++start;
    std::size_t end = start;
    while (end < text_.size() && is_word(text_[end]))
      ++end;
    return upper(text_.substr(start, end - start));
  }

  std::string_view text_;
  const Lexis& lexis_;
  std::size_t at_ = 0;
  std::size_t end_ = npos;
  std::size_t depth_ = 0;
  std::size_t opened_ = 0;
  bool started_ = false;
  std::string previous_;
  std::vector<std::size_t> markers_;
};

}  // namespace

std::string ScannedQuery::with_cursor(std::string_view predicate) const {
  std::string result;
  std::size_t from = 0;
  for (const std::size_t marker : markers) {
    result.append(text, from, marker - from);
    result += predicate;
    from = marker + cursor_marker.size();
  }
  result.append(text, from);
  return result;
}

ScannedQuery scan_query(std::string_view query, const Lexis& lexis) {
  return Scanner(query, lexis).scan();
}

}  // namespace tidemark::sql
