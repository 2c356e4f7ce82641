#include "sync/audit.h"

#include <algorithm>

#include "core/temporal.h"

namespace tidemark {
namespace {

/// Number cursors: looked at again at least, while no mark is old enough to begin at.
constexpr std::uint64_t audit_numbers = 10'000;
/// Marks of the past that are kept for number cursors.
constexpr std::size_t most_past_marks = 64;
constexpr int past_marks_per_audit = 32;
/// A single row that was entered with a date of last year must not make each run read a year.
constexpr Duration raised_at_most = std::chrono::hours(24);

bool temporal(const JobPlan& plan) {
  return is_temporal(plan.read_columns[plan.cursor_at].type.kind);
}

Distance at_least(const Distance& left, const Distance& right) {
  return {std::max(left.time, right.time), std::max(left.count, right.count)};
}

/// Twice the worst seen; what a person has configured is never lowered by it.
Distance twice(const Distance& worst, const Distance& configured) {
  constexpr std::uint64_t half = UINT64_MAX / 2;
  // Whole seconds: it is shown to people.
  const Duration time =
      std::chrono::ceil<std::chrono::seconds>(std::min(worst.time, raised_at_most / 2) * 2);
  return at_least(configured, {time, std::min(worst.count, half) * 2});
}

std::string text_of(const Distance& distance) {
  return distance.count > 0 ? std::to_string(distance.count) : duration_text(distance.time);
}

/// "12s": short, because it is for people.
std::string rough(const Distance& distance) {
  if (distance.count > 0) return std::to_string(distance.count) + " behind it";
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(distance.time);
  return duration_text(seconds) + " behind it";
}

}  // namespace

bool can_audit(const JobPlan& plan) {
  return plan.incremental() && plan.cursor && (plan.absorbs() || !plan.write.key.empty());
}

bool audit_due(const Checkpoint& checkpoint, const JobPlan& plan, WallTime now, Duration every) {
  const auto& audit = plan.job->cursor->audit;
  if (!audit || *audit == Duration::zero() || !can_audit(plan)) return false;
  return !checkpoint.audited_at || now < *checkpoint.audited_at ||
         now - *checkpoint.audited_at >= every;
}

std::optional<Value> audit_start(const Checkpoint& checkpoint, const JobPlan& plan, WallTime now) {
  if (!checkpoint.settled) return std::nullopt;
  const Duration audit = *plan.job->cursor->audit;
  if (temporal(plan)) return within_reach(checkpoint, plan, minus(*checkpoint.settled, audit));
  Value start = minus(*checkpoint.settled, audit_numbers);
  for (const PastMark& past : checkpoint.past_marks)
    if (past.at + audit <= now) start = lesser(start, past.mark);
  return within_reach(checkpoint, plan, start);
}

void audited(Checkpoint& checkpoint, const JobPlan& plan, WallTime now) {
  checkpoint.audited_at = now;
  if (temporal(plan) || !checkpoint.settled) return;
  const Duration audit = *plan.job->cursor->audit;
  auto& marks = checkpoint.past_marks;
  // The newest that is old enough is where the next audit begins; older ones are not needed.
  while (marks.size() > 1 && marks[1].at + audit <= now)
    marks.erase(marks.begin());
  if (!marks.empty() && now - marks.back().at < audit / past_marks_per_audit) return;
  marks.push_back({now, *checkpoint.settled});
  if (marks.size() > most_past_marks) marks.erase(marks.begin());
}

Value within_reach(const Checkpoint& checkpoint, const JobPlan& plan, Value start) {
  if (checkpoint.floor) start = greater(start, *checkpoint.floor);
  if (plan.start) start = greater(start, *plan.start);
  return start;
}

void stop_comparing(Checkpoint& checkpoint) {
  if (checkpoint.settled) checkpoint.floor = checkpoint.settled;
  checkpoint.past_marks.clear();
}

void follow_output(Checkpoint& checkpoint, const JobPlan& plan) {
  if (!checkpoint.output.empty() && checkpoint.output != plan.output) stop_comparing(checkpoint);
  checkpoint.output = plan.output;
}

Lookback lookback_of(const Checkpoint& checkpoint, const JobPlan& plan) {
  const bool doubted = !plan.proven() || checkpoint.broken;
  return doubted ? twice(checkpoint.late, plan.lookback) : plan.lookback;
}

void take_late(Checkpoint& checkpoint, const JobPlan& plan, const LateRows& late, bool behind_mark,
               WallTime now) {
  checkpoint.late = at_least(checkpoint.late, late.by);
  if (!behind_mark || !plan.proven()) return;
  if (!checkpoint.broken) checkpoint.broken = BrokenPromise{.since = now};
  checkpoint.broken->last = now;
  checkpoint.broken->rows += late.rows;
}

std::string promise_text(const Checkpoint& checkpoint, const JobPlan& plan) {
  if (!plan.incremental()) return plan.proof_text;
  if (!plan.proven()) return "lookback " + lookback_text(checkpoint, plan);
  if (!checkpoint.broken) return plan.proof_text;
  return "lookback " + text_of(lookback_of(checkpoint, plan)) + " (" + plan.proof_text +
         " is broken)";
}

std::string broken_text(const Checkpoint& checkpoint, const JobPlan& plan) {
  if (!checkpoint.broken) return {};
  const BrokenPromise& broken = *checkpoint.broken;
  return std::to_string(broken.rows) + (broken.rows == 1 ? " row came" : " rows came") +
         " behind the settled mark, or was changed at the target, up to " + rough(checkpoint.late) +
         ": \"" + plan.proof_text +
         "\" does not hold. They were repaired. Find out who writes so (docs/guarantees.md), then "
         "`tidemark accept " +
         plan.job->name.text + " --keep-mark`, or --backfill to read all again";
}

std::string lookback_text(const Checkpoint& checkpoint, const JobPlan& plan) {
  const Lookback now = lookback_of(checkpoint, plan);
  if (now.none()) return {};
  if (now == plan.lookback) return text_of(now);
  if (plan.lookback.none()) return text_of(now) + " (raised by late rows)";
  return text_of(now) + " (raised from " + text_of(plan.lookback) + ")";
}

}  // namespace tidemark
