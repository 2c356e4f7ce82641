#include <fmt/format.h>

#include "observe/metric_table.h"

namespace tidemark::observe {
namespace {

std::string_view word(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return "counter";
    case MetricType::gauge:
      return "gauge";
    case MetricType::histogram:
      return "histogram";
  }
  return "gauge";
}

std::string joined(const std::vector<std::string_view>& labels) {
  std::string all;
  for (const std::string_view label : labels)
    all += fmt::format("{}`{}`", all.empty() ? "" : ", ", label);
  return all.empty() ? "-" : all;
}

}  // namespace

std::string metrics_markdown() {
  std::string page =
      "# Metrics\n\n"
      "<!-- Made by `scripts/dev docs` from lib/observe/metric_table.cpp. Do not edit. -->\n\n"
      "`GET /metrics` answers in Prometheus' text format. A job's name is in the label `name`; "
      "label\n"
      "values come from the configuration or a closed set, never from data. Series of a closed "
      "set\n"
      "exist at 0 from the start, so that `increase()` sees the first event. Alert rules are in\n"
      "`etc/prometheus`, a dashboard in `etc/grafana`, what to do about an alert in\n"
      "[runbooks.md](runbooks.md).\n";
  std::string_view group;
  for (const MetricDefinition& row : metric_table()) {
    if (row.group != group) {
      group = row.group;
      page += fmt::format("\n## {}\n\n| metric | type | unit | labels | meaning |\n|-|-|-|-|-|\n",
                          group);
    }
    page += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, word(row.type), row.unit,
                        joined(row.labels), row.help);
  }
  return page;
}

}  // namespace tidemark::observe
