#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"

namespace tidemark::state {

/// What a failed SQLite call means for the state file.
enum class Damage {
  none,     ///< this call failed, the file is fine
  disk,     ///< full, or input and output fail
  corrupt,  ///< the file is not a sound database
};
/// Of an Error that Database or Statement threw.
Damage damage_of(const Error& error) noexcept;

/// One prepared statement; parameters and columns count from 0. Must not outlive its Database.
class Statement {
 public:
  Statement(sqlite3* handle, std::string_view sql);

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::nullptr_t);
  template <class T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind(index, nullptr);
  }
  Statement& bind_blob(int index, const void* bytes, std::size_t size);

  /// True while there is a row.
  bool step();
  /// Runs to the end, ready to be bound anew.
  void run();
  /// Ready to be bound anew, wherever it was left.
  void reset() noexcept;

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  /// Valid until the next step.
  std::string_view text(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  sqlite3* handle_;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

/// One connection to the state file. One thread at a time. Throws Error.
class Database {
 public:
  enum class Open {
    create,     ///< read and write, made if missing
    read,       ///< beside a writer
    immutable,  ///< read without any lock: for a file that nobody writes
  };
  Database(const std::string& path, Open how);

  void execute(const char* sql);
  Statement prepare(std::string_view sql);
  /// The same, kept for the next time, so that it is parsed once: `sql` is a literal. To be used
  /// and left before it is asked for again.
  Statement& prepare_once(std::string_view sql);

 private:
  struct Closer {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Closer> handle_;
  std::map<std::string_view, Statement> prepared_;
};

/// Begins at once, so that two writers queue up instead of failing half-way; rolls back unless
/// committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database* database_;
};

}  // namespace tidemark::state
