#pragma once

#include <functional>
#include <span>

#include "connector/mysql/write_plan.h"
#include "connector/sql/checkpoint_store.h"
#include "connector/sql/replace.h"
#include "core/target.h"

namespace tidemark::mysql {

/// One target transaction on a session. A replacement stages its rows in transactions of their own
/// and changes the table in the one that `save` begins and `commit` ends. A refused row is found by
/// halving the rows of its statement; the transaction is lost by then anyway.
class MysqlLoad final : public Load {
 public:
  MysqlLoad(Session& session, const MysqlDialect& dialect, WritePlan& plan,
            sql::CheckpointStore store, LoadSpec spec, const std::string& metadata_schema);
  ~MysqlLoad() override;

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
  using Rows = std::span<const std::uint32_t>;
  using Write = std::function<void(Rows)>;
  void write(Rows rows, const Write& write);
  [[noreturn]] void locate(Rows rows, const Write& write, const Error& first);
  void begin();
  void make_staging();
  void swap_in();
  sql::Replacement replacement() const;
  bool replaces() const { return spec_.write.write == WriteMode::replace; }

  Session& session_;
  const MysqlDialect& dialect_;
  WritePlan& plan_;
  sql::CheckpointStore store_;
  LoadSpec spec_;
  TableName staging_;
  std::uint64_t staged_ = 0;
  bool open_ = false;
  bool staging_made_ = false;
  WriteCounts counts_;
};

}  // namespace tidemark::mysql
