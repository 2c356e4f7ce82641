#pragma once

#include <optional>

#include "connector/memory/access.h"
#include "core/target.h"

namespace tidemark::memory {

[[noreturn]] void throw_fenced(const JobKey& job);

/// A transaction of changes that nobody sees until `commit`. Worker thread; see Load.
class MemoryLoad final : public Load {
 public:
  MemoryLoad(Access& access, LoadSpec spec);
  ~MemoryLoad() override;
  void upsert(const Batch& batch) override;
  void append(const Batch& batch) override;
  void insert_missing(const Batch& batch) override;
  void erase(const Batch& keys) override;
  void save(const CheckpointRecord& checkpoint) override;
  void save_ranges(const std::vector<RangeRecord>& ranges) override;
  void save_range(const RangeRecord& range) override;
  WriteCounts written() const noexcept override { return counts_; }
  WriteCounts commit() override;

 private:
  /// For each column of the table: its index in the batch, or npos.
  std::vector<std::size_t> columns_of(const Table& table, const Batch& batch) const;
  Row row_of(const Table& table, const std::vector<std::size_t>& from, const Batch& batch,
             std::size_t row) const;
  /// The table, with room for changes to it.
  Table& written_table();
  bool has(const Table& table, const RowKey& key) const;
  /// Calls `write(table, from, row, at)` for each row of the batch, under the lock.
  template <class Write>
  void each_row(const Batch& batch, const Write& write);
  void put(Table& table, const RowKey& key, Row row, std::size_t at);
  void replace(Table& table);
  void require_range(const JobRow& job) const;
  bool in_scope(const Table& table, const Row& row) const;

  Access& access_;
  LoadSpec spec_;
  std::optional<Changes> changes_;
  std::vector<Row> staged_;
  WriteCounts counts_;
  std::optional<CheckpointRecord> checkpoint_;
  std::optional<std::vector<RangeRecord>> ranges_;
  std::optional<RangeRecord> range_;
};

}  // namespace tidemark::memory
