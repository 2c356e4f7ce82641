#include "daemon/command/run_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/text.h"

namespace tidemark {
namespace {

Duration seconds_of(const Json& value, const char* name) {
  return Duration(static_cast<std::int64_t>(value.value(name, 0.0) * 1e6));
}

std::string phases_text(const Json& phases) {
  std::vector<std::pair<double, std::string>> shares;
  double whole = 0;
  for (const char* name : {"connect", "read", "transform", "write", "commit", "wait"}) {
    const double spent = phases.value(std::string(name) + "_seconds", 0.0);
    whole += spent;
    shares.emplace_back(spent, name);
  }
  if (whole <= 0) return {};
  std::stable_sort(shares.begin(), shares.end(),
                   [](const auto& left, const auto& right) { return left.first > right.first; });
  std::string text;
  for (const auto& [spent, name] : shares)
    if (spent / whole >= 0.01)
      text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", name, 100 * spent / whole);
  return text;
}

/// How far a first load in key ranges is: " (3 of 16 key ranges)".
std::string ranges_text(const Json& status) {
  const auto progress = status.find("progress");
  if (progress == status.end() || !progress->is_object()) return {};
  const auto all = progress->value("ranges", std::uint64_t{0});
  if (all == 0) return {};
  return fmt::format(" ({} of {} key ranges)", progress->value("ranges_finished", std::uint64_t{0}),
                     all);
}

std::string rate_text(const Json& counts, Duration took) {
  return tidemark::rate_text(counts.value("rows_read", std::uint64_t{0}),
                             counts.value("bytes_read", std::uint64_t{0}), took);
}

std::string rows_text(const Json& counts) {
  return count_text(counts.value("rows_read", std::uint64_t{0})) + " rows read";
}

/// How far a pass over a whole table has come, and how long the rest takes at this pace. By the
/// source's own statistics, so nothing is said once these prove wrong.
std::string rest_text(const Json& counts, Duration took) {
  const Json expected = counts.value("rows_expected", Json());
  const auto rows = counts.value("rows_read", std::uint64_t{0});
  if (!expected.is_number_unsigned() || rows == 0) return {};
  const auto all = expected.get<std::uint64_t>();
  if (rows >= all) return {};
  const double share = static_cast<double>(rows) / static_cast<double>(all);
  const Duration left(
      static_cast<std::int64_t>(static_cast<double>(took.count()) * (1 - share) / share));
  return fmt::format(", about {:.0f} %, {} left", 100 * share, span_text(left));
}

Tone tone_of(const std::string& result) {
  if (result == "success") return Tone::good;
  return result == "failed" ? Tone::bad : Tone::warning;
}

}  // namespace

std::string changes_text(const Json& counts) {
  static constexpr std::array<const char*, 4> kinds{"inserted", "updated", "deleted", "unchanged"};
  std::string text;
  for (const char* kind : kinds)
    if (const auto count = counts.value(kind, std::uint64_t{0}); count > 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), kind);
  return text.empty() ? "nothing to write" : text;
}

std::string run_progress_line(const Json& status) {
  const std::string name = status.value("name", std::string());
  const Json& run = status["run"];
  if (!run.is_object())
    return fmt::format("{}: {}", name, status.value("state", std::string("waiting")));
  const Json& counts = run["counts"];
  const Duration took = seconds_of(run, "seconds");
  return fmt::format("{}: {}{}, {}, {}{}", name, rows_text(counts), ranges_text(status),
                     rate_text(counts, took), span_text(took), rest_text(counts, took));
}

void show_outcome(Console& console, const std::string& job, const Json& outcome) {
  const std::string result = outcome.value("result", std::string("failed"));
  const Json& counts = outcome["counts"];
  const Duration took = seconds_of(outcome, "seconds");
  console.print(fmt::format("{}: {}: {} ({}) in {}, {}", job,
                            console.paint(tone_of(result), result), rows_text(counts),
                            rate_text(counts, took), span_text(took), changes_text(counts)));
  if (const std::string phases = phases_text(outcome["phases"]); !phases.empty())
    console.print(fmt::format("  time: {}", phases));
  if (outcome["proof"].is_string())
    console.print(fmt::format("  proof: {}", outcome["proof"].get<std::string>()));
  if (outcome["held_by"].is_string())
    console.print(fmt::format("  held by {}", outcome["held_by"].get<std::string>()));
  if (const Json& failure = outcome["failure"]; failure.is_object())
    console.fail(fmt::format("{}: {}", job, failure.value("message", std::string())));
}

ExitStatus worse(ExitStatus left, ExitStatus right) noexcept {
  static constexpr std::array order{
      ExitStatus::internal, ExitStatus::config, ExitStatus::usage,      ExitStatus::no_permission,
      ExitStatus::failed,   ExitStatus::held,   ExitStatus::unavailable};
  for (const ExitStatus status : order)
    if (left == status || right == status) return status;
  return left == ExitStatus::done ? right : left;
}

}  // namespace tidemark
