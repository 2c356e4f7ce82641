#pragma once

#include <atomic>
#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <set>

#include "connector/memory/database.h"
#include "connector/memory/table.h"

namespace tidemark::memory {

/// What is known of one session: whether it lives and whether its statement was asked to stop.
struct SessionMark {
  std::string user = {};
  bool dead = false;
  bool busy = false;  ///< a statement or a read is under way: what `cancel` may strike
  bool cancelled = false;
};

struct JobRow {
  std::int64_t fence = 0;
  std::optional<Holder> holder = {};
  WallTime lease_until{};
  std::optional<CheckpointRecord> checkpoint = {};
  std::vector<RangeRecord> ranges = {};
};

/// Everything in a Database, under its lock.
struct Database::State {
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::optional<WallTime> clock;
  std::string identity = "memory-1";
  std::uint64_t boot = 1;
  bool stale = false;
  std::map<TableName, Table> tables;
  std::map<std::string, Predicate> predicates;
  std::map<std::string, View> queries;
  struct OpenTransaction {
    std::map<TableName, Changes> changes;
    WallTime began{};
    std::vector<std::map<TableName, Changes>> savepoints = {};
    bool prepared = false;
  };
  std::map<std::uint64_t, OpenTransaction> open;
  std::uint64_t next_transaction = 1;
  std::map<JobKey, JobRow> jobs;
  /// A commit that was sent, got no answer and has not arrived.
  struct UnderWay {
    JobKey job;
    std::function<void(State&)> arrive;
  };
  std::list<UnderWay> landing;
  std::list<Fault> faults;
  std::function<void(Operation)> listener;
  std::set<Operation> held;
  std::multiset<Operation> waiting;
  std::set<SessionMark*> sessions;
  std::set<std::string> severed;
  Counts counts;
  std::vector<std::string> hooks;

  WallTime now() const;
  void land(const std::function<bool(const JobKey&)>& chosen);
  Table& table(const TableName& name);
  void change(std::map<TableName, Changes>& changes, const TableName& name, Row row);
  void take_away(std::map<TableName, Changes>& changes, const TableName& name, Row key);
};

struct Database::Backup {
  std::map<TableName, Table> tables;
  std::map<JobKey, JobRow> jobs;
};

/// One session's way into its database: registers it, lets faults strike, waits where operations
/// are held. Used by one thread; `cancel` and `usable` by any.
class Access {
 public:
  Access(std::shared_ptr<Database> database, const std::string& user);
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  /// Begins an operation: tells the listener, waits while it is held, throws where the session is
  /// dead or a fault strikes. Returns with the database locked.
  std::unique_lock<std::mutex> enter(Operation operation);
  /// As `enter` for a commit: a fault that lets the transaction arrive is returned, not thrown.
  std::unique_lock<std::mutex> enter_commit(std::optional<Fault>& lost_answer);
  /// Waits until cancelled or dead, and throws accordingly.
  [[noreturn]] void wait_for_cancel();
  /// While it is set, `cancel` has an effect.
  void busy(bool busy);
  void check_cancelled(const std::unique_lock<std::mutex>& lock);

  Database::State& state() { return *database_->state_; }
  void cancel() noexcept;
  bool usable() const noexcept;

 private:
  bool dead() const { return mark_.dead || database_->state_->severed.contains(mark_.user); }
  void announce(Operation operation);
  void pass(std::unique_lock<std::mutex>& lock, Operation operation);
  std::optional<Fault> strike(Operation operation);

  std::shared_ptr<Database> database_;
  SessionMark mark_;
};

}  // namespace tidemark::memory
