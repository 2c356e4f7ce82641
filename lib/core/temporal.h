#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tidemark {

// Temporal values in a Batch are plain integers:
//   date       int32 days since 2000-01-01
//   time       int64 microseconds since midnight; MariaDB's TIME may be negative or beyond 24 h
//   timestamp  int64 microseconds since 2000-01-01 00:00:00 of the local calendar
//   instant    int64 microseconds since 2000-01-01 00:00:00 UTC
// The epoch is 2000 and not 1970 because PostgreSQL's range (4713 BC to 294276 AD) does not fit an
// int64 of microseconds counted from 1970. The two infinities are the type's lowest and highest.

inline constexpr std::int32_t date_infinity = INT32_MAX;
inline constexpr std::int32_t date_minus_infinity = INT32_MIN;
inline constexpr std::int64_t timestamp_infinity = INT64_MAX;
inline constexpr std::int64_t timestamp_minus_infinity = INT64_MIN;
inline constexpr std::int64_t micros_per_second = 1'000'000;
inline constexpr std::int64_t micros_per_day = 86'400 * micros_per_second;
/// Seconds from 1970-01-01 to 2000-01-01.
inline constexpr std::int64_t unix_to_2000_seconds = 946'684'800;

/// Proleptic Gregorian calendar; the year is astronomical (0 = 1 BC).
struct CivilDate {
  std::int32_t year;
  std::uint8_t month;
  std::uint8_t day;
};

/// Days since 2000-01-01. Algorithm: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
std::int32_t days_from_civil(CivilDate date) noexcept;
CivilDate civil_from_days(std::int32_t days) noexcept;
bool is_valid(CivilDate date) noexcept;

/// "2024-02-29", "0044-03-15 BC", "infinity", "-infinity".
std::string format_date(std::int32_t days);
/// "23:59:59.000001", "-838:59:59"; trailing zeros of the fraction are cut, down to `digits`.
std::string format_time(std::int64_t micros);
/// "2024-02-29 12:00:00.5"; no fraction when it is zero.
std::string format_timestamp(std::int64_t micros);
/// As format_timestamp, with "+00" at the end.
std::string format_instant(std::int64_t micros);

/// The parsers take what the three databases print: 'T' or a blank, up to 6 digits of fraction
/// (more only if they are zero), for instants an offset (+08, +08:00, +0530, Z). A value that is no
/// such date, the zero date included, throws Error{conversion}, whose text does not hold the value.
std::int32_t parse_date(std::string_view text);
std::int64_t parse_time(std::string_view text);
std::int64_t parse_timestamp(std::string_view text);
std::int64_t parse_instant(std::string_view text);

/// Cuts towards the past to `digits` fractional digits (0-6). Infinities stay.
std::int64_t floor_to_precision(std::int64_t micros, unsigned digits) noexcept;

}  // namespace tidemark
