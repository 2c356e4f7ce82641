#pragma once

#include <optional>

#include "core/names.h"
#include "core/outcome.h"
#include "core/ports.h"
#include "core/target.h"
#include "sync/checkpoint.h"
#include "sync/job_plan.h"
#include "sync/seen_rows.h"

namespace tidemark {

/// What a run found out about a job's tables: the next one need not ask again as long as nothing
/// has failed and its sessions were there already. One that was opened since may lead to another
/// server.
struct KnownPlan {
  std::shared_ptr<const JobSettings> job;
  JobPlan plan;
  std::uint64_t source_session = 0;  ///< preferred, see Connections::Wanted
  std::uint64_t target_session = 0;
  std::uint64_t newest_session = 0;  ///< of all, when the plan was made
  std::string server;                ///< HorizonToken::server of the newest sample
  SteadyTime since{};
};

/// What is known of a job between its runs in this process. All of it may be lost at any time: the
/// checkpoint in the target is the truth. Used by one run at a time.
struct JobMemory {
  explicit JobMemory(DigestKey secret) : seen(secret) {}

  ConnectionName target_connection;
  TableName target_table;
  WriteSpec write;    ///< of the last run
  bool held = false;  ///< the lease is ours as far as we know
  std::int64_t fence = 0;
  std::optional<Checkpoint> saved;   ///< as the target has it
  std::optional<Checkpoint> latest;  ///< with marks that moved since, without rows
  SteadyTime saved_at{};
  std::optional<KnownPlan> known;
  SteadyTime leased_at{};  ///< when the lease was last renewed, at the latest
  bool in_doubt = false;   ///< the answer to the last commit was lost and not found out yet
  SeenRows seen;
  std::optional<Progress> progress;  ///< as last shown: what a run shows that finds out nothing
  /// The source's clock beside ours when last asked: shows a clock that was set back.
  std::optional<WallTime> source_clock;
  SteadyTime asked_at{};

  /// The job's row in the target, where this process knows it.
  std::optional<LeftBehind> left() const {
    if (!held || in_doubt || !saved) return std::nullopt;
    return LeftBehind{.fence = fence, .epoch = saved->epoch, .revision = saved->revision};
  }

  void forget_position() {
    saved.reset();
    latest.reset();
    known.reset();
    seen.clear();
  }
};

}  // namespace tidemark
