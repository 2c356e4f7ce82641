#include "observe/snapshot.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "observe/metric_table.h"

namespace tidemark::observe {
namespace {

prometheus::MetricType type_of(MetricType type) {
  switch (type) {
    case MetricType::counter:
      return prometheus::MetricType::Counter;
    case MetricType::gauge:
      return prometheus::MetricType::Gauge;
    case MetricType::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

/// Without the lines in front that say what the family is.
std::string_view samples_of(std::string_view family) {
  while (family.starts_with('#'))
    family.remove_prefix(family.find('\n') + 1);
  return family;
}

}  // namespace

prometheus::ClientMetric& Snapshot::series(std::string_view name, bool histogram,
                                           const Labels& labels) {
  const MetricDefinition& row = metric(name);
  if (histogram != (row.type == MetricType::histogram))
    throw std::logic_error(std::string(name) + " has another type");
  const auto listed = [&](std::string_view label) {
    return std::any_of(row.labels.begin(), row.labels.end(), [&](std::string_view allowed) {
      return allowed == label || (allowed == "label_*" && label.starts_with("label_"));
    });
  };
  prometheus::MetricFamily& family = families_[row.name];
  family.name = row.name;
  family.help = row.help;
  family.type = type_of(row.type);
  prometheus::ClientMetric& series = family.metric.emplace_back();
  for (const auto& [label, text] : labels) {
    if (!listed(label)) throw std::logic_error(std::string(name) + " has no label " + label);
    series.label.push_back({label, text});
  }
  return series;
}

void Snapshot::add(std::string_view name, const Labels& labels, double value) {
  prometheus::ClientMetric& one = series(name, false, labels);
  (metric(name).type == MetricType::counter ? one.counter.value : one.gauge.value) = value;
}

void Snapshot::add(std::string_view name, const Labels& labels, const Histogram& histogram) {
  series(name, true, labels).histogram = histogram.Collect().histogram;
}

std::vector<prometheus::MetricFamily> Snapshot::take() {
  std::vector<prometheus::MetricFamily> all;
  for (auto& [name, family] : families_) {
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& left, const auto& right) { return left.label < right.label; });
    all.push_back(std::move(family));
  }
  families_.clear();
  return all;
}

ScrapeText::ScrapeText() : families_(metric_table().size()) {}

void ScrapeText::add(Snapshot& snapshot) {
  std::ostringstream text;
  const prometheus::TextSerializer serializer;
  std::vector<prometheus::MetricFamily> one(1);
  for (prometheus::MetricFamily& family : snapshot.take()) {
    const auto place = &metric(family.name) - metric_table().data();
    std::string& known = families_[static_cast<std::size_t>(place)];
    one.front() = std::move(family);
    text.str({});
    serializer.Serialize(text, one);
    known += known.empty() ? text.view() : samples_of(text.view());
  }
}

std::string ScrapeText::text() && {
  std::size_t size = 0;
  for (const std::string& family : families_)
    size += family.size();
  std::string all;
  all.reserve(size);
  for (std::string& family : families_) {
    all += family;
    family = {};
  }
  return all;
}

}  // namespace tidemark::observe
