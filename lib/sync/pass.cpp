#include "sync/pass.h"

#include "core/guard_switch.h"
#include "sync/cursor_value.h"

namespace tidemark {
namespace {

void raise_settled(Checkpoint& checkpoint, const Value& to) {
  if (!checkpoint.settled || less(*checkpoint.settled, to)) checkpoint.settled = to;
}

/// Every token up to this mark has been settled with it.
void settle(Checkpoint& checkpoint, const Value& mark) {
  raise_settled(checkpoint, mark);
  std::erase_if(checkpoint.tokens,
                [&](const HorizonToken& token) { return !less(mark, token.mark); });
}

void raise_time(std::optional<WallTime>& time, WallTime to) {
  if (!time || *time < to) time = to;
}

/// Rows that are written between the sample and the read are stamped a little later than it.
constexpr Duration since_the_sample = std::chrono::seconds(10);

/// A row dated far ahead must not carry `reached` with it: rows before it would wait to be settled.
/// What may stand there instead of it; nullopt for a row that is no further than rows are now.
/// (Numbers and transaction ids do not lie in the future.)
std::optional<Value> bound_for(const Value& last, const HorizonToken& token) {
  if (!less(token.mark, last)) return std::nullopt;
  if (token.proof == ProofKind::lookback) return token.mark;
  if (!is_temporal(token.mark.type.kind)) return std::nullopt;
  if (!less(minus(token.mark, -(token.behind + since_the_sample)), last)) return std::nullopt;
  return minus(token.mark, -token.behind);
}

void raise_reached(Checkpoint& checkpoint, const Pass& pass, const Position& last, bool in_order) {
  const auto bound = pass.has_mark() ? bound_for(last.cursor, *pass.token) : std::nullopt;
  if (bound) {
    if (!checkpoint.reached || less(checkpoint.reached->cursor, *bound))
      checkpoint.reached = Position{*bound, {}};
    return;
  }
  // Keys are ordered by the source alone, so of two positions with one cursor value only the order
  // of reading tells which is behind the other.
  if (in_order || !checkpoint.reached || less(checkpoint.reached->cursor, last.cursor))
    checkpoint.reached = last;
}

}  // namespace

void start_fresh(ReadPlan& read, const Checkpoint& checkpoint, const JobPlan& plan) {
  const auto& reached = checkpoint.reached;
  const auto& settled = checkpoint.settled;
  if (settled && (!reached || less(reached->cursor, *settled)))
    read.from = settled;
  else if (reached)
    read.after = reached;
  else
    read.from = plan.start;
}

void start_settle(ReadPlan& read, const Checkpoint& checkpoint, const JobPlan& plan) {
  const auto& reached = checkpoint.reached;
  const auto& settled = checkpoint.settled;
  // An append that was interrupted goes on behind its last row; all its rows are settled ones.
  if (plan.apply == Apply::append && reached && !(settled && less(reached->cursor, *settled)))
    read.after = reached;
  else if (settled && off(Guard::settle_from_mark_on))
    read.after = Position{*settled, {}};
  else if (settled)
    read.from = settled;
  else
    read.from = plan.start;
}

void advance(Checkpoint& checkpoint, const Pass& pass, const ReadBatch& batch, Apply apply) {
  if (batch.last && pass.kind == Pass::Kind::fresh)
    raise_reached(checkpoint, pass, *batch.last, true);
  if (batch.last && pass.kind == Pass::Kind::settle) {
    raise_reached(checkpoint, pass, *batch.last, apply == Apply::append);
    // The pass reads in order and sees all that can ever be below the mark, so what lies below its
    // last row is settled as it goes.
    if (pass.has_mark()) raise_settled(checkpoint, lesser(batch.last->cursor, pass.token->mark));
  }
  if (batch.ends_pass) finish(checkpoint, pass);
}

void finish(Checkpoint& checkpoint, const Pass& pass) {
  switch (pass.kind) {
    case Pass::Kind::whole:
      checkpoint.initial_done = true;
      break;
    case Pass::Kind::fresh:
      checkpoint.initial_done = true;
      break;
    case Pass::Kind::settle:
      checkpoint.initial_done = true;
      if (!pass.has_mark()) break;
      settle(checkpoint, pass.token->mark);
      break;
    case Pass::Kind::backfill:
      if (pass.ends_backfill) checkpoint.backfill = false;
      return;
    case Pass::Kind::margin:
    case Pass::Kind::nulls:
    case Pass::Kind::range:
      return;
  }
  if (pass.read_to && !pass.read_to->null &&
      (!checkpoint.read_mark || less(*checkpoint.read_mark, *pass.read_to)))
    checkpoint.read_mark = pass.read_to;
  if (!pass.token) return;
  if (!checkpoint.audited_at) checkpoint.audited_at = pass.token->sampled;
  raise_time(checkpoint.read_as_of, pass.token->sampled);
  if (pass.kind != Pass::Kind::fresh) raise_time(checkpoint.fresh_as_of, pass.token->sampled);
}

void keep_token(Checkpoint& checkpoint, const HorizonToken& token) {
  if (token.mark.null) return;
  if (checkpoint.tokens.size() == max_open_tokens) checkpoint.tokens.pop_back();
  checkpoint.tokens.push_back(token);
}

void finish_ranged_load(Checkpoint& checkpoint) {
  const RangedLoad load = *checkpoint.ranged_load;
  checkpoint.ranged_load.reset();
  checkpoint.initial_done = true;
  raise_time(checkpoint.read_as_of, load.token.sampled);
  if (load.settled || off(Guard::first_load_waits)) {
    // All below the mark was read in snapshots opened after its transactions had ended. What was
    // read at or above it counts for nothing.
    settle(checkpoint, load.token.mark);
    raise_time(checkpoint.fresh_as_of, load.token.sampled);
    return;
  }
  checkpoint.reached = Position{load.token.mark, {}};
  keep_token(checkpoint, load.token);
}

void open_epoch(Checkpoint& checkpoint) {
  ++checkpoint.epoch;
  checkpoint.reached.reset();
  checkpoint.settled.reset();
  checkpoint.tokens.clear();
  checkpoint.initial_done = false;
  checkpoint.ranged_load.reset();
  checkpoint.backfill = false;
  checkpoint.fresh_as_of.reset();
  checkpoint.read_as_of.reset();
  checkpoint.read_mark.reset();
  checkpoint.floor.reset();
  checkpoint.audited_at.reset();
  checkpoint.past_marks.clear();
}

}  // namespace tidemark
