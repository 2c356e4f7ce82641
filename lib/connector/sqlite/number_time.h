#pragma once

#include <cstdint>
#include <optional>

namespace tidemark::sqlite {

// SQLite's own reading of numbers as times, both in UTC: a whole number counts seconds from 1970, a
// floating-point one counts days from noon in 4714 BC (a Julian day), kept to the millisecond. Only
// where the user says that a column's numbers are times.

/// Microseconds since 2000-01-01 (core/temporal.h). nullopt: outside of the years -4713 to 9999.
std::optional<std::int64_t> micros_of_unix(std::int64_t seconds) noexcept;
std::optional<std::int64_t> micros_of_julian(double day) noexcept;

}  // namespace tidemark::sqlite
