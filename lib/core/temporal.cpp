#include "core/temporal.h"

#include <array>
#include <cstdio>
#include <optional>

namespace tidemark {
namespace {

[[noreturn]] void refuse(std::string_view what) {
  throw Error({.kind = FailureKind::conversion,
               .message = "the value is not a " + std::string(what) + " that exists"});
}

/// Reads text from the left; every step says whether it found what it wanted.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  bool take(char wanted) {
    if (peek() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view wanted) {
    if (rest_.substr(0, wanted.size()) != wanted) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }
  /// Digits, at least `least` and at most `most` of them.
  std::optional<std::int64_t> digits(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    std::int64_t value = 0;
    while (count < rest_.size() && count < most && rest_[count] >= '0' && rest_[count] <= '9')
      value = value * 10 + (rest_[count++] - '0');
    if (count < least) return std::nullopt;
    rest_.remove_prefix(count);
    return value;
  }
  /// The fraction behind a point, as microseconds; digits past the sixth must be zero.
  std::optional<std::int64_t> fraction() {
    if (!take('.')) return 0;
    std::int64_t micros = 0;
    std::size_t count = 0;
    for (; peek() >= '0' && peek() <= '9'; ++count) {
      if (count < 6)
        micros = micros * 10 + (peek() - '0');
      else if (peek() != '0')
        return std::nullopt;
      rest_.remove_prefix(1);
    }
    if (count == 0) return std::nullopt;
    for (; count < 6; ++count)
      micros *= 10;
    return micros;
  }

 private:
  std::string_view rest_;
};

std::optional<CivilDate> scan_date(Scanner& scanner) {
  const auto year = scanner.digits(4, 7);
  if (!year || !scanner.take('-')) return std::nullopt;
  const auto month = scanner.digits(1, 2);
  if (!month || !scanner.take('-')) return std::nullopt;
  const auto day = scanner.digits(1, 2);
  if (!day) return std::nullopt;
  return CivilDate{static_cast<std::int32_t>(*year), static_cast<std::uint8_t>(*month),
                   static_cast<std::uint8_t>(*day)};
}

std::optional<std::int64_t> scan_clock(Scanner& scanner, std::size_t hour_digits) {
  const auto hours = scanner.digits(1, hour_digits);
  if (!hours || !scanner.take(':')) return std::nullopt;
  const auto minutes = scanner.digits(2, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  std::int64_t seconds = 0;
  if (scanner.take(':')) {
    const auto found = scanner.digits(2, 2);
    if (!found || *found > 59) return std::nullopt;
    seconds = *found;
  }
  const auto micros = scanner.fraction();
  if (!micros) return std::nullopt;
  return ((*hours * 60 + *minutes) * 60 + seconds) * micros_per_second + *micros;
}

/// "+08", "+08:00", "+0530", "-03:30:15", "Z" as seconds east of UTC.
std::optional<std::int64_t> scan_offset(Scanner& scanner) {
  if (scanner.take('Z')) return 0;
  std::int64_t sign = 1;
  if (scanner.take('-'))
    sign = -1;
  else if (!scanner.take('+'))
    return std::nullopt;
  const auto hours = scanner.digits(2, 2);
  if (!hours) return std::nullopt;
  std::int64_t seconds = *hours * 3600;
  for (const std::int64_t unit : {60, 1}) {
    const bool colon = scanner.take(':');
    const auto part = scanner.digits(2, 2);
    if (colon && !part) return std::nullopt;
    if (part) seconds += *part * unit;
  }
  return sign * seconds;
}

/// Turns "0044 BC" into the astronomical year -43.
bool scan_era(Scanner& scanner, CivilDate& date) {
  if (!scanner.take(" BC")) return true;
  if (date.year < 1) return false;
  date.year = 1 - date.year;
  return true;
}

std::optional<std::int64_t> infinity_of(std::string_view text) {
  if (text == "infinity") return timestamp_infinity;
  if (text == "-infinity") return timestamp_minus_infinity;
  return std::nullopt;
}

std::int64_t parse_moment(std::string_view text, bool zoned) {
  const char* what = zoned ? "timestamp with time zone" : "timestamp";
  if (const auto infinite = infinity_of(text)) return *infinite;
  Scanner scanner(text);
  auto date = scan_date(scanner);
  if (!date) refuse(what);
  std::int64_t clock = 0;
  if (scanner.take('T') ||
      (scanner.peek() == ' ' && !Scanner(scanner).take(" BC") && scanner.take(' '))) {
    const auto found = scan_clock(scanner, 2);
    if (!found || *found > micros_per_day) refuse(what);
    clock = *found;
  }
  std::int64_t offset = 0;
  if (zoned && !scanner.done() && scanner.peek() != ' ') {
    const auto found = scan_offset(scanner);
    if (!found) refuse(what);
    offset = *found;
  }
  if (!scan_era(scanner, *date) || !scanner.done() || !is_valid(*date)) refuse(what);
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(static_cast<std::int64_t>(days_from_civil(*date)), micros_per_day,
                             &micros) ||
      __builtin_add_overflow(micros, clock - offset * micros_per_second, &micros))
    refuse(what);
  return micros;
}

std::string format_clock(std::int64_t micros) {
  const std::int64_t seconds = micros / micros_per_second;
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%02lld:%02lld:%02lld",
                static_cast<long long>(seconds / 3600), static_cast<long long>(seconds / 60 % 60),
                static_cast<long long>(seconds % 60));
  std::string text = buffer.data();
  if (const std::int64_t fraction = micros % micros_per_second; fraction != 0) {
    std::snprintf(buffer.data(), buffer.size(), ".%06lld", static_cast<long long>(fraction));
    text += buffer.data();
    while (text.back() == '0')
      text.pop_back();
  }
  return text;
}

std::string format_year_month_day(CivilDate date, bool& before_christ) {
  before_christ = date.year < 1;
  const int year = before_christ ? 1 - date.year : date.year;
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02u", year,
                static_cast<unsigned>(date.month), static_cast<unsigned>(date.day));
  return buffer.data();
}

std::string format_moment(std::int64_t micros, std::string_view zone) {
  if (micros == timestamp_infinity) return "infinity";
  if (micros == timestamp_minus_infinity) return "-infinity";
  std::int64_t days = micros / micros_per_day;
  std::int64_t clock = micros % micros_per_day;
  if (clock < 0) {
    clock += micros_per_day;
    --days;
  }
  bool before_christ = false;
  std::string text =
      format_year_month_day(civil_from_days(static_cast<std::int32_t>(days)), before_christ);
  text += ' ';
  text += format_clock(clock);
  text += zone;
  if (before_christ) text += " BC";
  return text;
}

constexpr std::int32_t days_1970_to_2000 = 10'957;

}  // namespace

std::int32_t days_from_civil(CivilDate date) noexcept {
  const std::int64_t year = static_cast<std::int64_t>(date.year) - (date.month <= 2);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = date.month;
  const std::int64_t day_of_year =
      (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + date.day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<std::int32_t>(era * 146'097 + day_of_era - 719'468 - days_1970_to_2000);
}

CivilDate civil_from_days(std::int32_t days) noexcept {
  const std::int64_t shifted = static_cast<std::int64_t>(days) + days_1970_to_2000 + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_index = (5 * day_of_year + 2) / 153;
  const auto day = static_cast<std::uint8_t>(day_of_year - (153 * month_index + 2) / 5 + 1);
  const auto month =
      static_cast<std::uint8_t>(month_index < 10 ? month_index + 3 : month_index - 9);
  return {static_cast<std::int32_t>(year_of_era + era * 400 + (month <= 2)), month, day};
}

bool is_valid(CivilDate date) noexcept {
  constexpr std::array<std::uint8_t, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (date.month < 1 || date.month > 12 || date.day < 1) return false;
  // PostgreSQL's range is the widest; the int32 of days holds it with room to spare.
  if (date.year < -4713 || date.year > 5'874'897) return false;
  const bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
  return date.day <= lengths[date.month - 1U] + (leap && date.month == 2 ? 1 : 0);
}

std::string format_date(std::int32_t days) {
  if (days == date_infinity) return "infinity";
  if (days == date_minus_infinity) return "-infinity";
  bool before_christ = false;
  const std::string text = format_year_month_day(civil_from_days(days), before_christ);
  return before_christ ? text + " BC" : text;
}

std::string format_time(std::int64_t micros) {
  return micros < 0 ? "-" + format_clock(-micros) : format_clock(micros);
}
std::string format_timestamp(std::int64_t micros) {
  return format_moment(micros, "");
}
std::string format_instant(std::int64_t micros) {
  return format_moment(micros, "+00");
}

std::int32_t parse_date(std::string_view text) {
  if (text == "infinity") return date_infinity;
  if (text == "-infinity") return date_minus_infinity;
  Scanner scanner(text);
  auto date = scan_date(scanner);
  if (!date || !scan_era(scanner, *date) || !scanner.done() || !is_valid(*date)) refuse("date");
  return days_from_civil(*date);
}

std::int64_t parse_time(std::string_view text) {
  Scanner scanner(text);
  const bool negative = scanner.take('-');
  const auto clock = scan_clock(scanner, 4);
  if (!clock || !scanner.done()) refuse("time");
  return negative ? -*clock : *clock;
}

std::int64_t parse_timestamp(std::string_view text) {
  return parse_moment(text, false);
}
std::int64_t parse_instant(std::string_view text) {
  return parse_moment(text, true);
}

std::int64_t floor_to_precision(std::int64_t micros, unsigned digits) noexcept {
  if (digits >= 6 || micros == timestamp_infinity || micros == timestamp_minus_infinity)
    return micros;
  std::int64_t unit = 1;
  for (unsigned digit = digits; digit < 6; ++digit)
    unit *= 10;
  const std::int64_t rest = ((micros % unit) + unit) % unit;
  return micros - rest;
}

}  // namespace tidemark
