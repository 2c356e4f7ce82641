#include "sync/retry.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tidemark {

bool waits_for_parent(const Failure& failure) noexcept {
  // PostgreSQL's foreign_key_violation; MariaDB and MySQL "cannot add or update a child row";
  // and SQLite's name for it.
  constexpr std::array<std::string_view, 4> codes{"23503", "1452", "1216",
                                                  "SQLITE_CONSTRAINT_FOREIGNKEY"};
  return failure.kind == FailureKind::constraint &&
         std::find(codes.begin(), codes.end(), failure.code) != codes.end();
}

Duration RetryPolicy::delay(std::uint32_t n, double random) const {
  const auto initial = static_cast<double>(settings_.initial.count());
  const auto max = static_cast<double>(settings_.max.count());
  const double exponent = n > 0 ? static_cast<double>(n - 1) : 0;
  // pow overflows to infinity after many attempts; the cap takes that as well.
  const double whole =
      std::min(max, initial * std::pow(std::max(settings_.multiplier, 1.0), exponent));
  const double share = std::clamp(settings_.jitter, 0.0, 1.0);
  return Duration{static_cast<std::int64_t>(whole * (1 - share * (1 - random)))};
}

RetryDecision RetryPolicy::decide(const Failure& failure, const RetryCounts& counts,
                                  double random) const {
  using Action = RetryDecision::Action;
  if (failure.needs_person) return {.action = Action::halt};

  if (means_away(failure.kind))
    return {.action = Action::retry, .delay = delay(counts.away, random)};
  if (failure.error_class() == ErrorClass::transient || waits_for_parent(failure)) {
    if (counts.live < settings_.attempts)
      return {.action = Action::retry, .delay = delay(counts.live, random)};
    // The parent did not come: now it is what it looks like, a row that the target refuses.
    if (failure.error_class() == ErrorClass::transient) return {.action = Action::give_up};
  }
  if (failure.error_class() == ErrorClass::permanent || !settings_.probe_halted)
    return {.action = Action::halt};
  return {.action =
              failure.error_class() == ErrorClass::config ? Action::halt_probe : Action::halt_rerun,
          .delay = *settings_.probe_halted};
}

}  // namespace tidemark
