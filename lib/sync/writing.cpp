#include "sync/writing.h"

#include "core/guard_switch.h"
#include "sync/row_error.h"
#include "sync/stopwatch.h"

namespace tidemark {

/// A run that took the job's position from memory must not write over another: that of who has
/// taken the job over, or of a target that was restored.
void Writing::confirm() {
  const TableName& table = ports_.plan.write.table;
  const auto left = ports_.memory.left();
  const bool kept =
      left && ports_.target->keep(ports_.job, ports_.holder, *left, table, ports_.lease);
  const Acquired now =
      kept ? Acquired{} : ports_.target->acquire(ports_.job, ports_.holder, table, ports_.lease);
  ports_.memory.leased_at = ports_.clock.steady();
  ports_.confirmed = true;
  if (kept) return;
  const auto& saved = ports_.memory.saved;
  if (now.granted && now.fence == ports_.fence.load() && saved && now.checkpoint &&
      now.checkpoint->revision == saved->revision && now.checkpoint->epoch == saved->epoch)
    return;
  throw Error({.kind = FailureKind::conflict,
               .message = "the job's position was changed by somebody else between two runs",
               .code = "moved",
               .operation = "write",
               .table = ports_.plan.write.table.display()});
}

void Writing::begin() {
  if (!ports_.confirmed) confirm();
  load_ = begun(finishing_ ? LoadStage::finishing : stage_);
}

std::unique_ptr<Load> Writing::begun(LoadStage stage) const {
  return ports_.target->begin({.job = ports_.job,
                               .fence = ports_.fence.load(),
                               .lease = ports_.lease,
                               .write = ports_.plan.write,
                               .stage = stage});
}

void Writing::put_into(Load& load, const Batch& batch) const {
  switch (apply_) {
    case Apply::upsert:
      return load.upsert(batch);
    case Apply::insert_missing:
      return load.insert_missing(batch);
    case Apply::append:
    case Apply::replace:
      return load.append(batch);
  }
}

WriteCounts Writing::put(const Batch& batch, Apply apply) {
  const Stopwatch watch(ports_.clock, ports_.times.write);
  if (!load_) begin();
  apply_ = apply;
  const WriteCounts before = load_->written();
  try {
    put_into(*load_, batch);
  } catch (const Error& error) {
    load_.reset();
    if (error.error_class() == ErrorClass::data) refuse(batch, error);
    throw;
  }
  ports_.guard.progress(false);
  const WriteCounts after = load_->written();
  return {.inserted = after.inserted - before.inserted,
          .updated = after.updated - before.updated,
          .deleted = after.deleted - before.deleted,
          .unchanged = after.unchanged - before.unchanged};
}

WriteCounts Writing::commit(Checkpoint& checkpoint) {
  const Stopwatch watch(ports_.clock, ports_.times.commit);
  std::optional<RunGuard::Patience> patience;
  if (finishing_) {
    load_.reset();
    patience.emplace(ports_.guard);
  }
  if (!load_) begin();
  checkpoint.revision = ports_.memory.saved ? ports_.memory.saved->revision + 1 : 1;
  WriteCounts counts;
  try {
    if (off(Guard::rows_with_checkpoint)) {
      counts = load_->commit();
      begin();
    }
    load_->save(encode(checkpoint));
    if (ranges_) load_->save_ranges(*ranges_);
    counts += load_->commit();
    load_.reset();
  } catch (const Error& error) {
    load_.reset();
    if (!error.in_doubt()) throw;
    find_out(error, checkpoint);
  }
  ranges_.reset();
  finishing_ = false;
  ports_.memory.saved = checkpoint;
  ports_.memory.latest = checkpoint;
  ports_.memory.saved_at = ports_.memory.leased_at = ports_.clock.steady();
  ports_.guard.progress(true);
  return counts;
}

WriteCounts Writing::commit_range(const RangeRecord& range) {
  const Stopwatch watch(ports_.clock, ports_.times.commit);
  if (!load_) begin();
  const std::unique_ptr<Load> load = std::move(load_);
  load->save_range(range);
  const WriteCounts counts = load->commit();
  ports_.guard.progress(false);
  return counts;
}

void Writing::find_out(const Error& lost, const Checkpoint& checkpoint) {
  ports_.memory.in_doubt = true;
  ports_.guard.watch(static_cast<Target*>(nullptr));
  Error::Fields fields = lost.fields();
  fields.in_doubt = false;
  Acquired now;
  try {
    ports_.target.reopen();
    now = ports_.target->recover(ports_.job, ports_.holder, ports_.plan.write.table, ports_.lease);
  } catch (const Error&) {
    // Not to be found out now; the next run asks again before it does anything else.
    throw Error(std::move(fields));
  }
  ports_.guard.watch(&*ports_.target);
  ports_.memory.in_doubt = false;
  const bool arrived = now.granted && !now.took_over && now.checkpoint &&
                       now.checkpoint->revision == checkpoint.revision;
  if (!arrived && !off(Guard::find_out_doubt)) {
    ports_.memory.forget_position();
    throw Error(std::move(fields));
  }
  ports_.fence = now.fence;
  ports_.memory.fence = now.fence;
  ports_.target->prepare(ports_.plan.write);
  ports_.observer.note(ports_.plan.job->name,
                       "the answer to a commit was lost; the checkpoint shows that it arrived");
}

bool Writing::fails(const Batch& part) {
  const auto load = begun(stage_);
  try {
    put_into(*load, part);
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::data) throw;
    return true;
  }
  return false;
}

/// Halves the batch in transactions that are rolled back.
std::optional<std::size_t> Writing::find_row(const Batch& batch, const Error& error) {
  const auto& hint = error.fields().row;
  if (hint && *hint < batch.rows() && fails(batch.slice(*hint, 1))) return *hint;
  std::size_t first = 0;
  std::size_t count = batch.rows();
  while (count > 1) {
    const std::size_t half = count / 2;
    if (fails(batch.slice(first, half))) {
      count = half;
    } else if (fails(batch.slice(first + half, count - half))) {
      first += half;
      count -= half;
    } else {
      return std::nullopt;  // the rows clash with each other only
    }
  }
  return count == 1 ? std::optional(first) : std::nullopt;
}

void Writing::refuse(const Batch& batch, const Error& error) {
  Error::Fields fields = error.fields();
  if (fields.table.empty()) fields.table = ports_.plan.write.table.display();
  if (fields.operation.empty()) fields.operation = "write";
  std::optional<std::size_t> row;
  try {
    if (ports_.target->usable() && !ports_.guard.stopping()) row = find_row(batch, error);
  } catch (const Error&) {
    row.reset();  // what is to be reported is the row's error, not that of looking for it
  }
  fields.row = row;
  throw RowError(Error(std::move(fields)),
                 row ? key_hash_of(batch, *row, ports_.plan.output_key_at, ports_.key_secret) : "");
}

}  // namespace tidemark
