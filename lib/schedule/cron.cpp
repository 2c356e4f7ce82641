#include "schedule/cron.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "core/error.h"

namespace tidemark::schedule {
namespace {

using LocalMinutes = date::local_time<std::chrono::minutes>;
using Instant = date::sys_seconds;

/// A day that matches comes within eight years (29 February around 2100); behind that, none does.
constexpr date::years search_span{12};

struct FieldRule {
  std::string_view name;
  unsigned low;
  unsigned high;
  std::string_view hint;
};

constexpr std::array rules{
    FieldRule{"minute", 0, 59, "0-59"},
    FieldRule{"hour", 0, 23, "0-23"},
    FieldRule{"day of month", 1, 31, "1-31"},
    FieldRule{"month", 1, 12, "1-12 or jan-dec"},
    FieldRule{"day of week", 0, 7, "0-7 or sun-sat, where 0 and 7 are Sunday"},
};
constexpr std::size_t month_field = 3;
constexpr std::size_t weekday_field = 4;

constexpr std::array<std::string_view, 12> month_names{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> weekday_names{"sun", "mon", "tue", "wed",
                                                        "thu", "fri", "sat"};

struct Macro {
  std::string_view name;
  std::string_view meaning;
};
constexpr std::array macros{
    Macro{"@yearly", "0 0 1 1 *"}, Macro{"@annually", "0 0 1 1 *"}, Macro{"@monthly", "0 0 1 * *"},
    Macro{"@weekly", "0 0 * * 0"}, Macro{"@daily", "0 0 * * *"},    Macro{"@midnight", "0 0 * * *"},
    Macro{"@hourly", "0 * * * *"},
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  return lower(c) >= 'a' && lower(c) <= 'z';
}

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw Error(
      {.kind = FailureKind::schema, .message = std::move(message), .hint = std::move(hint)});
}

const date::time_zone* find_zone(std::string_view zone) {
  try {
    return date::locate_zone(zone);
  } catch (const std::exception&) {
    refuse(fmt::format("no time zone is called \"{}\"", zone),
           "Write an IANA name, such as Europe/Berlin, Asia/Shanghai or UTC.");
  }
}

/// Reads one field: a comma list of `*`, N, N-M, each with an optional /step.
class FieldReader {
 public:
  FieldReader(std::string_view text, std::size_t position, std::size_t field)
      : text_(text), position_(position), field_(field) {}

  std::uint64_t read() {
    std::uint64_t set = 0;
    do {
      set |= item();
    } while (take(','));
    if (at_ < text_.size()) fail(fmt::format("'{}' is not expected here", text_[at_]));
    return set;
  }

 private:
  const FieldRule& rule() const { return rules[field_]; }

  [[noreturn]] void fail(const std::string& what) const {
    refuse(fmt::format("position {}, field {} ({}): {}", position_ + at_ + 1, field_ + 1,
                       rule().name, what),
           fmt::format("Write *, a number, a range, a list or a step over {}.", rule().hint));
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::uint64_t item() {
    unsigned low = rule().low;
    // "*" of the weekday is Sunday to Saturday, each once: 7 is only another name of 0.
    unsigned high = field_ == weekday_field ? 6 : rule().high;
    bool single = false;
    if (!take('*')) {
      low = high = value();
      single = true;
      if (take('-')) {
        single = false;
        high = value();
        if (high < low) fail(fmt::format("the range {}-{} runs backwards", low, high));
      }
    }
    unsigned step = 1;
    if (take('/')) {
      step = number();
      if (step == 0) fail("a step of 0 never moves");
      if (single) high = field_ == weekday_field ? 6 : rule().high;
    }
    std::uint64_t set = 0;
    for (unsigned value = low; value <= high; value += step)
      set |= std::uint64_t{1} << value;
    return set;
  }

  unsigned value() {
    if (at_ < text_.size() && is_letter(text_[at_])) return name();
    const std::size_t start = at_;
    const unsigned found = number();
    if (found < rule().low || found > rule().high) {
      at_ = start;
      fail(fmt::format("{} is outside {}-{}", found, rule().low, rule().high));
    }
    return found;
  }

  unsigned number() {
    const std::size_t start = at_;
    unsigned found = 0;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      found = found * 10 + static_cast<unsigned>(text_[at_++] - '0');
      if (found > 9999) {
        at_ = start;
        fail("the number is too large");
      }
    }
    if (at_ == start) {
      fail(at_ < text_.size() ? fmt::format("'{}' is not a number", text_[at_])
                              : std::string("a value is missing"));
    }
    return found;
  }

  unsigned name() {
    const std::size_t start = at_;
    std::string word;
    while (at_ < text_.size() && is_letter(text_[at_]))
      word += lower(text_[at_++]);
    if (field_ == month_field) {
      for (std::size_t index = 0; index < month_names.size(); ++index)
        if (month_names[index] == word) return static_cast<unsigned>(index + 1);
    } else if (field_ == weekday_field) {
      for (std::size_t index = 0; index < weekday_names.size(); ++index)
        if (weekday_names[index] == word) return static_cast<unsigned>(index);
    }
    at_ = start;
    fail(fmt::format("\"{}\" is not a name that it knows", word));
  }

  std::string_view text_;
  std::size_t position_;
  std::size_t field_;
  std::size_t at_ = 0;
};

struct Part {
  std::string_view text;
  std::size_t position;
};

std::vector<Part> split(std::string_view expression) {
  std::vector<Part> parts;
  std::size_t at = 0;
  while (at < expression.size()) {
    if (is_blank(expression[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    while (at < expression.size() && !is_blank(expression[at]))
      ++at;
    parts.push_back({expression.substr(start, at - start), start});
  }
  return parts;
}

std::string_view expand_macro(std::string_view expression) {
  const std::vector<Part> parts = split(expression);
  if (parts.empty() || parts.front().text.front() != '@') return expression;
  std::string word(parts.front().text);
  std::transform(word.begin(), word.end(), word.begin(), lower);
  for (const Macro& macro : macros)
    if (macro.name == word && parts.size() == 1) return macro.meaning;
  refuse(fmt::format("position {}: \"{}\" is not a calendar that it knows",
                     parts.front().position + 1, parts.front().text),
         "Write @hourly, @daily, @weekly, @monthly, @yearly or five fields.");
}

}  // namespace

struct CronParser {
  static Cron::Fields parse(std::string_view expression) {
    expression = expand_macro(expression);
    const std::vector<Part> parts = split(expression);
    if (parts.size() != rules.size()) {
      refuse(fmt::format("the expression has {} field{}, not 5", parts.size(),
                         parts.size() == 1 ? "" : "s"),
             "Write: minute hour day-of-month month day-of-week, such as \"30 2 * * *\".");
    }
    std::array<std::uint64_t, rules.size()> sets{};
    for (std::size_t field = 0; field < rules.size(); ++field)
      sets[field] = FieldReader(parts[field].text, parts[field].position, field).read();
    const auto starred = [&](std::size_t field) { return parts[field].text.front() == '*'; };
    // Sunday written as 7 is the same day as 0.
    if ((sets[weekday_field] >> 7) & 1) sets[weekday_field] |= 1;
    return {.minutes = sets[0],
            .hours = static_cast<std::uint32_t>(sets[1]),
            .days = static_cast<std::uint32_t>(sets[2]),
            .months = static_cast<std::uint16_t>(sets[month_field]),
            .weekdays = static_cast<std::uint8_t>(sets[weekday_field] & 0x7f),
            .any_day = starred(2),
            .any_weekday = starred(weekday_field),
            .follows_real_time = starred(0) || starred(1)};
  }
};

Cron::Cron(std::string_view expression, std::string_view zone)
    : fields_(CronParser::parse(expression)), zone_(find_zone(zone)) {}

bool Cron::day_matches(std::int32_t days_since_1970) const {
  const date::local_days day{date::days{days_since_1970}};
  const date::year_month_day civil{day};
  if (!((fields_.months >> static_cast<unsigned>(civil.month())) & 1)) return false;
  const bool by_day = (fields_.days >> static_cast<unsigned>(civil.day())) & 1;
  const bool by_weekday = (fields_.weekdays >> date::weekday{day}.c_encoding()) & 1;
  if (fields_.any_day || fields_.any_weekday) return by_day && by_weekday;
  return by_day || by_weekday;
}

std::optional<std::int64_t> Cron::next_local(std::int64_t from_minute,
                                             std::int64_t end_minute) const {
  constexpr std::int64_t minutes_per_day = 1440;
  const LocalMinutes from{std::chrono::minutes{from_minute}};
  auto day = date::floor<date::days>(from).time_since_epoch().count();
  std::int64_t minute_of_day = from_minute - day * minutes_per_day;
  for (; day * minutes_per_day < end_minute; ++day, minute_of_day = 0) {
    if (!day_matches(static_cast<std::int32_t>(day))) continue;
    for (std::int64_t hour = minute_of_day / 60; hour < 24; ++hour) {
      if (!((fields_.hours >> hour) & 1)) continue;
      const std::int64_t first = hour == minute_of_day / 60 ? minute_of_day % 60 : 0;
      const std::uint64_t left = fields_.minutes >> first;
      if (left == 0) continue;
      const std::int64_t found = day * minutes_per_day + hour * 60 + first + std::countr_zero(left);
      if (found >= end_minute) return std::nullopt;
      return found;
    }
  }
  return std::nullopt;
}

std::optional<WallTime> Cron::next(WallTime after) const {
  using std::chrono::minutes;
  using std::chrono::seconds;
  const Instant floor_after = date::floor<seconds>(after);
  const Instant horizon = floor_after + search_span;
  const auto minute_at_or_after = [](seconds local) { return date::ceil<minutes>(local).count(); };

  // Between two clock changes the offset is constant: the search there is plain calendar work.
  date::sys_info span = zone_->get_info(floor_after);
  bool entered_at_begin = false;
  while (span.begin < horizon) {
    const seconds from_offset = zone_->get_info(span.begin - seconds{1}).offset;
    const seconds local_begin = span.begin.time_since_epoch() + span.offset;
    const seconds local_begin_before = span.begin.time_since_epoch() + from_offset;
    if (entered_at_begin && !fields_.follows_real_time && local_begin_before < local_begin &&
        next_local(minute_at_or_after(local_begin_before), minute_at_or_after(local_begin)))
      return WallTime{span.begin};

    std::int64_t from =
        entered_at_begin
            ? minute_at_or_after(local_begin)
            : date::floor<minutes>(floor_after.time_since_epoch() + span.offset).count() + 1;
    // What the clock shows for the second time has been served the first time.
    if (!fields_.follows_real_time) from = std::max(from, minute_at_or_after(local_begin_before));
    const Instant end = std::min(span.end, horizon);
    if (const auto found =
            next_local(from, minute_at_or_after(end.time_since_epoch() + span.offset)))
      return WallTime{minutes{*found} - span.offset};
    if (span.end >= horizon) break;
    span = zone_->get_info(span.end);
    entered_at_begin = true;
  }
  return std::nullopt;
}

std::optional<std::string> validate(std::string_view expression, std::string_view zone) {
  try {
    const Cron cron(expression, zone);
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<CronTime> cron_preview(std::string_view expression, std::string_view zone,
                                   WallTime from, std::size_t count) {
  const Cron cron(expression, zone);
  const date::time_zone* const found = find_zone(zone);
  std::vector<CronTime> times;
  for (std::optional<WallTime> at = cron.next(from); at && times.size() < count;
       at = cron.next(*at)) {
    const auto local = date::make_zoned(found, date::floor<std::chrono::seconds>(*at));
    times.push_back({.at = *at, .local = date::format("%Y-%m-%d %H:%M:%S %Z", local)});
  }
  return times;
}

}  // namespace tidemark::schedule
