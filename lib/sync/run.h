#pragma once

#include <memory>
#include <string>

#include "core/observer.h"
#include "core/ports.h"
#include "core/zones.h"
#include "sync/connections.h"
#include "sync/memory_budget.h"
#include "sync/runner.h"

namespace tidemark {

/// Bounds of a run that no job sets.
struct RunLimits {
  Duration lease = std::chrono::seconds(60);
  /// A horizon that settles so soon is waited for: fresh and settle are one read then.
  Duration settle_wait = std::chrono::milliseconds(250);
  /// The same before a first load in key ranges: without it all is read twice.
  Duration first_settle_wait = std::chrono::seconds(10);
  std::size_t queue_batches = 4;
  /// False: a run stays on its caller's thread. Reading and writing take turns, no lease is renewed
  /// beside a long write and no stall is noticed: for simulations, where each run of one seed must
  /// be like the other.
  bool threads = true;
  /// Marks that moved without rows are saved so often, and at stop.
  Duration save_marks_every = std::chrono::minutes(5);
  /// So often the rows just behind the settled mark are compared once more (cursor.audit).
  Duration audit_every = std::chrono::minutes(10);
  /// Catalogues are asked again after so long, though nothing has failed.
  Duration plan_life = std::chrono::minutes(5);
  /// A source clock that is so much behind what it must be has been set back.
  Duration clock_step = std::chrono::seconds(2);
};

/// What runs use of the outside. All outlive the runner; observer and clock from any thread.
struct RunnerPorts {
  Connections& connections;
  MemoryBudget& memory;
  const Clock& clock;
  Random& random;
  Observer& observer;
  const Zones& zones;
  std::string instance = "default";
  Holder holder = {};
  Secret key_secret = {};  ///< per install: row keys in errors are HMACs with it
  RunLimits limits = {};
};

/// A Runner that keeps jobs between runs: the lease of each, and marks not saved yet.
class SyncRunner : public Runner {
 public:
  /// At the end, when no run is under way: saves what is pending and gives the leases back, so that
  /// another daemon need not wait for them. Best effort: databases that are away are skipped.
  virtual void release_all() noexcept = 0;
  /// The same for one job (removed from the configuration).
  virtual void release(const JobName& job) noexcept = 0;
};

std::unique_ptr<SyncRunner> make_runner(RunnerPorts ports);

}  // namespace tidemark
