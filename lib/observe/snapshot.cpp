#include "observe/snapshot.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <utility>

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

void require(const MetricDefinition& row, bool type_fits) {
  if (!type_fits) throw std::logic_error(std::string(row.name) + " has another type");
}

/// Without the lines in front that say what the family is.
std::string_view samples_of(std::string_view family) {
  while (family.starts_with('#'))
    family.remove_prefix(family.find('\n') + 1);
  return family;
}

}  // namespace

prometheus::ClientMetric& Snapshot::series(const MetricDefinition& row, const Labels& labels) {
  const auto listed = [&](std::string_view label) {
    return std::any_of(row.labels.begin(), row.labels.end(), [&](std::string_view allowed) {
      return allowed == label || (allowed == "label_*" && label.starts_with("label_"));
    });
  };
  const auto [family, added] = families_.try_emplace(&row);
  if (added) {
    family->second.name = row.name;
    family->second.help = row.help;
    family->second.type = type_of(row.type);
  }
  prometheus::ClientMetric& series = family->second.metric.emplace_back();
  for (const auto& [label, text] : labels) {
    if (!listed(label)) throw std::logic_error(std::string(row.name) + " has no label " + label);
    series.label.push_back({label, text});
  }
  return series;
}

void Snapshot::add(std::string_view name, const Labels& labels, double value) {
  const MetricDefinition& row = metric(name);
  require(row, row.type != MetricType::histogram);
  prometheus::ClientMetric& one = series(row, labels);
  (row.type == MetricType::counter ? one.counter.value : one.gauge.value) = value;
}

void Snapshot::add(std::string_view name, const Labels& labels, const Histogram& histogram) {
  const MetricDefinition& row = metric(name);
  require(row, row.type == MetricType::histogram);
  series(row, labels).histogram = histogram.Collect().histogram;
}

Snapshot::Families Snapshot::take() {
  for (auto& [row, family] : families_)
    std::sort(family.metric.begin(), family.metric.end(),
              [](const auto& left, const auto& right) { return left.label < right.label; });
  return std::exchange(families_, {});
}

ScrapeText::ScrapeText() : families_(metric_table().size()) {}

void ScrapeText::add(Snapshot& snapshot) {
  std::ostringstream text;
  const prometheus::TextSerializer serializer;
  std::vector<prometheus::MetricFamily> one(1);
  for (auto& [row, family] : snapshot.take()) {
    std::string& known = families_[static_cast<std::size_t>(row - metric_table().data())];
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
