#pragma once

#include <string>

#include "core/outcome.h"
#include "sync/batch_queue.h"
#include "sync/connections.h"
#include "sync/job_plan.h"
#include "sync/key_filter.h"
#include "sync/memory_budget.h"
#include "sync/pass.h"
#include "sync/run_guard.h"

namespace tidemark {

/// The reading side of a pass: reads, checks keys, transforms, hands on. One thread at a time; its
/// time is read once that has ended. Errors about a row are RowErrors.
class Reading {
 public:
  struct Ports {
    Source& source;
    const JobPlan& plan;
    MemoryBudget& memory;
    RunGuard& guard;
    const Clock& clock;
    RowRate& source_rate;
    RowRate& target_rate;
    DigestKey digest_key;
    const std::string& key_secret;
  };
  /// `reached` is what the run had reached before this pass.
  Reading(const Ports& ports, const Pass& pass, const std::optional<Position>& reached);

  /// Reads to the end and closes the queue, with the error if there was one.
  void run(BatchQueue& queue) noexcept;
  /// The next batch, nullopt at the end. Throws.
  std::optional<ReadBatch> next();
  const PhaseTimes& times() const noexcept { return times_; }

 private:
  void open();
  std::optional<ReadBatch> fetch(MemoryBudget::Room room);
  void pace(std::size_t rows);
  ReadBatch prepare(Batch batch, MemoryBudget::Room room);
  void locate(ReadBatch& item, const Batch& batch);
  void check_neighbours(const ReadBatch& item, const Batch& batch);
  void check_size(const Batch& batch);
  void check_source_keys(const Batch& batch);
  void check_output_keys(const Batch& batch);
  void transform(Batch& batch);
  Position position_of(const Batch& batch, std::size_t row) const;
  [[noreturn]] void refuse_row(Error::Fields fields, const Batch& batch, std::size_t row,
                               const std::vector<std::size_t>& key) const;

  Ports ports_;
  const Pass& pass_;
  std::optional<Position> reached_;
  std::shared_ptr<const Schema> schema_;
  KeyFilter filter_;
  bool in_cursor_order_;
  std::optional<Position> previous_;
  std::unique_ptr<BatchReader> reader_;
  /// One batch is held back until it is known whether another follows: the last one carries the
  /// pass's mark. Where there is no room for two, it goes on at once and the mark follows alone.
  std::optional<ReadBatch> held_;
  bool ended_ = false;
  PhaseTimes times_;
};

}  // namespace tidemark
