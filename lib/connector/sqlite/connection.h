#pragma once

#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "connector/sql/session.h"
#include "core/ports.h"

namespace tidemark::sqlite {

class Connection;

/// A prepared statement. Used by the connection's thread; must not outlive it. Throws Error, or
/// Cancelled after Connection::cancel.
class Statement {
 public:
  Statement(Connection& connection, std::string_view sql);

  /// True: a row is there.
  bool step();
  /// Ends the execution, and with it the read transaction where no other statement runs.
  void reset() noexcept { sqlite3_reset(statement_.get()); }
  /// step and reset; for statements without rows.
  void run();

  sqlite3_stmt* get() const noexcept { return statement_.get(); }
  void bind(int parameter, std::int64_t value) {
    check(sqlite3_bind_int64(get(), parameter, value));
  }
  void bind(int parameter, double value) { check(sqlite3_bind_double(get(), parameter, value)); }
  void bind_null(int parameter) { check(sqlite3_bind_null(get(), parameter)); }
  /// The bytes are not copied: they must live until the statement has run.
  void bind_text(int parameter, std::string_view text);
  void bind_blob(int parameter, std::string_view bytes);
  void bind_copy(int parameter, std::string_view text);
  void bind(int parameter, const sqlite3_value* value) {
    check(sqlite3_bind_value(get(), parameter, value));
  }
  std::string_view text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  void check(int code);

  Connection& connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// One open database file. One thread at a time; only `cancel` may come from another.
class Connection final : public sql::Session {
 public:
  enum class Opening {
    read_only,   ///< never writes, not even to recover a journal
    read_write,  ///< must exist
    create,      ///< made where missing, and then in WAL mode
    memory,      ///< stands in for a file that does not exist yet
  };
  /// `lock_wait`: how long a lock of another connection is waited for.
  Connection(std::string path, Opening opening, Duration lock_wait);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// One statement; a small result.
  sql::Result execute(std::string_view statement) override;
  /// A statement kept for the next time. Reset, but not cleared of its bindings.
  Statement& prepared(const std::string& sql);

  /// Interrupts what runs now; it throws Cancelled. Any thread.
  void cancel() noexcept;
  /// A new piece of work begins: an older `cancel` no longer counts.
  void start_work() noexcept { cancelled_ = false; }
  void check_cancelled() const;

  /// Statements are interrupted once `deadline` has passed, with Error{timeout}.
  void limit_until(std::chrono::steady_clock::time_point deadline);
  void no_limit() noexcept;

  /// Locks are not waited for, until restore_lock_wait.
  void stop_lock_wait() noexcept { sqlite3_busy_handler(handle_, nullptr, nullptr); }
  void restore_lock_wait() noexcept { sqlite3_busy_handler(handle_, &Connection::on_busy, this); }

  [[noreturn]] void raise(int code, bool preparing) const;
  sqlite3* handle() const noexcept { return handle_; }
  const std::string& path() const noexcept { return path_; }
  bool in_transaction() const noexcept { return sqlite3_get_autocommit(handle_) == 0; }
  /// Microseconds since 1970 by this machine's clock, which is the database's.
  std::int64_t now_micros();

  /// How often tidemark_met() was called, see dialect.h.
  std::uint64_t met() const noexcept { return met_; }

 private:
  static int on_busy(void* self, int calls);
  static int on_progress(void* self);
  void register_functions();
  void check(int code) const;

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::chrono::milliseconds lock_wait_;
  std::chrono::steady_clock::time_point waiting_since_{};
  std::chrono::steady_clock::time_point deadline_{};
  bool limited_ = false;
  std::uint64_t met_ = 0;
  std::atomic<bool> cancelled_ = false;
  std::unordered_map<std::string, std::unique_ptr<Statement>> prepared_;
};

/// BEGIN IMMEDIATE … COMMIT; rolls back unless committed. What was committed is never in doubt:
/// SQLite answers in this process.
class WriteTransaction {
 public:
  explicit WriteTransaction(Connection& connection);
  ~WriteTransaction();
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_ = true;
};

}  // namespace tidemark::sqlite
