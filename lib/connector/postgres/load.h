#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/copy_encoder.h"
#include "connector/sql/checkpoint_store.h"
#include "connector/sql/replace.h"
#include "core/target.h"

namespace tidemark::postgres {

/// What a Target has found out about a table it writes, kept from load to load.
struct WrittenTable {
  WriteSpec spec;
  std::vector<EncodedColumn> columns;  ///< written ones; `index` is the place in the batch
  std::vector<std::string> not_null;   ///< of these
  /// By which a replacement finds equal rows; empty where the target has no unique index for it.
  std::vector<std::string> replace_key = {};
  /// A partitioned table returns no system columns.
  bool partitioned = false;
  std::string batch_table = {};  ///< temporary, of this session; "" until it is made
  std::string keys_table = {};
};

/// What both kinds of Load stand on. Worker thread, that of the session.
struct LoadSession {
  Connection& connection;
  WrittenTable& table;
  sql::CheckpointStore& checkpoints;
  LoadSpec spec;
  std::string staging_schema;
  /// Called when a load ends without commit: what is known about the table may be wrong.
  std::function<void()> doubt;
};

/// Upsert, append and erase in one transaction with the checkpoint. Rows that are looked up by key
/// go by binary COPY into a temporary table and from there by one INSERT … ON CONFLICT (key) in key
/// order, which rewrites only rows that differ by their bytes; appended rows go straight into the
/// table.
class TransactionLoad final : public Load {
 public:
  explicit TransactionLoad(LoadSession session);
  ~TransactionLoad() override;
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
  enum class Existing { update, leave };
  std::string statement_by_key(Existing existing) const;
  void write_by_key(const Batch& batch, Existing existing);

  LoadSession session_;
  WriteCounts counts_;
  bool batch_filled_ = false;
  bool keys_filled_ = false;
  bool done_ = false;
};

/// A replacement: rows go to an unlogged staging table, committed batch by batch, so that a slow
/// source holds no transaction open at the target; `commit` changes the table to what was staged,
/// in one transaction with the checkpoint (decisions: replacement).
class ReplaceLoad final : public Load {
 public:
  explicit ReplaceLoad(LoadSession session);
  ~ReplaceLoad() override;
  void upsert(const Batch& batch) override;
  void append(const Batch& batch) override;
  void insert_missing(const Batch& batch) override;
  void erase(const Batch& keys) override;
  void save(const CheckpointRecord& checkpoint) override;
  void save_ranges(const std::vector<RangeRecord>& ranges) override;
  void save_range(const RangeRecord& range) override;
  WriteCounts written() const noexcept override { return {}; }
  WriteCounts commit() override;

 private:
  void keep_lease();
  sql::Replacement replacement() const;
  void check_staging(const sql::Replacement& replacement);

  LoadSession session_;
  TableName staging_;
  std::optional<CheckpointRecord> checkpoint_;
  std::optional<std::vector<RangeRecord>> ranges_;
  std::uint64_t staged_ = 0;
  std::chrono::steady_clock::time_point renewed_;
  bool done_ = false;
};

}  // namespace tidemark::postgres
