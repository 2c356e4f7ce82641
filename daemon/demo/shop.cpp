#include "daemon/demo/shop.h"

#include <fmt/format.h>

#include <utility>

#include "core/error.h"

namespace tidemark::demo {
namespace {

using std::chrono::milliseconds;

constexpr const char* tables = R"(
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE customers (
  id INTEGER PRIMARY KEY, name VARCHAR(60) NOT NULL, city VARCHAR(40), credit_cents INTEGER,
  updated_at DATETIME NOT NULL);
CREATE INDEX customers_by_time ON customers (updated_at, id);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, status VARCHAR(20) NOT NULL,
  total_cents INTEGER NOT NULL, note TEXT, updated_at DATETIME NOT NULL);
CREATE INDEX orders_by_time ON orders (updated_at, id);
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL, kind VARCHAR(20) NOT NULL,
  amount_cents INTEGER);
)";

// Every write moves the time, whoever writes: the proof rests on that, not on the application.
constexpr const char* triggers = R"(
CREATE TRIGGER customers_move AFTER UPDATE ON customers WHEN NEW.updated_at = OLD.updated_at BEGIN
  UPDATE customers SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = NEW.id; END;
CREATE TRIGGER orders_move AFTER UPDATE ON orders WHEN NEW.updated_at = OLD.updated_at BEGIN
  UPDATE orders SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE id = NEW.id; END;
)";

constexpr const char* now = "strftime('%Y-%m-%d %H:%M:%f', 'now')";

std::string filling() {
  const auto numbers = [](std::uint64_t count) {
    return fmt::format(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        "WHERE i < {}) ",
        count);
  };
  std::string text = "BEGIN;\n";
  // A hundred rows share each moment: paging by time alone would lose some of them.
  text += "INSERT INTO customers " + numbers(Shop::customers) +
          "SELECT i, 'Customer ' || i, CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN 'Zürich' "
          "WHEN 2 THEN '上海' ELSE 'Łódź' END, i * 37 % 100000, strftime('%Y-%m-%d %H:%M:%f', "
          "'2026-01-01', (i / 100) || ' minutes') FROM n;\n";
  text += "INSERT INTO orders " + numbers(Shop::orders) +
          fmt::format(
              "SELECT i, 1 + i * 7919 % {}, CASE i % 3 WHEN 0 THEN 'paid' WHEN 1 THEN "
              "'sent' ELSE 'open' END, i * 113 % 1000000, CASE i % 5 WHEN 0 THEN NULL "
              "WHEN 1 THEN '' ELSE 'Order ' || i END, strftime('%Y-%m-%d %H:%M:%f', "
              "'2026-01-01', (i / 100) || ' minutes') FROM n;\n",
              Shop::customers);
  text += "INSERT INTO events (order_id, kind, amount_cents) " + numbers(Shop::events) +
          fmt::format(
              "SELECT 1 + i % {}, CASE i % 2 WHEN 0 THEN 'created' ELSE 'paid' END, "
              "i * 17 % 90000 FROM n;\n",
              Shop::orders);
  return text + "COMMIT;\n";
}

[[noreturn]] void fail(sqlite3* handle, const char* what) {
  throw Error({.kind = FailureKind::internal,
               .message = fmt::format("the demo's database: {}: {}", what, sqlite3_errmsg(handle)),
               .operation = "demo"});
}

}  // namespace

Database::Database(const std::string& path) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open(path.c_str(), &handle);
  handle_.reset(handle);
  if (result != SQLITE_OK) fail(handle, "open");
  sqlite3_busy_timeout(handle, 10'000);
}

void Database::execute(const std::string& statements) {
  if (sqlite3_exec(handle_.get(), statements.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(handle_.get(), "write");
}

std::uint64_t Database::number(const std::string& query) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), query.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    return 0;  // the table is not there yet
  const bool row = sqlite3_step(statement) == SQLITE_ROW;
  const auto value = row ? static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0)) : 0;
  sqlite3_finalize(statement);
  return value;
}

Shop::Shop(std::string path) : path_(std::move(path)) {
  Database database(path_);
  database.execute(tables);
  database.execute(filling());
  database.execute(triggers);
}

Shop::~Shop() {
  stop_writing();
}

void Shop::start_writing() {
  ending_ = false;
  thread_ = std::thread([this] { write(); });
}

void Shop::stop_writing() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

WriterCounts Shop::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool Shop::wait(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return ending_; });
}

void Shop::write() {
  try {
    Database database(path_);
    database.execute("PRAGMA synchronous = OFF;");
    std::uint64_t round = counts().transactions;
    do
      transaction(database, round++);
    while (wait(milliseconds(20)));
  } catch (const Error&) {
    // A writer that gave up shows as a count that stands still; what it committed still counts.
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
}

void Shop::transaction(Database& database, std::uint64_t round) {
  const bool rolls_back = round % 7 == 3;
  const bool held_open = round % 60 == 30;
  const std::uint64_t customer = 1 + round * 7919 % customers, order = 1 + round * 104'729 % orders;
  database.execute("BEGIN IMMEDIATE");
  const int before = sqlite3_total_changes(database.handle());
  database.execute(fmt::format(
      "UPDATE customers SET credit_cents = credit_cents + 1 WHERE id BETWEEN {0} AND {0} + 9;"
      "UPDATE orders SET status = 'sent', total_cents = total_cents + {2} "
      "WHERE id BETWEEN {1} AND {1} + 19;",
      customer, order, round % 100));
  // The row is dated now, and stays unseen until the transaction ends: what a naive copy misses.
  if (held_open) wait(milliseconds(1200));
  database.execute(
      fmt::format("INSERT INTO orders (customer_id, status, total_cents, note, updated_at) "
                  "VALUES ({0}, 'open', {1}, 'new ☕', {2}), ({0}, 'open', {1} + 1, NULL, {2});"
                  "INSERT INTO customers (name, city, credit_cents, updated_at) "
                  "VALUES ('New ' || {1}, NULL, NULL, {2});"
                  "INSERT INTO events (order_id, kind, amount_cents) VALUES ({0}, 'created', {1}), "
                  "({0}, 'paid', NULL), ({0}, 'sent', 0);",
                  customer, round, now));
  const int changed = sqlite3_total_changes(database.handle()) - before;
  database.execute(rolls_back ? "ROLLBACK" : "COMMIT");
  const std::lock_guard lock(mutex_);
  ++counts_.transactions;
  counts_.rolled_back += rolls_back ? 1 : 0;
  counts_.held_open += held_open ? 1 : 0;
  counts_.rows += rolls_back ? 0 : static_cast<std::uint64_t>(changed);
}

}  // namespace tidemark::demo
