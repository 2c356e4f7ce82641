#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/observer.h"
#include "core/outcome.h"
#include "core/settings.h"

namespace tidemark {

/// What a person asked of one run, beyond what the job's settings say.
struct RunOptions {
  /// Forget the mark and read all again; the target's rows stay until they are overwritten.
  bool resync = false;
  /// Read and transform, count what would be written, write nothing, save nothing.
  bool dry_run = false;
  std::uint64_t limit = 0;  ///< dry_run only: stop after so many rows; 0: all

  /// Read a range again; the mark does not move.
  struct Backfill {
    std::optional<std::string> from = {};  ///< cursor value, inclusive
    std::optional<std::string> to = {};    ///< cursor value, exclusive
    std::string where = {};                ///< or a predicate on the source
  };
  std::optional<Backfill> backfill = {};

  /// The user's answer to a checkpoint of another definition.
  enum class Accept { none, keep_mark, backfill, resync };
  Accept accept = Accept::none;

  /// Look whether the cause of a halt is gone; transfer nothing. Success means: go on.
  bool probe = false;
};

struct RunRequest {
  std::shared_ptr<const JobSettings> job;
  std::string run_id;
  Trigger trigger = Trigger::schedule;
  RunOptions options = {};
  /// Asked to stop: finish or roll back the batch in flight, save the checkpoint, return.
  std::stop_token stop = {};
  /// Asked to stop at once: cancel the statement under way, roll back, return.
  std::stop_token abort = {};
};

/// Executes runs. `run` is called on worker threads, for one job never twice at a time; different
/// jobs may run at once. It is the only border between exceptions and values.
class Runner {
 public:
  virtual ~Runner() = default;
  virtual Outcome run(const RunRequest& request) noexcept = 0;
};

}  // namespace tidemark
