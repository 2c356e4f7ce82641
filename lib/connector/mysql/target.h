#pragma once

#include <memory>
#include <string>

#include "connector/mysql/dialect.h"
#include "connector/mysql/load.h"
#include "connector/mysql/session.h"
#include "connector/mysql/write_plan.h"
#include "core/target.h"

namespace tidemark::mysql {

/// A write session on MariaDB or MySQL. Rows and checkpoint share its one connection.
class MysqlTarget final : public Target {
 public:
  /// `bulk` false turns bulk binds off where the server has them: how MySQL 8 is written to.
  explicit MysqlTarget(const ConnectionSettings& settings, bool bulk = true);

  std::optional<TableDescription> describe(const TableName& table) override;
  TargetPlan plan(const WriteSpec& spec) override;
  TargetPlan prepare(const WriteSpec& spec) override;
  Acquired acquire(const JobKey& job, const Holder& holder, const TableName& table,
                   Duration lease) override;
  bool keep(const JobKey& job, const Holder& holder, const LeftBehind& left, const TableName& table,
            Duration lease) override;
  Acquired recover(const JobKey& job, const Holder& holder, const TableName& table,
                   Duration lease) override;
  void renew(const JobKey& job, std::int64_t fence, const TableName& table,
             Duration lease) override;
  void release(const JobKey& job, std::int64_t fence, const TableName& table) override;
  std::optional<Acquired> peek(const JobKey& job, const TableName& table) override;
  std::vector<RangeRecord> ranges(const JobKey& job, const TableName& table) override;
  bool writes_in_parallel() const noexcept override { return true; }
  std::unique_ptr<Load> begin(const LoadSpec& spec) override;
  void run_hook(const std::string& statement, Duration timeout) override;
  WallTime now() override;
  void cancel() noexcept override { session_.cancel(); }
  bool usable() const noexcept override { return session_.usable(); }

 private:
  struct Planned {
    TargetPlan plan;
    std::optional<CatalogueTable> table;
  };
  Planned look(const WriteSpec& spec);
  void note_side_effects(Planned& planned, const WriteSpec& spec);
  void make_metadata(const TableName& table);
  std::string metadata_schema(const TableName& table) const;
  sql::CheckpointStore store(const TableName& table);
  /// "thread.start of the server": a thread's number means nothing after a restart.
  std::string backend();
  void end_session(const std::string& backend) noexcept;
  void open_write_plan(const WriteSpec& spec, const Planned& planned);

  Session session_;
  MysqlDialect dialect_;
  bool bulk_;
  std::unique_ptr<WritePlan> write_plan_;  ///< of the run's prepare; before session_ goes, it goes
};

/// Whether two specs write the same columns of the same table in the same way.
bool same_write(const WriteSpec& left, const WriteSpec& right);

}  // namespace tidemark::mysql
