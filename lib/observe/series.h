#pragma once

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <array>
#include <string_view>

#include "core/settings.h"
#include "observe/metrics.h"

// What a job, a connection or the process counts: prometheus-cpp's counters and histograms, held by
// who counts. Not in its registry, which keeps the labels of each series in several maps: far more
// than the 8 bytes of a count, and a job has some sixty.
namespace tidemark::observe {

using prometheus::Counter;
using prometheus::Histogram;

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

/// One counter per enumerator, all there from the start. Any thread.
template <class Enum>
class Counters {
 public:
  Counter& operator[](Enum value) { return all_[static_cast<std::size_t>(value)]; }
  const Counter& operator[](Enum value) const { return all_[static_cast<std::size_t>(value)]; }

 private:
  std::array<Counter, enum_size<Enum>> all_;
};

}  // namespace tidemark::observe
