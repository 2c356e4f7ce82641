#pragma once

#include <sqlite3.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace tidemark::demo {

/// An SQLite handle that throws Error with SQLite's own words: the demo's tables hold no secrets.
class Database {
 public:
  explicit Database(const std::string& path);
  void execute(const std::string& statements);
  std::uint64_t number(const std::string& query);
  sqlite3* handle() const noexcept { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

struct WriterCounts {
  std::uint64_t transactions = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t held_open = 0;  ///< transactions kept open for a second and more
  std::uint64_t rows = 0;       ///< changed in transactions that were committed
};

/// A shop's database: 200,000 rows, and a thread that keeps changing them as applications do, with
/// long transactions, rollbacks and many rows of one timestamp.
class Shop {
 public:
  static constexpr std::uint64_t customers = 20'000;
  static constexpr std::uint64_t orders = 60'000;
  static constexpr std::uint64_t events = 120'000;

  /// Makes the file, in WAL mode.
  explicit Shop(std::string path);
  ~Shop();
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  void start_writing();
  /// Returns when the last transaction has ended.
  void stop_writing();
  WriterCounts counts() const;

 private:
  void write();
  /// One transaction of the round with this number.
  void transaction(Database& database, std::uint64_t round);
  /// False: asked to stop.
  bool wait(std::chrono::milliseconds time);

  std::string path_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  WriterCounts counts_;
  std::thread thread_;
};

}  // namespace tidemark::demo
