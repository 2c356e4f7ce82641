#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/settings.h"
#include "observe/metrics.h"

namespace tidemark::observe {

using prometheus::Counter;
using prometheus::Histogram;
using prometheus::Labels;

std::string_view to_string(ReloadFinished::Result result) noexcept;

/// Why a row was refused: the data kinds of failures.
enum class Rejection { constraint, conversion };
std::string_view to_string(Rejection reason) noexcept;
/// How a conflict with another writer ended.
enum class Conflict { repeated, yielded };
std::string_view to_string(Conflict resolution) noexcept;

/// How many enumerators a closed set of label values has; they count from 0.
template <class Enum>
inline constexpr std::size_t enum_size = 0;
template <>
inline constexpr std::size_t enum_size<RunResult> = 5;
template <>
inline constexpr std::size_t enum_size<SkipReason> = 4;
template <>
inline constexpr std::size_t enum_size<FailureKind> = 13;
template <>
inline constexpr std::size_t enum_size<Rejection> = 2;
template <>
inline constexpr std::size_t enum_size<Conflict> = 2;
template <>
inline constexpr std::size_t enum_size<JobState> = 7;
template <>
inline constexpr std::size_t enum_size<LogLevel> = 5;
template <>
inline constexpr std::size_t enum_size<AuthFailure> = 4;
template <>
inline constexpr std::size_t enum_size<ReloadFinished::Result> = 3;

/// The counting families of metric_table.h on one registry. Any thread.
class Families {
 public:
  /// Throws std::logic_error for a name that is not in the table as a counter or histogram.
  prometheus::Family<Counter>& counter(std::string_view name);
  prometheus::Family<Histogram>& histogram(std::string_view name);
  std::vector<prometheus::MetricFamily> collect() const { return registry_.Collect(); }
  /// The families are about to go as a whole: series need not be taken out one by one any more,
  /// which is a search through the whole family for each.
  void close() noexcept { closed_ = true; }
  bool closed() const noexcept { return closed_; }

 private:
  prometheus::Registry registry_;
  bool closed_ = false;
};

/// Series that live and die together: those of one job or connection, or of the process. Gone from
/// the families when it is destroyed; the families must outlive it.
class SeriesGroup {
 public:
  SeriesGroup(Families& families, Labels labels)
      : families_(families), labels_(std::move(labels)) {}
  ~SeriesGroup();
  SeriesGroup(const SeriesGroup&) = delete;
  SeriesGroup& operator=(const SeriesGroup&) = delete;

  Counter& counter(std::string_view name, const Labels& more = {});
  Histogram& histogram(std::string_view name, const std::vector<double>& bounds,
                       const Labels& more = {});

  /// One counter per enumerator, all there from the start.
  template <class Enum>
  std::array<Counter*, enum_size<Enum>> counters(std::string_view name, const std::string& label) {
    std::array<Counter*, enum_size<Enum>> all{};
    for (std::size_t index = 0; index < all.size(); ++index)
      all[index] = &counter(name, {{label, std::string(to_string(static_cast<Enum>(index)))}});
    return all;
  }

 private:
  Labels with(const Labels& more) const;
  Families& families_;
  Labels labels_;
  std::vector<std::function<void()>> removals_;
};

/// The counter of one enumerator.
template <class Enum>
Counter& of(const std::array<Counter*, enum_size<Enum>>& counters, Enum value) {
  return *counters[static_cast<std::size_t>(value)];
}

}  // namespace tidemark::observe
