#include "sync/cursor_proof.h"

#include <algorithm>

#include "core/error.h"
#include "core/temporal.h"
#include "sync/cursor_value.h"

namespace tidemark {
namespace {

constexpr Duration default_lookback = std::chrono::minutes(15);

struct Assumption {
  std::string name;
  bool shown = false;
  std::string missing;  ///< what the catalogue does not show
};

std::vector<Assumption> assumptions_of(const CursorEvidence& evidence) {
  return {
      {"server_assigned", evidence.server_assigned,
       "nothing shows that the database itself assigns the cursor in the writing statement (C1)"},
      {"single_timezone", evidence.single_timezone,
       "its values are local times of whoever writes (C5)"}};
}

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts)
    text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string lookback_text(const Lookback& lookback) {
  return lookback.count > 0 ? std::to_string(lookback.count) : duration_text(lookback.time);
}

void read_lookback(JobPlan& plan, const Column& column) {
  const CursorSettings& cursor = *plan.job->cursor;
  const bool temporal = is_temporal(column.type.kind);
  const bool asked = cursor.safety == Safety::lookback;
  if (temporal && cursor.lookback_count)
    plan.problems.push_back("cursor.lookback: the cursor " + column.name + " is a " +
                            to_string(column.type) + "; give a duration, such as 15m");
  else if (!temporal && cursor.lookback)
    plan.problems.push_back("cursor.lookback: the cursor " + column.name + " is a " +
                            to_string(column.type) + "; give a number, such as 1000");
  else if (!temporal && asked && !cursor.lookback_count)
    plan.problems.push_back(
        "cursor.lookback: a lookback over numbers needs to know how far, such "
        "as 1000");
  if (temporal)
    plan.lookback.time = cursor.lookback.value_or(asked ? default_lookback : Duration::zero());
  else
    plan.lookback.count = cursor.lookback_count.value_or(0);
  if (asked && plan.lookback.none() && (cursor.lookback || cursor.lookback_count))
    plan.problems.push_back("cursor.lookback: 0 with `safety: lookback` would be no safety at all");
}

void read_start(JobPlan& plan, const Column& column) {
  if (!plan.job->cursor->start) return;
  try {
    plan.start = parse_cursor_value(column.type, *plan.job->cursor->start);
  } catch (const Error&) {
    plan.problems.push_back("cursor.start is not a valid " + to_string(column.type));
  }
}

void check_nulls(JobPlan& plan, const Column& column) {
  const CursorSettings& cursor = *plan.job->cursor;
  if (cursor.nulls == CursorNulls::scan && plan.job->write == WriteMode::append)
    plan.problems.push_back(
        "cursor.nulls: scan reads rows without a cursor in each run, which "
        "append would double. Use error or ignore");
  if (plan.evidence->not_null || !column.nullable) return;
  if (cursor.nulls == CursorNulls::error)
    plan.warnings.push_back("cursor " + column.name +
                            " may be NULL: the job stops at the first such row (cursor.nulls)");
  if (cursor.nulls == CursorNulls::ignore)
    plan.warnings.push_back("rows with a NULL in cursor " + column.name +
                            " are not read (cursor.nulls: ignore)");
}

bool vouches_for(const JobPlan& plan, std::string_view assumption) {
  const auto& assume = plan.job->cursor->assume;
  return std::find(assume.begin(), assume.end(), assumption) != assume.end();
}

/// C8: each row of its own counts from 1, so a mark over all rows says nothing, and a lookback of a
/// few numbers would miss nearly all updates.
void refuse_row_version(JobPlan& plan, const Column& column) {
  const bool number = !is_temporal(column.type.kind);
  if (!number || plan.proven() || plan.evidence->server_assigned ||
      plan.job->cursor->safety == Safety::exact || vouches_for(plan, "server_assigned"))
    return;
  plan.problems.push_back(
      "cursor " + column.name +
      " is a number that no sequence gives: if it counts the versions of each row it orders "
      "nothing (C8), and no lookback makes up for that. Use a time or a running number, or add "
      "server_assigned to cursor.assume if its values grow over all rows");
}

/// For a cursor of local time: when it steps back. The source's clock is asked only then.
std::optional<std::string> stepping_back(const JobPlan& plan, const Column& column,
                                         const PlanPorts& ports, Duration& by) {
  if (column.type.kind != TypeKind::timestamp || plan.evidence->single_timezone ||
      ports.source_timezone == "UTC")
    return std::nullopt;
  const auto back = next_set_back(ports.zones, ports.source_timezone, ports.source.now());
  if (!back) return std::nullopt;
  by = back->by;
  const std::int64_t micros =
      back->day.time_since_epoch().count() - unix_to_2000_seconds * micros_per_second;
  return "local times of " + ports.source_timezone + " step back by " + duration_text(back->by) +
         " about " + format_timestamp(micros).substr(0, 10) +
         ", and rows of that time would be missed (C3)";
}

/// What exact rests on, or why it can't be had.
void prove_exact(JobPlan& plan, const std::optional<std::string>& steps_back) {
  const CursorEvidence& evidence = *plan.evidence;
  std::vector<std::string> missing = evidence.obstacles;
  std::vector<std::string> assumed;
  for (const Assumption& one : assumptions_of(evidence)) {
    if (one.shown) continue;
    if (vouches_for(plan, one.name))
      assumed.push_back(one.name);
    else
      missing.push_back(one.missing + ": add " + one.name +
                        " to cursor.assume if you know it to be so");
  }
  if (steps_back) missing.push_back(*steps_back);
  if (!evidence.moves_on_write && !evidence.inserts_only) {
    if (vouches_for(plan, "every_write_moves_it"))
      assumed.push_back("every_write_moves_it");
    else
      plan.warnings.push_back("nothing shows that every write moves cursor " + plan.cursor->column +
                              " (C2): a change that does not is not seen");
  }
  if (evidence.proof == ProofKind::lookback || missing.size() > evidence.obstacles.size()) {
    std::string text = "cursor " + plan.cursor->column + " can't be followed exactly";
    for (const std::string& one : missing)
      text += ". " + one;
    plan.problems.push_back(text + ". Or set `cursor.safety: lookback`");
    return;
  }
  for (const std::string& one : evidence.obstacles)
    plan.notes.push_back(one);
  plan.proof = evidence.proof;
  plan.proof_text = assumed.empty() ? "exact (" + evidence.method + ")"
                                    : "exact (assumed: " + join(assumed) + ")";
}

}  // namespace

std::optional<SetBack> next_set_back(const Zones& zones, const std::string& zone, WallTime from) {
  if (!zones.known(zone)) return std::nullopt;
  const auto ahead_of_utc = [&](WallTime at) {
    const std::int64_t micros =
        at.time_since_epoch().count() - unix_to_2000_seconds * micros_per_second;
    return zones.utc_to_local(zone, micros) - micros;
  };
  std::int64_t before = ahead_of_utc(from);
  for (int days = 1; days <= 400; ++days) {
    const WallTime day = from + days * std::chrono::hours(24);
    const std::int64_t after = ahead_of_utc(day);
    if (after < before) return SetBack{.by = Duration(before - after), .day = day};
    before = after;
  }
  return std::nullopt;
}

void prove_cursor(JobPlan& plan, const PlanPorts& ports) {
  const Column& column = plan.read_columns[plan.cursor_at];
  const bool fractions = column.type.kind == TypeKind::decimal && column.type.precision == 0;
  if (!is_cursor_type(column.type) || fractions) {
    plan.problems.push_back("cursor.column: " + column.name + " is a " + to_string(column.type) +
                            ", whose order differs between databases. Use a number, a date or a "
                            "timestamp");
    plan.cursor.reset();
    return;
  }
  plan.evidence = ports.source.inspect(plan.relation, *plan.cursor);
  Duration back{};
  const std::optional<std::string> steps_back = stepping_back(plan, column, ports, back);
  read_lookback(plan, column);
  read_start(plan, column);
  check_nulls(plan, column);
  if (plan.job->cursor->safety == Safety::exact) {
    prove_exact(plan, steps_back);
  } else {
    plan.proof = ProofKind::lookback;
    plan.proof_text = "lookback " + lookback_text(plan.lookback);
    if (plan.job->write == WriteMode::append && plan.key.empty())
      plan.problems.push_back(
          "append with a lookback reads rows more than once: name the key that "
          "tells which are there already, or use `safety: exact`");
    if (steps_back && plan.lookback.time <= back)
      plan.warnings.push_back("cursor.lookback: " + *steps_back +
                              ". Look back further than that, or follow a column with a zone");
    if (plan.evidence->proof != ProofKind::lookback && plan.evidence->server_assigned &&
        plan.evidence->single_timezone)
      plan.notes.push_back("this cursor could be followed exactly (" + plan.evidence->method +
                           "): `cursor.safety: exact`");
  }
  refuse_row_version(plan, column);
  if (plan.evidence->inserts_only)
    plan.notes.push_back("cursor " + column.name + " shows inserts only: updates are not seen");
  for (const std::string& note : plan.evidence->notes)
    plan.notes.push_back(note);
}

}  // namespace tidemark
