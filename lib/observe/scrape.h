#pragma once

#include <prometheus/collectable.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "observe/families.h"
#include "observe/job_series.h"
#include "observe/metrics.h"
#include "observe/process.h"

namespace tidemark::observe {

/// Collects values that are true at one moment only. A name must stand in metric_table.h, and each
/// label with it; anything else throws std::logic_error.
class Snapshot final : public prometheus::Collectable {
 public:
  void add(std::string_view name, const Labels& labels, double value);
  void add(std::string_view name, const Labels& labels, std::optional<double> value) {
    if (value) add(name, labels, *value);
  }
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::map<std::string_view, prometheus::MetricFamily> families_;
};

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
