#pragma once

#include <functional>
#include <optional>
#include <string>

#include "connector/sql/dialect.h"
#include "connector/sql/session.h"
#include "core/error.h"
#include "core/target.h"

namespace tidemark::sql {

/// The tables of ours in a target: tidemark_checkpoint (a row per job) and tidemark_range (a row
/// per key range of a first load). Worker thread, the session's. All times by the target's clock.
///
/// acquire, recover, renew and release run a transaction of their own and must not be called within
/// one; `save` stands in the caller's. Throws Error{conflict, code "fenced"} where another holder
/// has taken over, Error{permission} with the DDL as hint where the tables can't be made.
class CheckpointStore {
 public:
  /// Ends a session of the target by its recorded id (best effort, must not throw).
  using EndSession = std::function<void(const std::string& backend)>;

  /// `schema` may be empty: the connection's own.
  CheckpointStore(Session& session, const Dialect& dialect, std::string schema);

  /// Makes both tables where they are missing. Harmless when another session does so at once.
  void ensure();

  /// Target::acquire. `backend` is the id of the session that will write, kept for whoever has to
  /// end it. Before a take-over `end_session` gets the id of the session that held the job.
  Acquired acquire(const JobKey& job, const Holder& holder, Duration lease,
                   const std::string& backend, const EndSession& end_session = {});
  /// Target::recover: ends the remembered session, waits for its transaction on the job's row,
  /// raises the fence, reads. Not granted when another holder has the job by now.
  Acquired recover(const JobKey& job, const Holder& holder, Duration lease,
                   const std::string& backend, const EndSession& end_session = {});
  void renew(const JobKey& job, std::int64_t fence, Duration lease);
  /// Target::keep; `backend` as in `acquire`.
  bool keep(const JobKey& job, const Holder& holder, const LeftBehind& left, Duration lease,
            const std::string& backend);
  /// No error when the job is no longer ours.
  void release(const JobKey& job, std::int64_t fence);
  std::optional<Acquired> peek(const JobKey& job);

  /// Within the caller's transaction, beside the rows: checks the fence and that the stored
  /// checkpoint is the one before this (Load::save), renews the lease.
  void save(const JobKey& job, std::int64_t fence, Duration lease,
            const CheckpointRecord& checkpoint);

  /// Target::ranges.
  std::vector<RangeRecord> ranges(const JobKey& job);
  /// Load::save_ranges and Load::save_range, within the caller's transaction.
  void save_ranges(const JobKey& job, const std::vector<RangeRecord>& ranges);
  void save_range(const JobKey& job, std::int64_t fence, const RangeRecord& range);

  /// DDL of both tables, for `grants` and for the hint of a missing privilege.
  std::vector<std::string> definitions() const;

 private:
  struct Row;
  std::string where(const JobKey& job) const;
  std::string text(const std::string& value) const;
  std::string number(std::int64_t value) const;
  std::optional<Row> load(const JobKey& job, bool lock);
  bool present();
  Error gone_back(const JobKey& job) const;
  Error not_allowed(const Error& error) const;
  Acquired take(const JobKey& job, const Holder& holder, Duration lease, const std::string& backend,
                bool recovering);
  Acquired attempt(const JobKey& job, const Holder& holder, Duration lease,
                   const std::string& backend, const EndSession& end_session, bool recovering);
  void check_fence(const JobKey& job, std::int64_t fence, const Result& update);
  /// Reads the fence under a lock; throws where it is another.
  void require_fence(const JobKey& job, std::int64_t fence, std::string_view lock);

  Session& session_;
  const Dialect& dialect_;
  std::string schema_;
  std::string checkpoints_;  ///< quoted
  std::string ranges_;       ///< quoted
};

}  // namespace tidemark::sql
