#include "daemon/text.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/temporal.h"

namespace tidemark {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

template <class Large, class Small>
std::string two_parts(Duration duration, std::string_view large, std::string_view small) {
  const auto whole = std::chrono::floor<Large>(duration);
  const auto rest = std::chrono::floor<Small>(duration - whole);
  if (rest.count() == 0) return fmt::format("{}{}", whole.count(), large);
  return fmt::format("{}{} {}{}", whole.count(), large, rest.count(), small);
}

constexpr std::int64_t epoch_difference = unix_to_2000_seconds * micros_per_second;

}  // namespace

std::string span_text(Duration duration) {
  if (duration < Duration::zero()) return "-" + span_text(-duration);
  if (duration < seconds(1))
    return fmt::format("{}ms", std::chrono::floor<milliseconds>(duration).count());
  if (duration < seconds(10))
    return fmt::format("{:.1f}s", std::chrono::duration<double>(duration).count());
  if (duration < minutes(1))
    return fmt::format("{}s", std::chrono::floor<seconds>(duration).count());
  if (duration < hours(1)) return two_parts<minutes, seconds>(duration, "m", "s");
  if (duration < days(1)) return two_parts<hours, minutes>(duration, "h", "m");
  return two_parts<days, hours>(duration, "d", "h");
}

std::string count_text(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3)
    digits.insert(at - 3, ",");
  return digits;
}

std::string rate_text(std::uint64_t rows, std::uint64_t bytes, Duration took) {
  if (took <= Duration::zero()) return "-";
  const auto each_second = [&](std::uint64_t amount) {
    return static_cast<std::uint64_t>(static_cast<double>(amount) /
                                      std::chrono::duration<double>(took).count());
  };
  return fmt::format("{}/s, {}/s", count_text(each_second(rows)), bytes_text(each_second(bytes)));
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double amount = static_cast<double>(bytes);
  std::string_view unit;
  for (const std::string_view next : {"KiB", "MiB", "GiB", "TiB"}) {
    if (amount < 1024) break;
    amount /= 1024;
    unit = next;
  }
  return fmt::format("{:.1f} {}", amount, unit);
}

std::string time_text(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  std::string text = format_timestamp(
      std::chrono::duration_cast<Duration>(whole.time_since_epoch()).count() - epoch_difference);
  text.replace(text.find(' '), 1, "T");
  return text + "Z";
}

std::optional<WallTime> parse_time_text(std::string_view text) {
  try {
    return WallTime(Duration(parse_instant(text) + epoch_difference));
  } catch (const Error&) {
    return std::nullopt;
  }
}

double unix_seconds(WallTime time) noexcept {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace tidemark
