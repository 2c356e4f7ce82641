#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/observer.h"
#include "sync/connections.h"
#include "sync/job_memory.h"
#include "sync/job_plan.h"
#include "sync/run_guard.h"

namespace tidemark {

/// The writing side of a run: target transactions that hold rows and the checkpoint. Run's thread.
/// Keeps JobMemory's idea of the stored checkpoint true. Errors about a row are RowErrors.
class Writing {
 public:
  struct Ports {
    Connections::TargetLease& target;
    const JobPlan& plan;
    JobKey job;
    Holder holder;
    Duration lease;
    RunGuard& guard;
    JobMemory& memory;
    std::atomic<std::int64_t>& fence;
    Observer& observer;
    const Clock& clock;
    PhaseTimes& times;
    const std::string& key_secret;
    /// The target was asked in this run whose the job is and where it stands; else that comes
    /// before the first transaction.
    bool confirmed = true;
  };
  explicit Writing(const Ports& ports) : ports_(ports) {}

  const Ports& ports() const noexcept { return ports_; }
  bool open() const noexcept { return load_ != nullptr; }
  /// Writes into the transaction under way, beginning one if there is none. Returns what this
  /// batch changed.
  WriteCounts put(const Batch& batch, Apply apply);
  WriteCounts put(const Batch& batch) { return put(batch, ports_.plan.apply); }
  /// Saves the checkpoint beside the rows and commits. Its revision is set here. Where the answer
  /// is lost, finds out: returns if the commit arrived, throws the transient Error if it did not.
  WriteCounts commit(Checkpoint& checkpoint);
  /// Saves where a key range stands beside the rows and commits. The lease is not renewed by it. An
  /// Error in doubt is thrown as it is: the caller ends the run, and the next one recovers.
  WriteCounts commit_range(const RangeRecord& range);
  /// The next `commit` takes these key ranges with it instead of those that are stored.
  void plan_ranges(std::vector<RangeRecord> ranges) { ranges_ = std::move(ranges); }
  void drop() noexcept { load_.reset(); }
  /// The rows to come are those of a first load.
  void fill() noexcept { stage_ = LoadStage::filling; }
  /// The next `commit` ends a first load: it gives the table the key that was put off. Nothing may
  /// be written in its transaction. The run is not taken for stalled meanwhile.
  void finish_table() noexcept { finishing_ = true; }

 private:
  std::unique_ptr<Load> begun(LoadStage stage) const;
  void begin();
  void confirm();
  void put_into(Load& load, const Batch& batch) const;
  void find_out(const Error& lost, const Checkpoint& checkpoint);
  [[noreturn]] void refuse(const Batch& batch, const Error& error);
  bool fails(const Batch& part);
  std::optional<std::size_t> find_row(const Batch& batch, const Error& error);

  Ports ports_;
  LoadStage stage_ = LoadStage::usual;
  bool finishing_ = false;
  Apply apply_ = Apply::upsert;  ///< of the batch that is being written
  std::unique_ptr<Load> load_;
  std::optional<std::vector<RangeRecord>> ranges_;
};

}  // namespace tidemark
