#pragma once

#include <optional>

#include "observe/job_series.h"
#include "observe/metrics.h"
#include "observe/process.h"
#include "observe/snapshot.h"

namespace tidemark::observe {

double epoch_seconds(WallTime time) noexcept;
double seconds(Duration span) noexcept;

/// The source's clock now minus `as_of`, not below 0.
std::optional<double> lag_seconds(const std::optional<WallTime>& as_of, Duration clock_skew,
                                  WallTime now) noexcept;

void add_job(Snapshot& snapshot, const JobSeries& job, const LiveValues::Job& live, WallTime now);
void add_connection(Snapshot& snapshot, const ConnectionSettings& settings,
                    const LiveValues::Connection& live, std::optional<Duration> clock_skew);
void add_queues(Snapshot& snapshot, const LiveValues& live);
void add_process(Snapshot& snapshot, const ProcessValues& values);

}  // namespace tidemark::observe
