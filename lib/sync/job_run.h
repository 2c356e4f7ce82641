#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "sync/first_load.h"
#include "sync/job_memory.h"
#include "sync/job_plan.h"
#include "sync/pass.h"
#include "sync/reading.h"
#include "sync/run.h"
#include "sync/run_guard.h"
#include "sync/writing.h"

namespace tidemark {

/// One run of one job, from connecting to the last commit. Worker thread; the reading side of more
/// than a batch and the guard of a run that lasts have threads of their own, which are gone when
/// `execute` returns or throws, and when this is destroyed.
///
/// Throws Error, RowError and Cancelled; `outcome` tells what was done so far in any case.
class JobRun {
 public:
  /// `watch`: nullptr where RunLimits::threads is false.
  JobRun(const RunnerPorts& ports, RunWatch* watch, const RunRequest& request, JobMemory& memory,
         const DigestKey& digest_key);
  ~JobRun();

  void execute();
  /// Saves marks that moved without rows: what a stop does. Best effort.
  void save_marks_at_stop() noexcept;
  /// Why the guard ended the run, if it did.
  std::optional<Error> verdict() const { return guard_.verdict(); }
  Outcome& outcome() noexcept { return outcome_; }
  /// The run stood on what an earlier one had found out: if it failed before it wrote anything, it
  /// may be tried anew at once, on what is so now.
  bool on_old_knowledge() const noexcept { return plan_recalled_ && outcome_.counts.batches == 0; }
  void fill_progress();

 private:
  struct Sample {
    HorizonToken token;
    Value read_to;  // the token's mark before any lookback
    bool settled = false;
  };

  // job_run.cpp: the order of things
  void connect();
  void plan();
  void probe();
  void dry_run();
  bool knows_plan() const;
  bool recall_plan();
  void remember_plan();
  bool acquire();
  bool still_held() const;
  bool keep_job();
  Acquired take_job();
  void prepare_target();
  void estimate();
  void run_full();
  void run_incremental();
  void run_upsert(Sample& sample);
  void run_append(Sample& sample);
  void run_backfill_asked();
  void run_backfill_pending();
  void run_nulls();
  void settle_open_tokens();
  void settle_to(const HorizonToken& token);
  bool read_ahead(const HorizonToken& token) const;
  void reach_back(Pass& pass) const;
  void finish_run();

  // job_first_load.cpp: a first load in key ranges
  bool load_first(Sample& sample);
  bool fit_for_ranges(const HorizonToken& token) const;
  WriteSpec first_write() const;
  void finish_table();
  std::vector<KeyRange> split() const;
  void begin_ranges(const HorizonToken& token, bool settled, const std::vector<KeyRange>& ranges);
  std::optional<std::vector<RangeRecord>> stored_ranges();
  void load_ranges(std::vector<RangeRecord> ranges);

  // job_position.cpp: what the checkpoint says, and whether it may be believed
  void load_checkpoint(const std::optional<CheckpointRecord>& record);
  void check_definition();
  void check_identity();
  void check_server(const HorizonToken& token);
  void check_position_types();
  void begin_epoch(const std::string& reason);
  void lose_position(const std::string& why, const std::string& hint);
  Sample sample();
  std::optional<HorizonToken> newest_settled();
  bool wait_settled(const HorizonToken& token, Duration limit);
  Settlement ask_settled(const HorizonToken& token);
  /// When a sample was asked for. The source looks at its clock at the start, and may take seconds.
  struct Asked {
    SteadyTime steady;
    WallTime wall;
  };
  std::optional<WallTime> expected_clock(const Asked& asked) const;
  void check_clock(const HorizonToken& token, const Asked& asked);
  void step_back(Duration step);
  void check_history(const HorizonToken& token);

  // job_audit.cpp: the look behind the mark, and what came late
  void check_promise();
  void look_behind(const Sample& sample);
  void put_rows(const Pass& pass, const Batch& batch, const std::vector<LateSlice>& slices,
                Checkpoint& next);
  void compare_batch(const Pass& pass, const Batch& batch, const ReadBatch& item, Checkpoint next);
  void tell_late();

  // job_passes.cpp: passes
  ReadPlan base_read() const;
  void run_pass(const Pass& pass);
  void take_batch(const Pass& pass, ReadBatch& item);
  void write_batch(const Pass& pass, const Batch& batch, const ReadBatch& item, Checkpoint next);
  void commit(const Pass& pass, Checkpoint next);
  void complete(const Pass& pass);
  void save_marks();
  bool marks_pending() const;
  bool must_save() const;
  bool single_transaction(const Pass& pass) const;
  void hooks(bool before);
  void hooks_before_change();
  void run_hooks(const std::vector<std::string>& statements);
  void report();

  const RunnerPorts& ports_;
  const RunRequest& request_;
  const JobSettings& job_;
  JobMemory& memory_;
  const DigestKey digest_key_;
  JobKey key_;
  std::string key_secret_;
  Outcome outcome_;
  std::atomic<std::int64_t> fence_ = 0;
  std::uint64_t newest_session_ = 0;  ///< when the plan was made
  Connections::Sessions sessions_;
  RunGuard guard_;
  JobPlan plan_;
  std::optional<Writing> writing_;
  Checkpoint checkpoint_;           // with marks not saved yet
  std::optional<Checkpoint> open_;  // what the open transaction will save
  std::optional<Value> open_last_;  // cursor of the last row in it, for rows without a key
  bool plan_recalled_ = false;
  bool made_table_ = false;   // by this run: nobody has written to it yet
  bool key_pending_ = false;  // of the target's table: TargetPlan::key_pending
  std::string server_;        // of the newest horizon token
  bool holding_ = false;      // the job is ours and its checkpoint loaded
  bool was_initial_ = false;
  bool hooked_ = false;
  bool was_skipped_ = false;
  std::vector<LateRows> late_;  // of the transaction that is open
  std::optional<Settlement> blocked_;
  std::optional<WallTime> blocked_since_;
  std::optional<WallTime> source_now_;
};

}  // namespace tidemark
