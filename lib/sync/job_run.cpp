#include "sync/job_run.h"

#include <utility>

#include "core/guard_switch.h"
#include "sync/audit.h"
#include "sync/cursor_value.h"
#include "sync/row_error.h"
#include "sync/stopwatch.h"

namespace tidemark {

JobRun::JobRun(const RunnerPorts& ports, RunWatch* watch, const RunRequest& request,
               JobMemory& memory, const DigestKey& digest_key)
    : ports_(ports),
      request_(request),
      job_(*request.job),
      memory_(memory),
      digest_key_(digest_key),
      key_{ports.instance, request.job->name},
      key_secret_(ports.key_secret.reveal()),
      guard_({.clock = ports.clock,
              .stop = request.stop,
              .abort = request.abort,
              .stall_timeout = request.job->stall_timeout,
              .lease = ports.limits.lease,
              .renew =
                  [this] {
                    ports_.connections.beside(job_.target_connection, [this](Target& target) {
                      target.renew(key_, fence_.load(), job_.target_table, ports_.limits.lease);
                    });
                  },
              .watch = watch}) {}

JobRun::~JobRun() {
  writing_.reset();
  // The guard must not reach for sessions that are on their way back.
  guard_.watch(static_cast<Source*>(nullptr));
  guard_.watch(static_cast<Target*>(nullptr));
  if (!guard_.cancelled_sessions()) return;
  sessions_.source.discard();
  sessions_.target.discard();
}

void JobRun::execute() {
  if (guard_.stopping()) throw Cancelled();
  connect();
  plan();
  if (guard_.stopping()) throw Cancelled();
  if (request_.options.probe) return probe();
  if (request_.options.dry_run) return dry_run();
  if (!acquire()) return;
  prepare_target();
  was_initial_ = !checkpoint_.initial_done;
  estimate();
  hooks(true);
  if (request_.options.backfill)
    run_backfill_asked();
  else if (plan_.incremental())
    run_incremental();
  else
    run_full();
  hooks(false);
  finish_run();
}

void JobRun::connect() {
  const Stopwatch watch(ports_.clock, outcome_.phases.connect);
  const bool known = knows_plan();
  sessions_ =
      ports_.connections.acquire({.source = job_.source_connection,
                                  .target = job_.target_connection,
                                  .source_serial = known ? memory_.known->source_session : 0,
                                  .target_serial = known ? memory_.known->target_session : 0},
                                 guard_.token());
  guard_.watch(&*sessions_.source);
  guard_.watch(&*sessions_.target);
  guard_.progress(false);
}

void JobRun::plan() {
  if (recall_plan()) return;
  memory_.known.reset();
  newest_session_ = Connections::newest_serial();
  const auto source = ports_.connections.settings(job_.source_connection);
  const auto target = ports_.connections.settings(job_.target_connection);
  plan_ = plan_job(request_.job,
                   {.source = *sessions_.source,
                    .target = &*sessions_.target,
                    .zones = ports_.zones,
                    .source_type = source ? source->type : "",
                    .source_timezone = source ? source->timezone : "UTC",
                    .target_timezone = target ? target->timezone : "UTC",
                    .same_database = source && target && is_same_database(*source, *target)});
  outcome_.progress.proof_text = plan_.proof_text;
  if (plan_.incremental()) outcome_.progress.proof = plan_.proof;
  outcome_.progress.drift = plan_.target.drift;
  require_possible(plan_);
}

void JobRun::probe() {
  if (const auto stored = sessions_.target->peek(key_, job_.target_table);
      stored && stored->checkpoint) {
    load_checkpoint(stored->checkpoint);
    check_definition();
    check_position_types();
  }
  outcome_.result = RunResult::success;
}

void JobRun::dry_run() {
  if (const auto stored = sessions_.target->peek(key_, job_.target_table);
      stored && stored->checkpoint && !request_.options.resync)
    load_checkpoint(stored->checkpoint);
  Pass pass{.kind = plan_.incremental() ? Pass::Kind::fresh : Pass::Kind::whole,
            .read = base_read()};
  if (plan_.incremental()) start_fresh(pass.read, checkpoint_, plan_);
  pass.read.max_rows = request_.options.limit;
  run_pass(pass);
  outcome_.result = RunResult::success;
}

bool JobRun::acquire() {
  if (memory_.target_connection != job_.target_connection ||
      memory_.target_table != job_.target_table) {
    memory_.forget_position();
    memory_.held = false;
  }
  memory_.target_connection = job_.target_connection;
  memory_.target_table = job_.target_table;
  const bool asks = !still_held();
  const bool kept = !asks || keep_job();
  const Acquired acquired = kept ? Acquired{.granted = true, .fence = memory_.fence} : take_job();
  if (!acquired.granted) {
    memory_.held = false;
    memory_.forget_position();
    outcome_.result = RunResult::held;
    outcome_.held_by = acquired.held_by;
    outcome_.held_for = acquired.lease_left;
    return false;
  }
  const bool undisturbed = memory_.held && memory_.fence == acquired.fence && !memory_.in_doubt;
  if (!undisturbed) memory_.forget_position();
  if (asks) memory_.leased_at = ports_.clock.steady();
  memory_.in_doubt = false;
  memory_.held = true;
  memory_.fence = acquired.fence;
  fence_ = acquired.fence;
  guard_.keep_lease();
  writing_.emplace(Writing::Ports{.target = sessions_.target,
                                  .plan = plan_,
                                  .job = key_,
                                  .holder = ports_.holder,
                                  .lease = ports_.limits.lease,
                                  .guard = guard_,
                                  .memory = memory_,
                                  .fence = fence_,
                                  .observer = ports_.observer,
                                  .clock = ports_.clock,
                                  .times = outcome_.phases,
                                  .key_secret = key_secret_,
                                  .confirmed = asks});
  if (kept)
    checkpoint_ = *memory_.latest;
  else
    load_checkpoint(acquired.checkpoint);
  // Somebody may have come in between, and have written to it.
  if (acquired.checkpoint) made_table_ = false;
  if (request_.options.resync && memory_.saved) begin_epoch("a resync was asked for");
  check_definition();
  check_position_types();
  if (!memory_.known) check_identity();
  check_promise();
  holding_ = true;
  return true;
}

void JobRun::prepare_target() {
  memory_.write = plan_.write;
  if (plan_recalled_) return;
  // The wish to fill new columns is stored before they are made, so that a crash can't lose it.
  const bool fills = !plan_.target.added_columns.empty() && checkpoint_.initial_done &&
                     plan_.apply == Apply::upsert && plan_.incremental();
  if (fills) {
    checkpoint_.backfill = true;
    // On the table as it is, which lacks the columns.
    const SchemaChanges wanted = std::exchange(plan_.write.schema_changes, SchemaChanges::report);
    sessions_.target->prepare(plan_.write);
    save_marks();
    plan_.write.schema_changes = wanted;
  }
  const WriteSpec write = first_write();
  const TargetPlan made = sessions_.target->prepare(write);
  outcome_.progress.drift = made.drift;
  made_table_ = made_table_ || made.makes_table;
  key_pending_ = made.key_pending;
  if (key_pending_ && !write.key_last) finish_table();
}

void JobRun::run_full() {
  Pass pass{.kind = Pass::Kind::whole, .read = base_read()};
  pass.token.emplace();
  pass.token->sampled = sessions_.source->now();
  source_now_ = pass.token->sampled;
  run_pass(pass);
}

/// Only where a whole table is read: what a predicate leaves of one, statistics don't tell.
void JobRun::estimate() {
  const bool whole = !plan_.incremental() || (was_initial_ && job_.initial == Initial::load);
  const bool parts = request_.options.backfill || plan_.start || !plan_.relation.where.empty();
  if (!whole || parts) return;
  outcome_.counts.rows_expected = sessions_.source->estimated_rows(plan_.relation).value_or(0);
}

void JobRun::run_incremental() {
  const CursorSettings& cursor = *job_.cursor;
  Sample sampled = sample();
  if (!checkpoint_.initial_done && !checkpoint_.settled && job_.initial == Initial::skip) {
    if (!sampled.token.mark.null) checkpoint_.settled = sampled.token.mark;
    checkpoint_.initial_done = true;
    checkpoint_.read_as_of = checkpoint_.audited_at = sampled.token.sampled;
    stop_comparing(checkpoint_);
    was_skipped_ = true;
    return;
  }
  if (cursor.nulls != CursorNulls::ignore) run_nulls();
  if (checkpoint_.backfill) run_backfill_pending();
  look_behind(sampled);
  // What was written during the load is caught up with under a horizon of its own.
  if (load_first(sampled)) sampled = sample();
  if (key_pending_) finish_table();
  sampled.settled = wait_settled(sampled.token, ports_.limits.settle_wait);
  if (plan_.apply == Apply::append)
    run_append(sampled);
  else
    run_upsert(sampled);
}

void JobRun::run_upsert(Sample& sample) {
  Pass pass{.kind = Pass::Kind::fresh,
            .read = base_read(),
            .token = sample.token,
            .read_to = sample.read_to};
  if (sample.settled && !read_ahead(sample.token)) {
    // Fresh and settle in one read, which begins after the transactions have ended.
    pass.kind = Pass::Kind::settle;
    start_settle(pass.read, checkpoint_, plan_);
    if (!plan_.proven()) reach_back(pass);
    run_pass(pass);
    return;
  }
  if (!sample.settled) keep_token(checkpoint_, sample.token);
  start_fresh(pass.read, checkpoint_, plan_);
  run_pass(pass);
  if (sample.settled)
    settle_to(sample.token);
  else
    settle_open_tokens();
}

/// Rows above the mark have been read: in one read from the settled mark on, they would be read
/// again at each poll, and not only once. (At the mark itself more may come: rows of one tick.)
bool JobRun::read_ahead(const HorizonToken& token) const {
  return plan_.proven() && checkpoint_.settled && checkpoint_.reached && !token.mark.null &&
         less(token.mark, checkpoint_.reached->cursor);
}

/// The second look at what lies between the settled mark and that of a token that has settled.
void JobRun::settle_to(const HorizonToken& token) {
  Pass pass{.kind = Pass::Kind::settle, .read = base_read(), .token = token};
  start_settle(pass.read, checkpoint_, plan_);
  pass.read.below = token.mark;
  if (checkpoint_.settled && !less(*checkpoint_.settled, token.mark))
    finish(checkpoint_, pass);
  else
    run_pass(pass);
}

void JobRun::run_append(Sample& sample) {
  if (!sample.settled && !off(Guard::append_waits)) {
    keep_token(checkpoint_, sample.token);
    return settle_open_tokens();
  }
  if (sample.token.mark.null) {
    checkpoint_.initial_done = true;
    checkpoint_.fresh_as_of = checkpoint_.read_as_of = sample.token.sampled;
    return;
  }
  Pass pass{.kind = Pass::Kind::settle,
            .read = base_read(),
            .token = sample.token,
            .read_to = sample.read_to};
  start_settle(pass.read, checkpoint_, plan_);
  pass.read.below = sample.token.mark;
  run_pass(pass);
}

void JobRun::settle_open_tokens() {
  std::optional<HorizonToken> settled = newest_settled();
  if (settled && off(Guard::settle_by_the_settled)) settled = checkpoint_.tokens.back();
  if (!settled) return;
  if (off(Guard::read_after_waiting)) {
    checkpoint_.settled = settled->mark;
    return;
  }
  if (!checkpoint_.initial_done && fit_for_ranges(*settled))
    if (const auto ranges = split(); ranges.size() > 1) return begin_ranges(*settled, true, ranges);
  if (!settled->mark.null) settle_to(*settled);
}

void JobRun::run_nulls() {
  const Column& cursor = plan_.read_columns[plan_.cursor_at];
  if (!cursor.nullable || (plan_.evidence && plan_.evidence->not_null)) return;
  Pass pass{.kind = Pass::Kind::nulls, .read = base_read()};
  pass.read.null_cursor = NullCursor::only;
  pass.read.order = plan_.key.empty() ? ReadOrder::none : ReadOrder::key;
  if (job_.cursor->nulls == CursorNulls::scan) return run_pass(pass);
  pass.read.max_rows = 1;
  const auto reader = sessions_.source->read(pass.read);
  Batch batch(plan_.pipeline->input());
  if (!reader->next(batch)) return;
  throw RowError(Error({.kind = FailureKind::constraint,
                        .message = "a row has NULL in its cursor",
                        .operation = "read",
                        .table = plan_.relation.table ? plan_.relation.table->display() : "",
                        .column = cursor.name,
                        .hint = "Fill the column, or set `cursor.nulls` to ignore or scan."}),
                 key_hash_of(batch, 0, plan_.key_at, key_secret_));
}

void JobRun::run_backfill_asked() {
  const RunOptions::Backfill& range = *request_.options.backfill;
  if (!plan_.absorbs())
    throw Error({.kind = FailureKind::schema,
                 .message = "only a job that writes by key can read a range again",
                 .operation = "backfill",
                 .hint = plan_.apply == Apply::replace ? "Run the job: a full job reads everything."
                                                       : "An append would double the rows."});
  Pass pass{.kind = Pass::Kind::backfill, .read = base_read()};
  const auto bound = [&](const std::optional<std::string>& text, std::optional<Value>& to) {
    if (!text) return;
    if (!plan_.cursor)
      throw Error({.kind = FailureKind::schema,
                   .message = "a range of the cursor needs a job with a cursor",
                   .operation = "backfill",
                   .hint = "Use --where."});
    to = parse_cursor_value(plan_.read_columns[plan_.cursor_at].type, *text);
  };
  bound(range.from, pass.read.from);
  bound(range.to, pass.read.below);
  if (!range.where.empty()) {
    if (!plan_.relation.table)
      throw Error({.kind = FailureKind::schema,
                   .message = "--where works on a table; this job reads a query",
                   .operation = "backfill",
                   .hint = "Use --from and --to."});
    std::string& where = pass.read.relation.where;
    where = where.empty() ? range.where : "(" + where + ") AND (" + range.where + ")";
  }
  run_pass(pass);
}

void JobRun::run_backfill_pending() {
  if (!plan_.absorbs()) {
    checkpoint_.backfill = false;
    return;
  }
  ports_.observer.note(job_.name, "everything read so far is read once more");
  Pass pass{.kind = Pass::Kind::backfill, .read = base_read(), .ends_backfill = true};
  pass.read.from = plan_.start;
  run_pass(pass);
}

void JobRun::finish_run() {
  if (marks_pending() &&
      (must_save() || ports_.clock.steady() - memory_.saved_at >= ports_.limits.save_marks_every))
    save_marks();
  memory_.latest = checkpoint_;
  remember_plan();
  outcome_.result = RunResult::success;
}

}  // namespace tidemark
