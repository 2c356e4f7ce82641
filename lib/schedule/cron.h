#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports.h"

namespace date {
class time_zone;
}

namespace tidemark::schedule {

/// A cron expression in a zone: "minute hour day-of-month month day-of-week", or @hourly, @daily,
/// @midnight, @weekly, @monthly, @yearly, @annually. Fields take `*`, numbers, names (jan, mon),
/// ranges, steps and lists; Sunday is 0 or 7. Where both day fields are restricted, either
/// suffices (Vixie's rule: a field that begins with `*` is no restriction). Any thread.
///
/// Clock changes: with a `*` minute or hour field the times follow real time, so every matching
/// wall-clock minute runs, twice where the hour comes twice and never where it is skipped. With
/// fixed minutes and hours a time that is skipped runs once at the first valid instant after the
/// gap, and one that comes twice runs the first time only.
class Cron {
 public:
  /// Throws Error{schema} with the text that `validate` gives.
  Cron(std::string_view expression, std::string_view zone);
  /// First time strictly after `after`; nullopt if no day ever matches.
  std::optional<WallTime> next(WallTime after) const;

 private:
  struct Fields {
    std::uint64_t minutes = 0;
    std::uint32_t hours = 0;
    std::uint32_t days = 0;
    std::uint16_t months = 0;
    std::uint8_t weekdays = 0;
    bool any_day = false;
    bool any_weekday = false;
    bool follows_real_time = false;
  };
  friend struct CronParser;
  bool day_matches(std::int32_t days_since_1970) const;
  /// First matching minute of the local calendar in [from, end), counted since 1970.
  std::optional<std::int64_t> next_local(std::int64_t from_minute, std::int64_t end_minute) const;
  Fields fields_;
  const date::time_zone* zone_ = nullptr;
};

/// nullopt, or what is wrong: the field, the position (from 1) and how to write it.
std::optional<std::string> validate(std::string_view expression, std::string_view zone);

/// One line of `tidemark cron`.
struct CronTime {
  WallTime at;
  std::string local;  ///< "2026-03-29 03:00:00 CEST"
};
/// The next `count` times after `from`; fewer if the calendar ends. Throws as Cron does.
std::vector<CronTime> cron_preview(std::string_view expression, std::string_view zone,
                                   WallTime from, std::size_t count);

}  // namespace tidemark::schedule
