#pragma once

#include <memory>

#include "core/schedule.h"

namespace tidemark::schedule {

/// The ScheduleFactory of the program.
///
/// every: a fixed rate, aligned to multiples of the interval since 1970 UTC, so a restart does not
/// shift it. cron: see schedule/cron.h. Both are moved by a jitter in [0, jitter) that depends on
/// the seed and the tick alone. manual and after: never due by time.
std::unique_ptr<const Schedule> make_schedule(const ScheduleSettings& settings, std::uint64_t seed);

}  // namespace tidemark::schedule
