#pragma once

#include <prometheus/labels.h>
#include <prometheus/metric_family.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observe/metric_table.h"
#include "observe/series.h"

namespace tidemark::observe {

using prometheus::Labels;

/// Series as they are at one moment. A name must stand in metric_table.h, with that type, and each
/// label with it; anything else throws std::logic_error. One thread.
class Snapshot {
 public:
  void add(std::string_view name, const Labels& labels, double value);
  void add(std::string_view name, const Labels& labels, std::optional<double> value) {
    if (value) add(name, labels, *value);
  }
  void add(std::string_view name, const Labels& labels, const Counter& counter) {
    add(name, labels, counter.Value());
  }
  void add(std::string_view name, const Labels& labels, const Histogram& histogram);
  /// A series for each enumerator, whose name goes into `label`.
  template <class Enum>
  void add(std::string_view name, Labels labels, const std::string& label,
           const Counters<Enum>& counters) {
    for (std::size_t index = 0; index < enum_size<Enum>; ++index) {
      const auto value = static_cast<Enum>(index);
      labels[label] = to_string(value);
      add(name, labels, counters[value]);
    }
  }
  /// By their rows in the table, and so in its order.
  using Families = std::map<const MetricDefinition*, prometheus::MetricFamily>;
  /// The families that have a series, series sorted by their labels. Leaves nothing behind.
  Families take();

 private:
  prometheus::ClientMetric& series(const MetricDefinition& row, const Labels& labels);
  Families families_;
};

/// The text of a scrape, made from snapshots one after the other, so that only one of them is in
/// memory at a time: as objects series take a multiple of their text. One thread.
class ScrapeText {
 public:
  ScrapeText();
  void add(Snapshot& snapshot);
  /// Families in the table's order, series in the order they came: two scrapes can be compared.
  std::string text() &&;

 private:
  std::vector<std::string> families_;  ///< by their place in metric_table()
};

}  // namespace tidemark::observe
