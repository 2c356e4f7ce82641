#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/sql/checkpoint_store.h"
#include "connector/sql/replace.h"
#include "connector/sql/target_planner.h"
#include "connector/sqlite/cell_writer.h"
#include "connector/sqlite/connection.h"
#include "connector/sqlite/dialect.h"
#include "core/error.h"
#include "core/target.h"

namespace tidemark::sqlite {

/// One write transaction on a file: BEGIN IMMEDIATE at the first row, so that nothing is locked
/// while nothing is written. A replacement is staged in the connection's temporary database, which
/// locks nobody out and is gone with the connection, and takes the lock only to be swapped in.
/// Worker thread.
class SqliteLoad final : public Load {
 public:
  SqliteLoad(Connection& connection, sql::CheckpointStore& checkpoints, const LoadSpec& spec,
             sql::ExistingTable existing);
  ~SqliteLoad() override;

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
  struct Written {
    TargetColumn arriving;
    Column existing;
  };
  /// What a batch is bound through, and the statement that takes it.
  struct Binding {
    std::string statement;
    std::vector<std::size_t> positions;  ///< in the batch, by writer
    std::vector<CellWriter> writers;
  };

  Binding bind_columns(const Batch& batch, const std::vector<Written>& columns,
                       std::string statement) const;
  void run_rows(Binding& binding, const Batch& batch, std::size_t first,
                const std::function<void(std::uint64_t met, std::size_t row)>& count);
  bool make_way(const Error& error, const Batch& batch, std::size_t first);
  void update_all(const sql::Replacement& replacement, const std::string& statement);
  void begin_writing();
  void make_staging();
  void stage(const Batch& batch);
  void require_unique_key() const;
  std::string key_list() const;
  void replace_table();
  std::string insert_statement(const TableName& table) const;
  std::string upsert_statement() const;
  std::vector<std::string> names(bool with_key) const;
  bool in_key(const std::string& column) const;
  Error located(const Error& error, std::optional<std::size_t> row) const;

  Connection& connection_;
  sql::CheckpointStore& checkpoints_;
  LoadSpec spec_;
  SqliteDialect dialect_;
  std::vector<Written> columns_;
  bool unique_key_;
  TableName staging_;
  bool staged_ = false;
  std::optional<WriteTransaction> transaction_;
  WriteCounts counts_;
};

}  // namespace tidemark::sqlite
