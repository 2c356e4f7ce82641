#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

#include "core/batch.h"
#include "core/value.h"
#include "sync/late_rows.h"
#include "sync/memory_budget.h"

namespace tidemark {

/// A batch on its way from the reading to the writing thread, with what is known of its rows as
/// they were in the source.
struct ReadBatch {
  Batch batch;  ///< as the target gets it
  std::size_t rows = 0;
  Bytes bytes = 0;
  std::optional<Position> first = {};  ///< of a read in cursor order
  std::optional<Position> last = {};
  /// Rows whose cursor is below the mark that this pass settles; they won't be read again.
  std::size_t final_rows = 0;
  std::size_t second_looks = 0;      ///< rows at or before what was reached before
  std::vector<LateSlice> late = {};  ///< rows at its start that came late if they change anything
  bool ends_pass = false;            ///< known to be the last one
  MemoryBudget::Room room = {};
};

/// Bounded queue between the two threads of a run. Each method is for the side it names; an error
/// of the reading side comes out of `pop` after the batches before it.
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t limit) : limit_(limit) {}

  /// Reader: waits for room; false when nobody will pop any more.
  bool push(ReadBatch&& batch);
  /// Reader: no more batches; why, if it is not the end.
  void close(std::exception_ptr error = {}) noexcept;
  /// Writer: waits for a batch; nullopt at the end. Throws what the reader closed with.
  std::optional<ReadBatch> pop();
  /// Writer: drops what is queued, and what will be.
  void abandon() noexcept;

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ReadBatch> batches_;
  std::exception_ptr error_;
  bool closed_ = false;
  bool abandoned_ = false;
};

}  // namespace tidemark
