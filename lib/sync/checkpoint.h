#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/horizon.h"
#include "core/ports.h"
#include "core/target.h"
#include "core/value.h"
#include "sync/cursor_value.h"

namespace tidemark {

/// A first load in key ranges that is under way. Where each range stands is in RangeRecords.
struct RangedLoad {
  HorizonToken token;    ///< sampled before the first row was read
  bool settled = false;  ///< it had settled by then too: the load proves all below its mark
  std::vector<std::string> key = {};  ///< columns of the relation that order the ranges
};

/// Rows came behind a settled mark under which, by the proof, nothing could come any more.
struct BrokenPromise {
  WallTime since{};  ///< by the source's clock
  WallTime last{};
  std::uint64_t rows = 0;
  friend bool operator==(const BrokenPromise&, const BrokenPromise&) = default;
};

/// A settled mark of a number cursor and when it was in force: where an audit may begin.
struct PastMark {
  WallTime at{};
  Value mark;
  friend bool operator==(const PastMark&, const PastMark&) = default;
};

/// Where a job stands, typed. A plain value. What Target stores of it is CheckpointRecord.
struct Checkpoint {
  std::string definition;     ///< definition.h
  std::int64_t epoch = 1;     ///< marks move forward within one
  std::int64_t revision = 0;  ///< +1 at each save
  /// Behind this position nothing was read yet. A position with an empty key stands behind every
  /// row of its cursor value.
  std::optional<Position> reached = {};
  /// Every row below it that will ever be visible has been read.
  std::optional<Value> settled = {};
  std::vector<HorizonToken> tokens = {};  ///< open ones, oldest first
  std::string identity = {};              ///< Source::identity of the server the marks belong to
  ProofKind proof = ProofKind::lookback;  ///< what `settled` rests on
  bool initial_done = false;
  std::optional<RangedLoad> ranged_load = {};
  /// What was read so far must be read once more (columns were added, a definition accepted).
  bool backfill = false;
  std::optional<WallTime> fresh_as_of = {};   ///< Progress::fresh_as_of
  std::optional<WallTime> read_as_of = {};    ///< Progress::read_as_of
  std::optional<WallTime> source_clock = {};  ///< when it was last asked: shows a step back
  std::optional<WallTime> our_clock = {};     ///< at that moment
  std::optional<BrokenPromise> broken = {};   ///< until a person has answered
  /// How far behind what had been read rows came, at worst. Only a person sets it back.
  Distance late = {};
  /// The horizon's mark, without any lookback, at the newest read that reached the end.
  std::optional<Value> read_mark = {};
  /// Rows below it are not this job's to compare: they were skipped, or written by other rules.
  std::optional<Value> floor = {};
  std::string output = {};  ///< JobPlan::output of the last run
  std::optional<WallTime> audited_at = {};
  std::vector<PastMark> past_marks = {};  ///< of number cursors, oldest first
  friend bool operator==(const Checkpoint& left, const Checkpoint& right);
};

/// Enough for polls every 200 ms and transactions of up to 5 s that overlap: MariaDB's mark then
/// moves 24 times in a stormy minute, with 8 horizons 16 times.
inline constexpr std::size_t max_open_tokens = 24;

CheckpointRecord encode(const Checkpoint& checkpoint);
/// Strict: what is not exactly as `encode` writes it throws Error{position_lost}, which says which
/// field is at fault and what to do, and quotes nothing of it.
Checkpoint decode(const CheckpointRecord& record);

/// One line of JSON for values of a key: bounds and positions of RangeRecords; "" for none.
std::string encode_key(const std::vector<Value>& key);
/// Strict as `decode` is.
std::vector<Value> decode_key(const std::string& text);

/// One line of JSON, for `checkpoint show` and logs of positions.
std::string encode_position(const Position& position);
Position decode_position(const std::string& text);

}  // namespace tidemark
