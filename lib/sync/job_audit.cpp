// The look behind the settled mark: what makes its promise falsifiable, and what follows from it.
#include "sync/audit.h"
#include "sync/job_run.h"

namespace tidemark {

/// A person's answer ends what a broken promise began; and rows that other rules wrote are not
/// compared.
void JobRun::check_promise() {
  if (!plan_.incremental()) return;
  using Accept = RunOptions::Accept;
  const Accept answer = request_.options.accept;
  if (answer != Accept::none) {
    if (checkpoint_.broken && answer == Accept::backfill) checkpoint_.backfill = true;
    if (checkpoint_.broken && answer == Accept::resync && checkpoint_.initial_done)
      begin_epoch("rows came behind the mark, and a resync was asked for");
    checkpoint_.broken.reset();
    checkpoint_.late = {};
  }
  follow_output(checkpoint_, plan_);
}

/// Reads what lies just behind the settled mark once more: the margin in each run, what
/// `cursor.audit` names every ten minutes.
void JobRun::look_behind(const Sample& sample) {
  if (!checkpoint_.initial_done || !checkpoint_.settled || !can_audit(plan_)) return;
  const WallTime now = sample.token.sampled;
  const Value& settled = *checkpoint_.settled;
  std::optional<Value> from;
  if (const Lookback margin = lookback_of(checkpoint_, plan_); plan_.proven() && !margin.none())
    from = within_reach(checkpoint_, plan_, minus(settled, margin));
  const bool due = audit_due(checkpoint_, plan_, now, ports_.limits.audit_every);
  if (due)
    if (const auto start = audit_start(checkpoint_, plan_, now))
      from = from ? lesser(*from, *start) : *start;
  if (from && less(*from, settled)) {
    Pass pass{.kind = Pass::Kind::margin, .read = base_read()};
    pass.read.from = from;
    pass.read.below = settled;
    pass.late_before = plan_.proven() || !checkpoint_.read_mark ? settled : *checkpoint_.read_mark;
    run_pass(pass);
  }
  if (due) audited(checkpoint_, plan_, now);
}

/// A lookback that was raised reaches behind the mark that the shorter one has settled.
void JobRun::reach_back(Pass& pass) const {
  pass.late_before = checkpoint_.read_mark;
  if (!pass.has_mark() || !pass.read.from) return;
  const Value start = within_reach(checkpoint_, plan_, pass.token->mark);
  if (less(start, *pass.read.from)) pass.read.from = start;
}

/// Writes the rows; those that may have come late apart, by how late, so that it is known which of
/// them changed anything.
void JobRun::put_rows(const Pass& pass, const Batch& batch, const std::vector<LateSlice>& slices,
                      Checkpoint& next) {
  const bool compares = pass.kind == Pass::Kind::margin && plan_.apply == Apply::append;
  const Apply apply = compares ? Apply::insert_missing : plan_.apply;
  std::size_t first = 0;
  for (const LateSlice& slice : slices) {
    if (slice.end <= first) continue;
    const WriteCounts wrote = writing_->put(batch.slice(first, slice.end - first), apply);
    first = slice.end;
    if (wrote.inserted + wrote.updated == 0) continue;
    const LateRows late{.by = slice.by, .rows = wrote.inserted + wrote.updated};
    late_.push_back(late);
    take_late(next, plan_, late, pass.kind == Pass::Kind::margin, *source_now_);
  }
  if (first == 0)
    writing_->put(batch, apply);
  else if (first < batch.rows())
    writing_->put(batch.slice(first, batch.rows() - first), apply);
}

/// A batch behind the mark: nothing is committed where it changes nothing, which is as it should
/// be.
void JobRun::compare_batch(const Pass& pass, const Batch& batch, const ReadBatch& item,
                           Checkpoint next) {
  put_rows(pass, batch, item.late, next);
  if (late_.empty()) {
    writing_->drop();
    outcome_.counts.written.unchanged += batch.rows();
    return guard_.progress(false);
  }
  outcome_.counts.bytes_written += batch.bytes();
  ++outcome_.counts.batches;
  commit(pass, std::move(next));
  // What was changed was not known before: a hook that belongs before a change comes behind it.
  hooks_before_change();
}

/// After the commit: who watches is told what came late, and people what follows.
void JobRun::tell_late() {
  if (late_.empty()) return;
  std::uint64_t rows = 0;
  for (const LateRows& late : late_) {
    rows += late.rows;
    if (late.by.count == 0) ports_.observer.rows_came_late(job_.name, late.by.time, late.rows);
  }
  late_.clear();
  if (checkpoint_.broken) return ports_.observer.note(job_.name, broken_text(checkpoint_, plan_));
  ports_.observer.note(job_.name, std::to_string(rows) + " rows came late; the lookback is " +
                                      lookback_text(checkpoint_, plan_) + " now");
}

}  // namespace tidemark
