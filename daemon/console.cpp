#include "daemon/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace tidemark {
namespace {

constexpr auto redraw_period = std::chrono::milliseconds(200);
constexpr auto line_period = std::chrono::seconds(30);

bool colors_wanted() {
  const char* refused = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return (refused == nullptr || *refused == '\0') && !dumb;
}

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::good:
      return "\x1b[32m";
    case Tone::warning:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
    case Tone::dim:
      return "\x1b[2m";
    case Tone::bold:
      return "\x1b[1m";
  }
  return "";
}

std::string colored(bool on, Tone tone, std::string_view text) {
  if (!on || tone == Tone::plain) return std::string(text);
  return fmt::format("{}{}\x1b[0m", code_of(tone), text);
}

}  // namespace

Console::Console()
    : stdout_terminal_(isatty(STDOUT_FILENO) == 1),
      stderr_terminal_(isatty(STDERR_FILENO) == 1),
      interactive_(isatty(STDIN_FILENO) == 1 && stderr_terminal_),
      color_out_(stdout_terminal_ && colors_wanted()),
      color_err_(stderr_terminal_ && colors_wanted()) {}

void Console::choose_color(ColorChoice choice) {
  if (choice == ColorChoice::automatic) return;
  color_out_ = color_err_ = choice == ColorChoice::always;
}

void Console::print(std::string_view text) {
  clear_progress();
  std::cout << text;
  if (text.empty() || text.back() != '\n') std::cout << '\n';
  std::cout.flush();
}

void Console::say(std::string_view text) {
  clear_progress();
  std::cerr << text << '\n';
}

void Console::warn(std::string_view text) {
  label(Tone::warning, "warning", text);
}
void Console::fail(std::string_view text) {
  label(Tone::bad, "error", text);
}

void Console::label(Tone tone, std::string_view word, std::string_view text) {
  say(fmt::format("{} {}", colored(color_err_, tone, fmt::format("{}:", word)), text));
}

std::string Console::paint(Tone tone, std::string_view text) const {
  return colored(color_out_, tone, text);
}

bool Console::confirm(std::string_view question) {
  clear_progress();
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) return false;
  return answer == "y" || answer == "yes" || answer == "Y";
}

void Console::clear_progress() {
  if (!progress_shown_) return;
  std::cerr << "\r\x1b[K" << std::flush;
  progress_shown_ = false;
}

ProgressLine::ProgressLine(Console& console) : console_(console) {
  const auto now = std::chrono::steady_clock::now();
  next_ = console_.stderr_terminal_ ? now : now + line_period;
}

ProgressLine::~ProgressLine() {
  console_.clear_progress();
}

void ProgressLine::show(std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  if (!console_.stderr_terminal_) {
    next_ = now + line_period;
    console_.say(text);
    return;
  }
  next_ = now + redraw_period;
  std::cerr << "\r\x1b[K" << text << std::flush;
  console_.progress_shown_ = true;
}

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b') {
      while (at < text.size() && text[at] != 'm')
        ++at;
      continue;
    }
    // Continuation bytes of UTF-8 take no room.
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) ++width;
  }
  return width;
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const Heading& heading : headings_)
    widths.push_back(display_width(heading.text));
  for (const auto& row : rows_)
    for (std::size_t at = 0; at < row.size() && at < widths.size(); ++at)
      widths[at] = std::max(widths[at], display_width(row[at]));
  std::string result;
  const auto line = [&](const auto& cell_at) {
    std::string text;
    for (std::size_t at = 0; at < headings_.size(); ++at) {
      const std::string cell = cell_at(at);
      const std::string pad(widths[at] - std::min(widths[at], display_width(cell)), ' ');
      text += headings_[at].right ? pad + cell : cell + pad;
      text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    result += text + "\n";
  };
  line([&](std::size_t at) { return headings_[at].text; });
  for (const auto& row : rows_)
    line([&](std::size_t at) { return at < row.size() ? row[at] : std::string(); });
  return result;
}

}  // namespace tidemark
