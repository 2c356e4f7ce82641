#include "schedule/zones.h"

#include <date/tz.h>

#include "core/error.h"
#include "core/temporal.h"

namespace tidemark::schedule {
namespace {

using std::chrono::seconds;

/// The zone and the stretch of constant offset that this thread asked for last: rows of a batch
/// nearly always share them, and the search through all clock changes is left out.
struct Recent {
  std::string name;
  const date::time_zone* zone = nullptr;
  date::sys_info span{};
};

const date::time_zone* locate(std::string_view zone) {
  try {
    return date::locate_zone(zone);
  } catch (const std::exception&) {
    throw Error({.kind = FailureKind::schema,
                 .message = "no time zone is called \"" + std::string(zone) + "\"",
                 .hint = "Write an IANA name, such as Europe/Berlin, Asia/Shanghai or UTC."});
  }
}

Recent& recent_for(std::string_view zone) {
  thread_local Recent recent;
  if (recent.zone == nullptr || recent.name != zone) {
    recent.zone = locate(zone);
    recent.name = zone;
    recent.span = {};
  }
  return recent;
}

struct Split {
  std::int64_t seconds_since_1970;
  std::int64_t micros;
};

Split split(std::int64_t micros) {
  std::int64_t whole = micros / micros_per_second;
  std::int64_t rest = micros % micros_per_second;
  if (rest < 0) {
    rest += micros_per_second;
    --whole;
  }
  return {whole + unix_to_2000_seconds, rest};
}

/// Adds an offset and refuses what leaves the range, so that no finite value turns into an
/// infinity.
std::int64_t shifted(std::int64_t micros, seconds offset) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(micros, offset.count() * micros_per_second, &result) ||
      result == timestamp_infinity || result == timestamp_minus_infinity)
    throw Error({.kind = FailureKind::conversion,
                 .message = "the time leaves the range when it changes its zone"});
  return result;
}

bool is_infinite(std::int64_t micros) {
  return micros == timestamp_infinity || micros == timestamp_minus_infinity;
}

}  // namespace

bool SystemZones::known(std::string_view zone) const noexcept {
  try {
    locate(zone);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::int64_t SystemZones::utc_to_local(std::string_view zone, std::int64_t utc_micros) const {
  if (is_infinite(utc_micros)) return utc_micros;
  Recent& recent = recent_for(zone);
  const date::sys_seconds at{seconds{split(utc_micros).seconds_since_1970}};
  if (at < recent.span.begin || at >= recent.span.end) recent.span = recent.zone->get_info(at);
  return shifted(utc_micros, recent.span.offset);
}

std::int64_t SystemZones::local_to_utc(std::string_view zone, std::int64_t local_micros) const {
  if (is_infinite(local_micros)) return local_micros;
  Recent& recent = recent_for(zone);
  const date::local_seconds at{seconds{split(local_micros).seconds_since_1970}};
  // A day away from both clock changes no local time is skipped or repeated.
  const date::sys_seconds there{at.time_since_epoch() - recent.span.offset};
  if (there >= recent.span.begin + date::days{1} && there < recent.span.end - date::days{1})
    return shifted(local_micros, -recent.span.offset);

  const date::local_info info = recent.zone->get_info(at);
  if (info.result == date::local_info::nonexistent)
    throw Error(
        {.kind = FailureKind::conversion,
         .message = "a local time does not exist in " + recent.name +
                    ": the clock was put forward over it",
         .hint = "Set the column's source_timezone to the zone the times were written in."});
  recent.span = info.first;
  return shifted(local_micros, -info.first.offset);
}

}  // namespace tidemark::schedule
