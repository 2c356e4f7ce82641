#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemark::observe {

enum class MetricType { counter, gauge, histogram };

/// One metric as it is exported and documented. The table is the only place where a metric's name,
/// type, help and labels stand: the exporter looks them up here, docs/metrics.md is made from it.
struct MetricDefinition {
  std::string_view name;  ///< whole, with the prefix
  MetricType type = MetricType::gauge;
  std::string_view unit;  ///< for people: "seconds", "bytes", "rows", "1" for facts
  std::vector<std::string_view> labels;
  std::string_view help;
  std::string_view group;  ///< heading in docs/metrics.md
};

/// All metrics, in the order of the documentation. Any thread.
const std::vector<MetricDefinition>& metric_table();

/// The row of one metric. Throws std::logic_error for a name that is not in the table: a bug of
/// ours that every test of the exporter meets at once.
const MetricDefinition& metric(std::string_view name);

/// docs/metrics.md.
std::string metrics_markdown();

}  // namespace tidemark::observe
