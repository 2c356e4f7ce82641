#include "observe/families.h"

#include <fmt/format.h>

#include <stdexcept>

#include "observe/metric_table.h"

namespace tidemark::observe {
namespace {

const MetricDefinition& row_of(std::string_view name, MetricType type) {
  const MetricDefinition& row = metric(name);
  if (row.type != type) throw std::logic_error(fmt::format("{} has another type", name));
  return row;
}

}  // namespace

std::string_view to_string(ReloadFinished::Result result) noexcept {
  switch (result) {
    case ReloadFinished::Result::applied:
      return "applied";
    case ReloadFinished::Result::unchanged:
      return "unchanged";
    case ReloadFinished::Result::rejected:
      return "rejected";
  }
  return "rejected";
}

std::string_view to_string(Rejection reason) noexcept {
  return reason == Rejection::constraint ? "constraint" : "conversion";
}

std::string_view to_string(Conflict resolution) noexcept {
  return resolution == Conflict::repeated ? "repeated" : "yielded";
}

prometheus::Family<Counter>& Families::counter(std::string_view name) {
  const MetricDefinition& row = row_of(name, MetricType::counter);
  return prometheus::BuildCounter()
      .Name(std::string(row.name))
      .Help(std::string(row.help))
      .Register(registry_);
}

prometheus::Family<Histogram>& Families::histogram(std::string_view name) {
  const MetricDefinition& row = row_of(name, MetricType::histogram);
  return prometheus::BuildHistogram()
      .Name(std::string(row.name))
      .Help(std::string(row.help))
      .Register(registry_);
}

SeriesGroup::~SeriesGroup() {
  if (families_.closed()) return;
  for (const auto& remove : removals_)
    remove();
}

Counter& SeriesGroup::counter(std::string_view name, const Labels& more) {
  auto& family = families_.counter(name);
  Counter& series = family.Add(with(more));
  removals_.push_back([&family, &series] { family.Remove(&series); });
  return series;
}

Histogram& SeriesGroup::histogram(std::string_view name, const std::vector<double>& bounds,
                                  const Labels& more) {
  auto& family = families_.histogram(name);
  Histogram& series = family.Add(with(more), bounds);
  removals_.push_back([&family, &series] { family.Remove(&series); });
  return series;
}

Labels SeriesGroup::with(const Labels& more) const {
  Labels all = labels_;
  all.insert(more.begin(), more.end());
  return all;
}

}  // namespace tidemark::observe
