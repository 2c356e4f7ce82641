#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/ports.h"
#include "core/settings.h"

namespace tidemark {

/// When a job is due: a pure function of time. Any thread.
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// The first due time strictly after `after`; nullopt for jobs that no calendar starts (manual,
  /// after other jobs) and for calendars that never come (31 February).
  virtual std::optional<WallTime> next(WallTime after) const = 0;
};

/// Makes the schedule of a job. `seed` decides its jitter: the same seed gives the same times.
/// Throws Error{schema} for an expression or zone that configuration would have refused.
using ScheduleFactory =
    std::function<std::unique_ptr<const Schedule>(const ScheduleSettings&, std::uint64_t seed)>;

}  // namespace tidemark
