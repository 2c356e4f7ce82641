// Passes: batches from the reading side into target transactions.
#include <algorithm>

#include "core/guard_switch.h"
#include "sync/audit.h"
#include "sync/cursor_value.h"
#include "sync/feed.h"
#include "sync/job_run.h"
#include "sync/row_error.h"
#include "sync/stopwatch.h"

namespace tidemark {

ReadPlan JobRun::base_read() const {
  ReadPlan read;
  read.relation = plan_.relation;
  read.columns = plan_.read_columns;
  read.named = plan_.named_columns;
  read.key = plan_.key;
  if (plan_.incremental()) {
    read.cursor = plan_.cursor;
    read.order = ReadOrder::cursor;
  }
  read.batch_rows = job_.batch_rows;
  read.batch_bytes = job_.batch_bytes;
  return read;
}

/// A full job that replaces or appends is all or nothing.
bool JobRun::single_transaction(const Pass& pass) const {
  if (off(Guard::replace_at_once)) return false;
  return pass.kind == Pass::Kind::whole && plan_.apply != Apply::upsert;
}

void JobRun::run_pass(const Pass& pass) {
  guard_.begin_reading();
  Reading reading({.source = *sessions_.source,
                   .plan = plan_,
                   .memory = ports_.memory,
                   .guard = guard_,
                   .clock = ports_.clock,
                   .source_rate = ports_.connections.rate(job_.source_connection),
                   .target_rate = ports_.connections.rate(job_.target_connection),
                   .digest_key = digest_key_,
                   .key_secret = key_secret_},
                  pass, checkpoint_.reached);
  struct Ended {
    RunGuard& guard;
    ~Ended() { guard.begin_reading(); }
  } ended{guard_};
  feed(reading,
       {.guard = guard_, .clock = ports_.clock, .limits = ports_.limits, .times = outcome_.phases},
       [&](ReadBatch& item) { take_batch(pass, item); });
  outcome_.phases.read += reading.times().read;
  outcome_.phases.transform += reading.times().transform;
  outcome_.phases.blocked_read += reading.times().blocked_read;
  if (request_.options.dry_run) return;
  if (off(Guard::sample_before_reading) && pass.kind == Pass::Kind::settle && pass.token) {
    Pass late = pass;
    late.token = sample().token;
    return complete(late);
  }
  complete(pass);
}

void JobRun::take_batch(const Pass& pass, ReadBatch& item) {
  RunCounts& counts = outcome_.counts;
  counts.rows_read += item.rows;
  counts.bytes_read += item.bytes;
  counts.rows_settle_read += item.second_looks;
  if (pass.kind == Pass::Kind::margin) counts.rows_audited += item.rows;
  if (request_.options.dry_run) return guard_.progress(false);
  Checkpoint next = open_ ? *open_ : checkpoint_;
  advance(next, pass, item, plan_.apply);
  // An audit asks the target itself, not what is remembered of it.
  const bool looks_twice = plan_.absorbs() && !plan_.output_key_at.empty() &&
                           pass.kind != Pass::Kind::whole && pass.kind != Pass::Kind::margin;
  if (!looks_twice || memory_.seen.empty())
    return write_batch(pass, item.batch, item, std::move(next));
  const std::vector<std::size_t> rows = memory_.seen.unknown(item.batch, plan_.output_key_at);
  if (rows.size() == item.batch.rows()) return write_batch(pass, item.batch, item, std::move(next));
  counts.written.unchanged += item.batch.rows() - rows.size();
  if (rows.empty()) {
    checkpoint_ = std::move(next);
    guard_.progress(false);
    return;
  }
  Batch some(item.batch.schema_ptr());
  std::size_t final_rows = 0;
  for (const std::size_t row : rows) {
    some.push_row(item.batch, row);
    if (row < item.final_rows) ++final_rows;
  }
  item.final_rows = final_rows;
  for (LateSlice& slice : item.late)
    slice.end = static_cast<std::size_t>(std::lower_bound(rows.begin(), rows.end(), slice.end) -
                                         rows.begin());
  write_batch(pass, some, item, std::move(next));
}

void JobRun::write_batch(const Pass& pass, const Batch& batch, const ReadBatch& item,
                         Checkpoint next) {
  if (pass.kind == Pass::Kind::margin) return compare_batch(pass, batch, item, std::move(next));
  hooks_before_change();
  // Without a key a position can only stand between two cursor values, so rows that share one
  // travel in one transaction.
  const bool holds_ties = plan_.apply == Apply::append && plan_.key.empty() && item.first;
  if (holds_ties && open_ && less(*open_last_, item.first->cursor)) commit(pass, *open_);
  put_rows(pass, batch, item.late, next);
  outcome_.counts.bytes_written += batch.bytes();
  ++outcome_.counts.batches;
  if (holds_ties || single_transaction(pass)) {
    if (holds_ties) {
      next.reached = Position{item.last->cursor, {}};
      open_last_ = item.last->cursor;
    }
    open_ = std::move(next);
    return;
  }
  commit(pass, std::move(next));
  if (plan_.absorbs() && !plan_.output_key_at.empty())
    memory_.seen.written(batch, plan_.output_key_at, item.final_rows);
}

void JobRun::commit(const Pass& pass, Checkpoint next) {
  WriteCounts written;
  try {
    written = writing_->commit(next);
  } catch (...) {
    open_.reset();
    late_.clear();
    throw;
  }
  checkpoint_ = std::move(next);
  open_.reset();
  outcome_.counts.written += written;
  if (pass.kind == Pass::Kind::margin)
    outcome_.counts.late_rows += written.inserted + written.updated;
  tell_late();
  report();
}

void JobRun::complete(const Pass& pass) {
  if (single_transaction(pass)) {
    // An empty source is written too: replacing with nothing is what was asked for.
    hooks_before_change();
    Checkpoint next = open_ ? *open_ : checkpoint_;
    finish(next, pass);
    return commit(pass, std::move(next));
  }
  if (open_) {
    Checkpoint next = *open_;
    finish(next, pass);
    commit(pass, std::move(next));
  } else {
    finish(checkpoint_, pass);
  }
  if (pass.kind == Pass::Kind::settle && !pass.read.below) memory_.seen.next_generation();
}

bool JobRun::marks_pending() const {
  return !memory_.saved || !(*memory_.saved == checkpoint_);
}

/// What must not wait: all but marks and times that moved without rows.
bool JobRun::must_save() const {
  if (!memory_.saved) return true;
  const Checkpoint& saved = *memory_.saved;
  return saved.definition != checkpoint_.definition || saved.epoch != checkpoint_.epoch ||
         saved.identity != checkpoint_.identity || saved.proof != checkpoint_.proof ||
         saved.initial_done != checkpoint_.initial_done ||
         saved.ranged_load.has_value() != checkpoint_.ranged_load.has_value() ||
         saved.backfill != checkpoint_.backfill || saved.broken != checkpoint_.broken ||
         !(saved.late == checkpoint_.late) || saved.floor != checkpoint_.floor ||
         saved.output != checkpoint_.output ||
         (saved.source_clock && *saved.source_clock > checkpoint_.source_clock);
}

void JobRun::save_marks() {
  Checkpoint next = checkpoint_;
  writing_->commit(next);
  checkpoint_ = std::move(next);
}

void JobRun::save_marks_at_stop() noexcept {
  if (!holding_ || !writing_ || request_.abort.stop_requested() || verdict()) return;
  try {
    writing_->drop();
    open_.reset();
    if (sessions_.target && sessions_.target->usable() && marks_pending()) save_marks();
    memory_.latest = checkpoint_;
  } catch (const std::exception&) {
    // The marks are proven again by the next run.
    memory_.forget_position();
  }
}

void JobRun::hooks(bool before) {
  const HookSettings& hooks = job_.hooks;
  if (before && hooks.when == HookWhen::changed) return;  // hooks_before_change
  const bool wanted = hooks.when == HookWhen::always ||
                      (hooks.when == HookWhen::initial && was_initial_) ||
                      (hooks.when == HookWhen::changed && hooked_);
  if (wanted) run_hooks(before ? hooks.before : hooks.after);
}

void JobRun::hooks_before_change() {
  if (hooked_) return;
  hooked_ = true;
  if (job_.hooks.when == HookWhen::changed) run_hooks(job_.hooks.before);
}

void JobRun::run_hooks(const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    try {
      sessions_.target->run_hook(statement, job_.hooks.timeout);
    } catch (Error& error) {
      error.with_context("hook", job_.target_table.display());
      if (job_.hooks.on_error == HookError::fail) throw;
      ports_.observer.note(job_.name, std::string("a hook failed: ") + error.what());
    }
  }
}

void JobRun::fill_progress() {
  Progress& progress = outcome_.progress;
  if (checkpoint_.definition.empty()) {
    // The position was not loaded: the job stands where it stood when this was last known.
    if (memory_.progress) progress = *memory_.progress;
    return;
  }
  if (checkpoint_.reached) progress.reached = checkpoint_.reached->cursor.text;
  if (checkpoint_.settled) progress.settled = checkpoint_.settled->text;
  progress.epoch = checkpoint_.epoch;
  progress.fresh_as_of = checkpoint_.fresh_as_of;
  progress.read_as_of = checkpoint_.read_as_of;
  progress.initial_done = checkpoint_.initial_done;
  if (plan_.cursor) {
    progress.proof_text = promise_text(checkpoint_, plan_);
    progress.proof = checkpoint_.broken ? ProofKind::lookback : plan_.proof;
    progress.lookback = lookback_text(checkpoint_, plan_);
    progress.broken = broken_text(checkpoint_, plan_);
  }
  if (checkpoint_.settled) progress.watermark_time = wall_time_of(*checkpoint_.settled);
  if (source_now_ && !plan_.cursor) progress.clock_skew = *source_now_ - ports_.clock.now();
  progress.blockers.clear();
  progress.blocked_since.reset();
  if (!checkpoint_.tokens.empty()) progress.blocked_since = checkpoint_.tokens.front().sampled;
  if (progress.blocked_since && blocked_) {
    progress.blockers = blocked_->blockers;
    if (blocked_->stale)
      progress.blockers.push_back(
          {.kind = "stale view", .id = "", .user = "", .gid = "", .age = {}});
  }
  memory_.progress = progress;
}

void JobRun::report() {
  fill_progress();
  ports_.observer.batch_committed({.job = job_.name,
                                   .run_id = request_.run_id,
                                   .counts = outcome_.counts,
                                   .phases = outcome_.phases,
                                   .progress = outcome_.progress});
}

}  // namespace tidemark
