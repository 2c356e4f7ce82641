#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "connector/sql/checkpoint_store.h"
#include "connector/sql/target_planner.h"
#include "connector/sqlite/connection.h"
#include "connector/sqlite/dialect.h"
#include "core/settings.h"
#include "core/target.h"

namespace tidemark::sqlite {

/// Writes an SQLite file. One that does not exist yet is made by the first call that has to write;
/// `describe`, `plan` and `peek` see it as empty. Worker thread.
class SqliteTarget final : public Target {
 public:
  explicit SqliteTarget(const ConnectionSettings& settings);

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
  bool writes_in_parallel() const noexcept override { return false; }
  std::unique_ptr<Load> begin(const LoadSpec& spec) override;
  void run_hook(const std::string& statement, Duration timeout) override;
  WallTime now() override;
  void cancel() noexcept override;
  bool usable() const noexcept override { return true; }

 private:
  void open(Connection::Opening opening);
  Connection& reading();
  Connection& writing();
  std::optional<sql::ExistingTable> existing(const TableName& table);

  ConnectionSettings settings_;
  SqliteDialect dialect_;
  std::mutex replacing_;  ///< guards the pointer against `cancel`, not the connection
  std::unique_ptr<Connection> connection_;
  std::optional<sql::CheckpointStore> checkpoints_;
  bool stands_in_ = false;  ///< the file does not exist yet
};

/// How long another connection's lock is waited for.
Duration lock_wait(const ConnectionSettings& settings);
/// Pins a new session: what every connection of ours sets, and the user's init_sql.
void pin_session(Connection& connection, const ConnectionSettings& settings, bool target);

}  // namespace tidemark::sqlite
