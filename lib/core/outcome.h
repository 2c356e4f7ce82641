#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/horizon.h"
#include "core/ports.h"
#include "core/target.h"

namespace tidemark {

enum class RunResult { success, partial, failed, cancelled, held };
std::string_view to_string(RunResult result) noexcept;

/// An Error as a value, for the loop, history and API. Holds no row values and no secrets.
struct Failure {
  FailureKind kind = FailureKind::internal;
  std::string message;  ///< Error::what(): whole, for people
  std::string code = {};
  std::string table = {};
  std::string column = {};
  std::string hint = {};
  std::string key_hash = {};     ///< HMAC of the row's key, for data errors
  std::string driver_text = {};  ///< debug log only
  /// Waits for a person though its kind would not (changed definition, broken assumption).
  bool needs_person = false;
  std::string remedy = {};  ///< closed set: credentials permission schema config accept data report
  static Failure from(const Error& error);
  ErrorClass error_class() const noexcept { return class_of(kind); }
};

struct RunCounts {
  std::uint64_t rows_read = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t rows_settle_read = 0;  ///< of rows_read: second looks of the settle pass
  std::uint64_t rows_filtered = 0;
  std::uint64_t rows_rejected = 0;
  WriteCounts written = {};
  std::uint64_t bytes_written = 0;
  std::uint64_t batches = 0;
  /// Rows that came behind a mark under which, by the proof, nothing could come any more.
  std::uint64_t late_rows = 0;
  std::uint64_t rows_audited = 0;  ///< of rows_read: compared once more behind the settled mark
  std::uint64_t retries = 0;
  /// About how many rows a pass over a whole table will read; 0: not such a pass, or not known.
  std::uint64_t rows_expected = 0;
};

struct PhaseTimes {
  Duration connect{}, read{}, transform{}, write{}, commit{}, wait{};
  /// The reader waited for the writer to take a batch; the writer waited for one to be read.
  Duration blocked_read{}, blocked_write{};
};

/// Where a job stands after a run: what status, metrics and lag are computed from.
struct Progress {
  std::string reached = {};  ///< cursor text
  std::string settled = {};
  std::optional<ProofKind> proof = {};
  std::string proof_text =
      {};  ///< "exact (P3)", "exact (assumed: server_assigned)", "lookback 15m"
  std::int64_t epoch = 1;
  /// Source's clock at the start of the newest read that reached the end and has settled.
  std::optional<WallTime> fresh_as_of = {};
  /// The same, settled or not.
  std::optional<WallTime> read_as_of = {};
  /// Source's clock minus ours when last asked.
  Duration clock_skew{};
  std::optional<WallTime> watermark_time = {};  ///< settled, for temporal cursors
  std::optional<WallTime> blocked_since = {};   ///< oldest open token's sampling time
  std::vector<Blocker> blockers = {};
  std::vector<std::string> drift = {};
  bool initial_done = false;
  std::uint32_t ranges = 0;           ///< of a first load in key ranges that is under way; else 0
  std::uint32_t ranges_finished = 0;  ///< of these
  /// What the audit found of the promise that `proof_text` makes: "" while it holds. For people,
  /// with what to do.
  std::string broken = {};
  /// How far behind the horizon a job without proof reads again: "15m", "40m (raised from 15m)".
  std::string lookback = {};
};

/// What one run came to: the only border between exceptions and values.
struct Outcome {
  RunResult result = RunResult::failed;
  std::optional<Failure> failure = {};
  std::string held_by = {};
  Duration held_for{};  ///< what is left of the other's lease, by the target's clock
  RunCounts counts = {};
  PhaseTimes phases = {};
  Progress progress = {};
};

}  // namespace tidemark
