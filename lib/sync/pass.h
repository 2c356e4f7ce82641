#pragma once

#include <optional>

#include "core/source.h"
#include "sync/batch_queue.h"
#include "sync/checkpoint.h"
#include "sync/job_plan.h"

namespace tidemark {

/// One read of the source from begin to end, in one snapshot, and what it proves. A run is a
/// sequence of passes, each in a later snapshot than the one before, so that an older version of a
/// row never overwrites a newer one.
struct Pass {
  enum class Kind {
    whole,     ///< a full job: every row
    fresh,     ///< what lies behind `reached`, whoever may still commit before it
    settle,    ///< from `settled` on, after every transaction behind `token` has ended
    margin,    ///< below `settled` again (audit, margin): nothing may have changed there
    nulls,     ///< rows without a cursor
    backfill,  ///< a range again; no mark moves
    range,     ///< one key range of a first load, in key order (first_load.h)
  };
  Kind kind = Kind::whole;
  ReadPlan read = {};
  /// Of fresh and settle: the horizon sampled before; its mark bounds what `reached` may become,
  /// and what a settle pass may settle.
  std::optional<HorizonToken> token = {};
  /// The horizon's mark without any lookback, of fresh and settle: what this pass reads up to.
  std::optional<Value> read_to = {};
  /// A row below it that changes anything at the target came late.
  std::optional<Value> late_before = {};
  bool ends_backfill = false;  ///< its end fulfils Checkpoint::backfill

  bool has_mark() const noexcept { return token && !token->mark.null; }
};

/// Where the fresh pass begins.
void start_fresh(ReadPlan& read, const Checkpoint& checkpoint, const JobPlan& plan);
/// Where a settle pass begins.
void start_settle(ReadPlan& read, const Checkpoint& checkpoint, const JobPlan& plan);

/// What the checkpoint becomes with a batch of a pass; `finish` where nothing follows.
void advance(Checkpoint& checkpoint, const Pass& pass, const ReadBatch& batch, Apply apply);
void finish(Checkpoint& checkpoint, const Pass& pass);

/// Keeps a token that has not settled. Where there are too many, the newest makes way: the oldest
/// settles first, and one of now settles as soon as a long transaction has ended.
void keep_token(Checkpoint& checkpoint, const HorizonToken& token);

/// What a first load in key ranges has proved when all of them are finished.
void finish_ranged_load(Checkpoint& checkpoint);

/// Marks may go back only here: what was read is read again, under a new epoch.
void open_epoch(Checkpoint& checkpoint);

}  // namespace tidemark
