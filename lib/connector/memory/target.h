#pragma once

#include "connector/memory/access.h"
#include "core/target.h"

namespace tidemark::memory {

/// Writes to a memory database. Worker thread; see Target.
class MemoryTarget final : public Target {
 public:
  MemoryTarget(std::shared_ptr<Database> database, const std::string& user)
      : access_(std::move(database), user) {}

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
  void cancel() noexcept override { access_.cancel(); }
  bool usable() const noexcept override { return access_.usable(); }

 private:
  Acquired take(const JobKey& job, const Holder& holder, Duration lease, bool raise);

  Access access_;
};

}  // namespace tidemark::memory
