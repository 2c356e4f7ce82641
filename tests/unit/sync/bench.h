#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connector/memory/connector.h"
#include "connector/memory/database.h"
#include "core/temporal.h"
#include "support/virtual_time.h"
#include "sync/run.h"

namespace tidemark::test {

/// A clock that stands still until it is moved. Any thread.
class StillClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(Duration(now_.load())); }
  SteadyTime steady() const override { return SteadyTime(Duration(steady_.load())); }
  void advance(Duration by) {
    now_ += by.count();
    steady_ += by.count();
  }
  void set_wall(WallTime now) { now_ = now.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> now_ = 1'760'000'000'000'000;
  std::atomic<std::int64_t> steady_ = 1'000'000'000;
};

/// Zones at a fixed distance from UTC: "UTC" and "+8". Local 1970 is skipped by "+8".
class FixedZones final : public Zones {
 public:
  bool known(std::string_view zone) const noexcept override {
    return zone == "UTC" || zone == "+8";
  }
  std::int64_t local_to_utc(std::string_view zone, std::int64_t micros) const override {
    return micros - shift(zone);
  }
  std::int64_t utc_to_local(std::string_view zone, std::int64_t micros) const override {
    return micros + shift(zone);
  }

 private:
  static std::int64_t shift(std::string_view zone) {
    return zone == "+8" ? 8 * 3600 * micros_per_second : 0;
  }
};

/// Remembers what was told.
class Told final : public Observer {
 public:
  void batch_committed(const RunProgress&) override {
    const std::lock_guard lock(mutex_);
    ++batches_;
  }
  void mark_epoch_opened(const JobName&, std::int64_t, std::string_view reason) override {
    const std::lock_guard lock(mutex_);
    epochs_.emplace_back(reason);
  }
  void rows_came_late(const JobName&, Duration by, std::uint64_t rows) override {
    const std::lock_guard lock(mutex_);
    late_.emplace_back(by, rows);
  }
  void note(const JobName&, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    notes_.emplace_back(text);
  }
  std::vector<std::string> epochs() const {
    const std::lock_guard lock(mutex_);
    return epochs_;
  }
  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  std::vector<std::pair<Duration, std::uint64_t>> late() const {
    const std::lock_guard lock(mutex_);
    return late_;
  }
  std::size_t batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

 private:
  mutable std::mutex mutex_;
  std::size_t batches_ = 0;
  std::vector<std::string> epochs_;
  std::vector<std::string> notes_;
  std::vector<std::pair<Duration, std::uint64_t>> late_;
};

/// Two memory databases, a runner between them, and one job that the test shapes: `src.t(id, v, c)`
/// with an instant cursor into `t`.
class Bench {
 public:
  explicit Bench(const std::string& process = "one");
  ~Bench();

  Outcome run(RunOptions options = {});
  /// Runs until the job has settled all that is there; the source must be quiet.
  void run_until_quiet(int limit = 20);
  Outcome run_with(const RunRequest& request) { return runner->run(request); }
  RunRequest request(RunOptions options = {}) const;
  /// A runner of another process over the same databases.
  std::unique_ptr<SyncRunner> other_runner(const std::string& process);
  /// As a crash does: the process's memory is gone, its lease is not.
  void restart(const std::string& process = "one");

  /// Inserts or updates a row at the source's current time, visible at once.
  void put(int id, const std::string& v);
  /// The same with a cursor that lies so far back: what no proof allows.
  void put_late(int id, const std::string& v, Duration back);
  memory::Row row(int id, const std::string& v) const;
  std::string now_text() const;
  void tick(Duration by = std::chrono::seconds(1));

  std::vector<std::string> source_rows() const { return lines(*source, source_table); }
  std::vector<std::string> target_rows() const { return lines(*target, job.target_table); }
  static std::vector<std::string> lines(const memory::Database& database, const TableName& table);
  JobKey key() const { return {"test", job.name}; }

  static inline const TableName source_table{"", "t"};
  std::string id;
  std::shared_ptr<memory::Database> source;
  std::shared_ptr<memory::Database> target;
  StillClock clock;
  SeededRandom random{7};
  FixedZones zones;
  Told told;
  MemoryBudget memory{8 << 20};
  std::unique_ptr<Connections> connections;
  RunLimits limits;
  JobSettings job;
  std::unique_ptr<SyncRunner> runner;
  std::stop_source stop;
  std::stop_source abort;
};

/// SQLSTATE-less failure of the next operation of that kind.
memory::Fault lost_connection(memory::Operation operation, std::size_t after = 1);
memory::Fault commit_in_doubt(bool arrived, std::size_t after = 1);

}  // namespace tidemark::test
