#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "connector/mysql/errors.h"
#include "connector/sql/session.h"
#include "core/settings.h"

struct st_mysql;
struct st_mysql_stmt;

namespace tidemark::mysql {

/// What the server is, as far as statements differ.
struct Flavor {
  bool mariadb = true;
  unsigned version = 0;  ///< 101119 for 10.11.19
};

enum class Role { source, target };

/// One connection over libmariadb, pinned: utf8mb4, UTC, strict, read-only transactions for a
/// source, READ COMMITTED for a target; no silent reconnect, no LOCAL INFILE. Rows travel here,
/// because bulk binds and streamed binary results have no counterpart in mysql-connector-c++
/// (whose prepared results are buffered, 297 MB for 2 million rows, three times slower and lossy
/// for DOUBLE: docs/performance.md); checkpoints too, since they share the rows' transaction.
///
/// Worker thread, one at a time; `cancel` from any. Each call throws Error, Cancelled after a
/// `cancel`, Error{timeout} when the server was silent for `stall_timeout`.
class Session final : public sql::Session {
 public:
  Session(const ConnectionSettings& settings, Role role);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  sql::Result execute(std::string_view statement) override;
  /// Like execute, and returns the server's "Records: 3  Duplicates: 1  Warnings: 0".
  struct Change {
    std::uint64_t affected = 0;
    std::string info;
  };
  Change change(std::string_view statement);
  /// COMMIT; an answer that never came is an Error with in_doubt.
  void commit();
  /// For destructors: cuts the connection where it can't roll back.
  void rollback() noexcept;

  /// Work that `cancel` may end; alive as long as the work, a streaming read included. Nests.
  class Activity {
   public:
    explicit Activity(Session& session) : session_(session) { session_.enter(); }
    ~Activity() { session_.leave(); }
    Activity(const Activity&) = delete;
    Activity& operator=(const Activity&) = delete;

   private:
    Session& session_;
  };

  void cancel() noexcept;
  /// Throws Cancelled where `cancel` came since the outermost Activity began.
  void check_cancelled() const;
  /// Ends the statement under way from a side connection; false where that failed.
  bool interrupt() noexcept;
  /// Cuts the connection: for a stream that can't be ended otherwise.
  void sever() noexcept;

  bool usable() const noexcept { return !lost_.load(); }
  st_mysql* handle() noexcept { return mysql_; }
  const ConnectionSettings& settings() const noexcept { return settings_; }
  const Flavor& flavor() const noexcept { return flavor_; }
  std::uint64_t thread_id() const noexcept { return thread_id_; }
  std::size_t max_packet() const noexcept { return max_packet_; }
  std::string tls() const;
  std::string server_version() const;

  /// Turns the connection's or a statement's last error into what is to be thrown: Cancelled,
  /// Error{timeout} or the error itself; notes a lost session.
  [[noreturn]] void fail(std::string_view operation);
  [[noreturn]] void fail(st_mysql_stmt* statement, std::string_view operation);

  /// The server has just sent something: stall_timeout counts from here.
  void progress() noexcept;

  /// Sets how long an idle write transaction of ours may live (MariaDB; a no-op elsewhere).
  void limit_idle_transactions(Duration lease);

 private:
  void connect();
  void check_tls() const;
  void pin(Role role);
  void enter();
  void leave() noexcept;
  void run(std::string_view statement);
  /// A KILL QUERY may come after the statement it was meant for; a statement of no effect takes it.
  void absorb_kill() noexcept;
  [[noreturn]] void raise(const NativeError& native, std::string_view operation);

  ConnectionSettings settings_;
  st_mysql* mysql_ = nullptr;
  Flavor flavor_;
  std::uint64_t thread_id_ = 0;
  std::size_t max_packet_ = 0;
  Duration idle_limit_{};
  std::atomic<bool> lost_ = false;
  std::atomic<std::int64_t> call_began_ = 0;  ///< steady clock, microseconds
  std::mutex interrupt_;                      ///< guards depth_; held while a KILL travels
  int depth_ = 0;
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> killed_ = false;  ///< a KILL QUERY was sent that may come late
};

/// Settings that any session of this connector needs, or Error{schema} naming what is missing.
void check_settings(const ConnectionSettings& settings);

}  // namespace tidemark::mysql
