#pragma once

#include <optional>
#include <string>

#include "sync/checkpoint.h"
#include "sync/job_plan.h"
#include "sync/late_rows.h"

namespace tidemark {

// The look behind the settled mark that makes its promise falsifiable (decisions: the audit), and
// what is drawn from it. Plain functions of their arguments; any thread.

/// Whether what this job writes can be compared with what stands behind the mark.
bool can_audit(const JobPlan& plan);
/// It is time to look again, by the source's clock.
bool audit_due(const Checkpoint& checkpoint, const JobPlan& plan, WallTime now, Duration every);
/// Where the look begins that ends at the settled mark: `cursor.audit` behind it, for a number the
/// mark of that long ago. nullopt: there is nothing behind the mark that is this job's.
std::optional<Value> audit_start(const Checkpoint& checkpoint, const JobPlan& plan, WallTime now);
/// An audit was made: remembered, with the mark that later ones over numbers begin at.
void audited(Checkpoint& checkpoint, const JobPlan& plan, WallTime now);

/// The nearest value at or behind `start` where rows are this job's to carry.
Value within_reach(const Checkpoint& checkpoint, const JobPlan& plan, Value start);
/// Rows behind the mark were written by other rules from here on: they are not compared any more.
void stop_comparing(Checkpoint& checkpoint);
/// The same where the way rows are written has changed since the last run.
void follow_output(Checkpoint& checkpoint, const JobPlan& plan);

/// How far behind the horizon rows are read again in this run: what the job says, twice the worst
/// lateness seen where there is no proof, or none that holds.
Lookback lookback_of(const Checkpoint& checkpoint, const JobPlan& plan);
/// Takes rows that came late into the checkpoint. `behind_mark`: under a mark that was in force.
void take_late(Checkpoint& checkpoint, const JobPlan& plan, const LateRows& late, bool behind_mark,
               WallTime now);

/// "lookback 40m (raised from 15m)", "exact (P3), broken: …": Progress::proof_text.
std::string promise_text(const Checkpoint& checkpoint, const JobPlan& plan);
/// Progress::broken.
std::string broken_text(const Checkpoint& checkpoint, const JobPlan& plan);
/// Progress::lookback; "" where nothing is read again.
std::string lookback_text(const Checkpoint& checkpoint, const JobPlan& plan);

}  // namespace tidemark
