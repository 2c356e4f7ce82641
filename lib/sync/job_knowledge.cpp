// What a run may take from the one before it, so that a poll that finds nothing asks almost
// nothing.
#include "sync/job_run.h"

namespace tidemark {
namespace {

bool asks_for_nothing_special(const RunOptions& options) {
  return !options.probe && !options.dry_run && !options.resync && !options.backfill &&
         options.accept == RunOptions::Accept::none;
}

}  // namespace

/// What the run before found out would do, if its sessions are still there.
bool JobRun::knows_plan() const {
  const std::optional<KnownPlan>& known = memory_.known;
  return known && asks_for_nothing_special(request_.options) && memory_.held && !memory_.in_doubt &&
         memory_.saved && memory_.latest && memory_.latest->initial_done &&
         !memory_.latest->backfill &&
         ports_.clock.steady() - known->since < ports_.limits.plan_life &&
         (known->job == request_.job || *known->job == job_);
}

/// Takes the plan of the run before. It can be wrong only by a change of the tables, which the next
/// statement stumbles over and plan_life bounds.
bool JobRun::recall_plan() {
  const std::optional<KnownPlan>& known = memory_.known;
  if (!knows_plan() || sessions_.source.serial() > known->newest_session ||
      sessions_.target.serial() > known->newest_session)
    return false;
  plan_ = known->plan;
  plan_recalled_ = true;
  outcome_.progress.drift = plan_.target.drift;
  return true;
}

/// A plan that made or changed a table is not what the next run finds.
void JobRun::remember_plan() {
  if (!plan_.incremental() || !plan_.target.statements.empty() ||
      !asks_for_nothing_special(request_.options))
    return memory_.known.reset();
  if (plan_recalled_) return;
  memory_.known = KnownPlan{.job = request_.job,
                            .plan = plan_,
                            .source_session = sessions_.source.serial(),
                            .target_session = sessions_.target.serial(),
                            .newest_session = newest_session_,
                            .server = server_,
                            .since = ports_.clock.steady()};
}

/// The lease is ours for so long that a run need not ask: who had taken it over would have had to
/// wait for its end. Writing checks the fence in any case.
bool JobRun::still_held() const {
  return plan_recalled_ && ports_.clock.steady() - memory_.leased_at < ports_.limits.lease / 2;
}

/// What is known of the job's row is so still: nothing of it need be read again.
bool JobRun::keep_job() {
  const auto left = plan_recalled_ ? memory_.left() : std::nullopt;
  return left &&
         sessions_.target->keep(key_, ports_.holder, *left, job_.target_table, ports_.limits.lease);
}

Acquired JobRun::take_job() {
  Target& target = *sessions_.target;
  // Our own tables are made by `prepare`, which must not touch a table that another holder writes:
  // only where nothing is stored yet does it come before the job is ours.
  if (!memory_.held && !target.peek(key_, job_.target_table))
    made_table_ = target.prepare(first_write()).makes_table;
  // After a commit in doubt the old transaction may still be under way; `recover` waits for its
  // end.
  return memory_.in_doubt
             ? target.recover(key_, ports_.holder, job_.target_table, ports_.limits.lease)
             : target.acquire(key_, ports_.holder, job_.target_table, ports_.limits.lease);
}

/// The sample tells which server gave it: where that is another one than before, who the source is
/// must be asked anew.
void JobRun::check_server(const HorizonToken& token) {
  server_ = token.server;
  if (!plan_recalled_ || !memory_.known || memory_.known->server == server_) return;
  memory_.known.reset();
  check_identity();
}

}  // namespace tidemark
