#pragma once

#include <exception>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/outcome.h"
#include "sync/batch_queue.h"
#include "sync/connections.h"
#include "sync/digest.h"
#include "sync/pass.h"
#include "sync/range_plan.h"
#include "sync/run.h"
#include "sync/run_guard.h"
#include "sync/writing.h"

namespace tidemark {

/// The key ranges of a job's first load: read and written by several pairs of sessions at once,
/// each range in key order and on from the position that it had reached before. Made and run by the
/// run's thread; the workers' threads are gone when `run` returns or throws.
///
/// The run's own sessions carry the first worker. The others borrow a pair for one range at a time,
/// only where there is one to be had at once and room in memory for a batch: they hold nothing
/// while they wait, so runs never wait for each other, and jobs that ask for a session get one when
/// the range in work is done. Without any other pair the ranges are loaded one after the other.
///
/// The first failure ends all workers, and is thrown: the run fails as it would with one reader.
/// What the ranges have committed stays, and is not read again.
class FirstLoad {
 public:
  struct Ports {
    Connections& connections;
    Connections::Sessions& sessions;  ///< the run's own
    MemoryBudget& memory;
    const RunLimits& limits;
    Writing::Ports
        writing;  ///< of the first worker; the others' differ in the session and the times
    DigestKey digest_key;
    Outcome& outcome;              ///< its counts, phases and progress grow
    std::function<void()> report;  ///< after each commit, from any worker, never twice at a time
  };
  /// `pass` is what each range reads, but for the range.
  FirstLoad(Ports ports, Pass pass, std::vector<RangeRecord> ranges, RangeResume resume);
  ~FirstLoad();
  FirstLoad(const FirstLoad&) = delete;
  FirstLoad& operator=(const FirstLoad&) = delete;

  /// Loads what is not finished with up to `workers` pairs of sessions. Throws Error, RowError and
  /// Cancelled. After an Error in doubt the caller must recover the job before it writes again.
  void run(std::size_t workers);

 private:
  struct Helper {
    std::thread thread = {};
    bool over = false;  ///< under the mutex
  };
  RangeRecord* next_range();
  bool may_staff();
  void staff();
  void help(Helper& self) noexcept;
  bool help_once();
  void work(Connections::Sessions& sessions);
  void load(RangeRecord& range, Connections::Sessions& sessions);
  Pass pass_of(const RangeRecord& range) const;
  Writing::Ports writing_ports(Connections::TargetLease& target, PhaseTimes& times) const;
  WriteCounts commit(Writing& writing, const Batch* rows, const RangeRecord& next);
  void count(const ReadBatch* item, const WriteCounts& written, RangeRecord& range,
             const RangeRecord& next);
  void fail(std::exception_ptr error) noexcept;

  Ports ports_;
  const JobPlan& plan_;
  const Pass pass_;
  const RangeResume resume_;
  std::size_t workers_ = 1;
  std::list<Helper> helpers_;  // the run's thread only

  std::mutex mutex_;  // of all below
  std::vector<RangeRecord> ranges_;
  std::size_t next_ = 0;
  std::size_t helping_ = 0;
  bool alone_ = false;  ///< a pair of sessions could not be opened: no more are asked for
  std::exception_ptr error_;
};

}  // namespace tidemark
