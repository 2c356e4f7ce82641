#include "connector/sqlite/number_time.h"

#include <cmath>

#include "core/temporal.h"

namespace tidemark::sqlite {
namespace {

// The bounds of SQLite's date functions.
constexpr std::int64_t first_unix_second = -210'866'760'000;
constexpr std::int64_t last_unix_second = 253'402'300'799;
constexpr double end_of_julian_days = 5'373'484.5;
constexpr double julian_day_of_2000 = 2'451'544.5;
constexpr double millis_per_day = 86'400'000;

}  // namespace

std::optional<std::int64_t> micros_of_unix(std::int64_t seconds) noexcept {
  if (seconds < first_unix_second || seconds > last_unix_second) return std::nullopt;
  return (seconds - unix_to_2000_seconds) * micros_per_second;
}

std::optional<std::int64_t> micros_of_julian(double day) noexcept {
  if (!(day >= 0 && day < end_of_julian_days)) return std::nullopt;
  return std::llround((day - julian_day_of_2000) * millis_per_day) * 1000;
}

}  // namespace tidemark::sqlite
