#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "connector/postgres/batch_table.h"
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
  /// Every column but generated ones: what a row that is moved takes along.
  std::vector<std::string> all_columns = {};
  /// Columns of the unique indexes beside the key's, where rows of one batch may meet.
  std::vector<std::vector<std::string>> other_unique = {};
  bool meets_elsewhere = false;  ///< there is such an index, over whatever it may be
  bool key_pending = false;      ///< has no index over the key yet (late_key.h)
  bool met_keys = false;         ///< a filling load met rows that were there already
  bool deferrable = false;       ///< has constraints that can wait for the end of the transaction
  /// A foreign key of another table that does something to its rows when ours are deleted.
  std::string acts_on_delete = {};
  BatchTable batch = {};  ///< temporary tables of this session
  BatchTable keys = {};
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
/// table, and so do those of a first load as long as none meets a key that is there. Rows of one
/// batch that swap values of another unique index are moved first (keyed_write).
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
  void begin();
  using Attempt = std::function<void(const std::optional<RowSpan>&)>;
  void write(const Batch& batch, const Attempt& attempt);
  BatchTable& batch_table();
  bool insert_plainly(const Batch& batch);
  std::uint64_t copy_into_table(const Batch& batch);

  LoadSession session_;
  WriteCounts counts_;
  bool done_ = false;
};

/// A replacement: rows go to an unlogged staging table, committed batch by batch, so that a slow
/// source holds no transaction open at the target; `commit` changes the table to what was staged,
/// in one transaction with the checkpoint (decisions: replacement). With target.replace: swap the
/// staging table is a table like the target, and takes its name.
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
  bool swaps() const;
  void keep_lease();
  void stage_texts(const Batch& batch);
  sql::Replacement replacement() const;
  void check_staging(const sql::Replacement& replacement);
  WriteCounts change_rows(const sql::Replacement& replacement);

  LoadSession session_;
  TableName staging_;
  std::optional<CheckpointRecord> checkpoint_;
  std::optional<std::vector<RangeRecord>> ranges_;
  std::uint64_t staged_ = 0;
  std::chrono::steady_clock::time_point renewed_;
  bool done_ = false;
};

}  // namespace tidemark::postgres
