#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports.h"

// How quantities read to a person. Pure; any thread.
namespace tidemark {

/// "850ms", "12s", "3m 20s", "2h 5m", "4d 1h".
std::string span_text(Duration duration);
/// "1,234,567".
std::string count_text(std::uint64_t count);
/// Of rows and what they hold in memory: "12,300/s, 1.8 MiB/s"; "-" where no time has passed.
std::string rate_text(std::uint64_t rows, std::uint64_t bytes, Duration took);
/// "1.5 MiB".
std::string bytes_text(std::uint64_t bytes);
/// "2026-11-21T03:19:42Z": for data.
std::string time_text(WallTime time);
/// The inverse of time_text.
std::optional<WallTime> parse_time_text(std::string_view text);
/// Seconds since 1970 with fraction, for JSON and metrics.
double unix_seconds(WallTime time) noexcept;

}  // namespace tidemark
