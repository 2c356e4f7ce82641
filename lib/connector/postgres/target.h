#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "connector/postgres/catalogue.h"
#include "connector/postgres/connection.h"
#include "connector/postgres/dialect.h"
#include "connector/postgres/load.h"
#include "connector/postgres/shared.h"
#include "connector/sql/checkpoint_store.h"
#include "core/settings.h"
#include "core/target.h"

namespace tidemark::postgres {

/// A write session on PostgreSQL. READ COMMITTED; idle transactions are ended by the server when
/// the lease runs out, so that a hung daemon holds no locks. Worker thread; `cancel` from any.
class PostgresTarget final : public Target {
 public:
  PostgresTarget(const ConnectionSettings& settings, std::shared_ptr<Shared> shared);

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
  void cancel() noexcept override { connection_.cancel(); }
  bool usable() const noexcept override { return connection_.usable(); }

 private:
  TargetPlan plan_of(const WriteSpec& spec, const std::optional<TableFacts>& facts);
  PostgresDialect dialect_for(const WriteSpec& spec);
  std::string metadata_schema(const TableName& table) const;
  void make_metadata(const TableName& table);
  sql::CheckpointStore& store(const TableName& table);
  void end_session(const std::string& session);
  WrittenTable& written(const WriteSpec& spec);
  void set_lease(Duration lease);

  ConnectionSettings settings_;
  std::shared_ptr<Shared> shared_;
  Connection connection_;
  std::map<std::string, sql::CheckpointStore> stores_;  ///< by schema
  std::optional<WrittenTable> written_;                 ///< the table of the last load
  Duration lease_{};
};

}  // namespace tidemark::postgres
