#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemark {

/// Time zones by IANA name, for values that cross between local time and instants. Any thread;
/// lib/schedule implements it over the system's zone data.
///
/// Times are microseconds since 2000-01-01 (core/temporal.h); the two infinities stay as they are.
class Zones {
 public:
  virtual ~Zones() = default;
  virtual bool known(std::string_view zone) const noexcept = 0;
  /// Local calendar time to an instant. A time that comes twice when clocks go back is the earlier
  /// of the two. A time that a clock change skips throws Error{conversion}: no instant has it.
  /// An unknown zone throws Error{schema}.
  virtual std::int64_t local_to_utc(std::string_view zone, std::int64_t local_micros) const = 0;
  /// Instant to local calendar time; every instant has one. An unknown zone throws Error{schema}.
  virtual std::int64_t utc_to_local(std::string_view zone, std::int64_t utc_micros) const = 0;
};

}  // namespace tidemark
