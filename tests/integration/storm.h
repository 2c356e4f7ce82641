#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/servers.h"

namespace tidemark::test {

/// TIDEMARK_STORM_SECONDS, or 20 s.
std::chrono::seconds storm_length();
/// Transactions stay open for up to 5 s of a minute's storm, in a shorter one for as long as a
/// daemon lives between two kills. A drain's mark moves when the oldest open transaction ends,
/// which is so about twice in the time of the longest one.
std::chrono::milliseconds longest_hold();

/// A connection of a writer. False: the statement failed and the transaction is gone.
class Client {
 public:
  virtual ~Client() = default;
  virtual bool execute(const std::string& statement) = 0;
};

std::unique_ptr<Client> postgres_client(const PostgresServer& server);
std::unique_ptr<Client> maria_client(const MariaDbServer& server);

/// The tables that writers write: `orders` with keys of their own and a cursor `updated_at`,
/// `events` with a running number.
inline constexpr const char* maria_tables =
    "CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(60), updated_at timestamp(6) NOT "
    "NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at, id));"
    "CREATE TABLE events (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(60));";
inline constexpr const char* postgres_tables =
    "CREATE TABLE orders (id bigint PRIMARY KEY, note text, updated_at timestamptz NOT NULL "
    "DEFAULT clock_timestamp());"
    "CREATE INDEX ON orders (updated_at, id);"
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := "
    "clock_timestamp(); RETURN NEW; END $$;"
    "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
    "touch();"
    "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);";

/// One writer of a storm, with a range of keys of its own.
class Writer {
 public:
  Writer(std::unique_ptr<Client> client, int number)
      : client_(std::move(client)),
        random_(static_cast<unsigned>(number) * 7919U),
        next_(number * 10'000'000L) {}

  void run(const std::atomic<bool>& stop) {
    while (!stop)
      transaction(stop);
  }
  /// Keys that stood in a committed row once and do not any more.
  const std::set<long>& gone() const { return gone_; }
  std::size_t committed() const { return committed_; }

 private:
  long chance(long below) {
    return static_cast<long>(random_() % static_cast<unsigned long>(below));
  }

  bool insert(long rows) {
    std::string sql = "INSERT INTO orders (id, note) VALUES ";
    for (long row = 0; row < rows; ++row) {
      sql += (row == 0 ? "(" : ",(") + std::to_string(next_) + ",'n" + std::to_string(next_) + "')";
      fresh_.push_back(next_++);
    }
    return client_->execute(sql) &&
           client_->execute("INSERT INTO events (what) VALUES ('e" + std::to_string(next_) + "')");
  }
  bool update() {
    if (live_.empty()) return true;
    return client_->execute("UPDATE orders SET note = 'u" + std::to_string(chance(1000)) +
                            "' WHERE id = " + std::to_string(some_key()));
  }
  bool rename() {
    if (live_.empty()) return true;
    const long from = some_key();
    const long to = next_++;
    if (!client_->execute("UPDATE orders SET id = " + std::to_string(to) +
                          " WHERE id = " + std::to_string(from)))
      return false;
    lost_.push_back(from);
    fresh_.push_back(to);
    live_.erase(from);
    return true;
  }
  bool savepoint() {
    return client_->execute("SAVEPOINT s") &&
           client_->execute("INSERT INTO orders (id, note) VALUES (" + std::to_string(next_++) +
                            ", 'undone')") &&
           client_->execute("ROLLBACK TO SAVEPOINT s");
  }
  long some_key() {
    auto found = live_.lower_bound(chance(next_ + 1));
    return found == live_.end() ? *live_.begin() : *found;
  }

  void transaction(const std::atomic<bool>& stop) {
    fresh_.clear();
    lost_.clear();
    const std::set<long> before = live_;
    bool alive = client_->execute("START TRANSACTION");
    for (long step = 1 + chance(5); alive && step > 0; --step) {
      switch (chance(6)) {
        case 0:
          alive = update();
          break;
        case 1:
          alive = rename();
          break;
        case 2:
          alive = savepoint();
          break;
        default:
          alive = insert(1 + chance(4));
          break;
      }
      if (chance(40) == 0) hold(std::chrono::milliseconds(chance(longest_hold().count())), stop);
    }
    const bool keep = alive && chance(7) != 0;
    if (alive) alive = client_->execute(keep ? "COMMIT" : "ROLLBACK");
    if (keep && alive) {
      live_.insert(fresh_.begin(), fresh_.end());
      for (const long key : lost_) {
        live_.erase(key);
        gone_.insert(key);
      }
      ++committed_;
    } else {
      live_ = before;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(chance(20)));
  }
  static void hold(std::chrono::milliseconds length, const std::atomic<bool>& stop) {
    const auto end = std::chrono::steady_clock::now() + length;
    while (!stop && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  std::unique_ptr<Client> client_;
  std::mt19937_64 random_;
  long next_;
  std::set<long> live_;
  std::set<long> gone_;
  std::vector<long> fresh_;
  std::vector<long> lost_;
  std::size_t committed_ = 0;
};

/// Eight writers at work until `calm`.
class Writers {
 public:
  explicit Writers(const std::function<std::unique_ptr<Client>()>& connect);
  ~Writers() { calm(); }
  Writers(const Writers&) = delete;
  Writers& operator=(const Writers&) = delete;
  void calm();
  /// After `calm`.
  std::size_t committed() const;
  std::set<long> gone() const;

 private:
  std::atomic<bool> stop_ = false;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::vector<std::thread> threads_;
};

std::map<long, std::string> orders_of(Server& server);
/// Empty when `target` holds every row of `source` and nothing but `gone` beyond it.
std::string difference(const std::map<long, std::string>& source,
                       const std::map<long, std::string>& target, const std::set<long>& gone);
std::string events_of(Server& server);

}  // namespace tidemark::test
