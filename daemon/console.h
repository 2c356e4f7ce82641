#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark {

enum class ColorChoice { automatic, always, never };
enum class Tone { plain, good, warning, bad, dim, bold };

/// The terminal: data to stdout, talk to stderr. Colour only where a person looks (a terminal, not
/// NO_COLOR, not TERM=dumb) or where `--color always` asks. Main thread of a command.
class Console {
 public:
  Console();

  void choose_color(ColorChoice choice);

  /// A line, or several, of data.
  void print(std::string_view text);
  /// A line of talk.
  void say(std::string_view text);
  void warn(std::string_view text);
  void fail(std::string_view text);

  /// Colours for `print`; plain text where stdout shows none.
  std::string paint(Tone tone, std::string_view text) const;

  /// A person can answer: stdin and stderr are terminals.
  bool interactive() const noexcept { return interactive_; }
  bool progress_redraws() const noexcept { return stderr_terminal_; }
  /// Asks; only "y" and "yes" are yes.
  bool confirm(std::string_view question);

 private:
  friend class ProgressLine;
  void clear_progress();
  void label(Tone tone, std::string_view word, std::string_view text);

  bool stdout_terminal_;
  bool stderr_terminal_;
  bool interactive_;
  bool color_out_;
  bool color_err_;
  bool progress_shown_ = false;
};

/// What a long command is doing, on stderr: one line redrawn on a terminal, else a line per 30 s.
class ProgressLine {
 public:
  explicit ProgressLine(Console& console);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  /// Call as often as there is news; it draws at a rate that can be read.
  void show(std::string_view text);

 private:
  Console& console_;
  std::chrono::steady_clock::time_point next_;
};

/// Columns of text, as wide as their widest cell. Cells may hold colour.
class Table {
 public:
  struct Heading {
    std::string text;
    bool right = false;  ///< numbers
  };
  explicit Table(std::vector<Heading> headings) : headings_(std::move(headings)) {}
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const noexcept { return rows_.empty(); }
  std::string text() const;

 private:
  std::vector<Heading> headings_;
  std::vector<std::vector<std::string>> rows_;
};

/// Characters that a text takes on a terminal, colour codes not counted.
std::size_t display_width(std::string_view text) noexcept;

}  // namespace tidemark
