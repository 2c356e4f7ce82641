#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/names.h"
#include "core/observer.h"
#include "core/outcome.h"
#include "core/pauses.h"
#include "core/ports.h"
#include "core/secret.h"

namespace tidemark::state {

/// One finished run. A failure's driver text is not kept.
struct RunRecord {
  std::int64_t id = 0;  ///< of the row; grows with time. 0 in a record to be written
  std::string run_id;
  JobName job;
  Trigger trigger = Trigger::schedule;
  WallTime started{};
  WallTime ended{};
  Duration took{};  ///< by the steady clock
  RunResult result = RunResult::failed;
  std::optional<Failure> failure = {};
  std::string held_by = {};
  RunCounts counts = {};
  PhaseTimes phases = {};
  std::optional<Duration> lag = {};          ///< at the run's end
  std::optional<WallTime> fresh_as_of = {};  ///< as in Progress; the source's clock
  std::optional<WallTime> read_as_of = {};
  Duration clock_skew{};
};

/// Who did what over the control socket, the API or a signal.
struct AuditRecord {
  std::int64_t id = 0;
  WallTime at{};
  std::string actor;   ///< "uid 1000", "token", "signal"
  std::string action;  ///< "pause", "reload", "resync", …
  std::string object;  ///< job or connection; may be empty
  std::string result;  ///< "ok" or why not
};

/// The daemon's own SQLite file, `state.db` in the state directory: run history, pauses, audit
/// records and the installation's HMAC key. Nothing in it is needed to keep tables in step: marks
/// live in the targets.
///
/// Threads: any, all methods. What is written goes to a writer thread of its own, so a write costs
/// its caller a queue push and never waits for the disk; runs are written twice a second, all else
/// at once; pauses and the key are answered from memory; the other queries wait for writes queued
/// before them and read the file (under a millisecond): call them from a worker.
///
/// Errors: `open` and the queries that read the file throw Error. Writes never do: a full or broken
/// disk costs history, not the daemon. Such writes are counted in `errors()` and reported once
/// through `on_problem`; pauses stay in memory and are written when the disk takes writes again.
class StateStore final : public PauseStore {
 public:
  struct Options {
    std::string directory;   ///< made (0750) if missing
    bool read_only = false;  ///< for looking without a daemon: no lock, no writer, nothing is made
    std::size_t runs_per_job = 1000;  ///< kept at least, a tenth more at most
    std::size_t audit_records = 10'000;
    /// Told what went wrong with the file and what was done about it. Any thread; must not call
    /// back into the store.
    std::function<void(std::string_view text)> on_problem = {};
  };

  /// Takes the directory's lock, opens or makes the file, brings its schema up to date. A damaged
  /// file is moved aside ("state.db.damaged-…") and begun anew with what could be saved of pauses
  /// and key. Throws Error: permission or resource where directory or file can't be made or opened,
  /// conflict with code "locked" when another process holds the directory, schema for a file of a
  /// newer version; with read_only, resource with code "absent" where there is no file.
  static std::unique_ptr<StateStore> open(Options options);

  /// Writes what is queued, then closes.
  ~StateStore() override;
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  void record_run(RunRecord record);
  /// Newest first; `before` is the id of the last record of the page before.
  std::vector<RunRecord> history(const JobName& job, std::size_t limit = 20,
                                 std::optional<std::int64_t> before = {}) const;
  /// What the scheduler must know when the daemon starts.
  std::map<JobName, JobHistory> job_history() const;
  /// How fresh each job's target was when last known: so that lag survives a restart.
  std::map<JobName, Progress> last_progress() const;
  /// Forgets runs and pause of a job that was removed from the configuration for good.
  void purge(const JobName& job);

  /// PauseStore. From memory; the file follows.
  std::vector<Pause> load() override;
  void save(const Pause& pause) noexcept override;
  void remove(const JobName& job) noexcept override;

  void record_audit(AuditRecord record);
  std::vector<AuditRecord> audit(std::size_t limit = 100,
                                 std::optional<std::int64_t> before = {}) const;

  /// 32 random bytes, made once per installation: keys of rows appear in errors only as HMACs.
  const Secret& key_secret() const noexcept;

  /// As DirectoryLock::identity; "" when read only. The lock is kept until this is destroyed.
  std::string lock_identity() const;

  /// Waits until all that was queued before has been written (or has failed).
  void flush() const;
  /// Size of the file with its write-ahead log.
  std::uint64_t bytes() const noexcept;
  /// Writes and queries that failed since the process started.
  std::uint64_t errors() const noexcept;
  /// The last write arrived: what /readyz asks.
  bool healthy() const noexcept;

 private:
  struct Impl;
  explicit StateStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::state
