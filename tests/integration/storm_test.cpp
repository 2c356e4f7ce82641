// Eight writers on each side, transactions held open for seconds, rollbacks, savepoints, rows of
// one tick, changed keys; the daemon is killed again and again. Nothing may be lost or doubled.
#include <libpq-fe.h>
#include <mysql.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "support/daemon.h"
#include "support/servers.h"

using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

seconds storm_length() {
  const char* wanted = std::getenv("TIDEMARK_STORM_SECONDS");
  return seconds(wanted == nullptr ? 20 : std::strtol(wanted, nullptr, 10));
}

/// Transactions stay open for up to 5 s of a minute's storm, less in a shorter one, so that marks
/// can settle between the kills.
milliseconds longest_hold() {
  return std::min(milliseconds(5000), milliseconds(storm_length()) / 12);
}

/// A connection of a writer. False: the statement failed and the transaction is gone.
class Client {
 public:
  virtual ~Client() = default;
  virtual bool execute(const std::string& statement) = 0;
};

class PostgresClient final : public Client {
 public:
  explicit PostgresClient(const PostgresServer& server)
      : connection_(PQconnectdb(("host=" + server.socket_directory() + " port=" +
                                 std::to_string(server.port()) + " user=tidemark dbname=test")
                                    .c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error("no writer connection");
  }
  ~PostgresClient() override { PQfinish(connection_); }
  bool execute(const std::string& statement) override {
    PGresult* result = PQexec(connection_, statement.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return true;
    PQclear(PQexec(connection_, "ROLLBACK"));
    return false;
  }

 private:
  PGconn* connection_;
};

class MariaClient final : public Client {
 public:
  explicit MariaClient(const MariaDbServer& server) : connection_(mysql_init(nullptr)) {
    if (mysql_real_connect(connection_, nullptr, "root", "", "test", 0, server.socket().c_str(),
                           0) == nullptr)
      throw std::runtime_error("no writer connection");
  }
  ~MariaClient() override { mysql_close(connection_); }
  bool execute(const std::string& statement) override {
    if (mysql_query(connection_, statement.c_str()) == 0) {
      if (MYSQL_RES* result = mysql_store_result(connection_)) mysql_free_result(result);
      return true;
    }
    mysql_query(connection_, "ROLLBACK");
    return false;
  }

 private:
  MYSQL* connection_;
};

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
      if (chance(40) == 0) hold(milliseconds(chance(longest_hold().count())), stop);
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
    std::this_thread::sleep_for(milliseconds(chance(20)));
  }
  static void hold(milliseconds length, const std::atomic<bool>& stop) {
    const auto end = std::chrono::steady_clock::now() + length;
    while (!stop && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(milliseconds(10));
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

std::map<long, std::string> orders_of(Server& server) {
  std::istringstream lines(server.sql("SELECT id, note FROM orders"));
  std::map<long, std::string> rows;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    rows[std::stol(line.substr(0, tab))] = line.substr(tab + 1);
  }
  return rows;
}

/// Empty when `target` holds every row of `source` and nothing but `gone` beyond it.
std::string difference(const std::map<long, std::string>& source,
                       const std::map<long, std::string>& target, const std::set<long>& gone) {
  for (const auto& [id, note] : source) {
    const auto found = target.find(id);
    if (found == target.end()) return "row " + std::to_string(id) + " is missing";
    if (found->second != note) return "row " + std::to_string(id) + " is an old version";
  }
  for (const auto& [id, note] : target)
    if (!source.contains(id) && !gone.contains(id))
      return "row " + std::to_string(id) + " was never committed";
  return {};
}

/// An upsert and an append job between two connections, in a hurry.
std::string two_jobs(const std::string& source, const std::string& target,
                     const std::string& source_schema, const std::string& target_schema) {
  return "connections:\n  from: " + source + "\n  to: " + target +
         "\n"
         "defaults:\n  retry: {initial: 100ms, max: 1s}\n  schedule: {every: 200ms}\n"
         "jobs:\n"
         "  orders:\n"
         "    source: {connection: from, table: " +
         source_schema +
         ".orders}\n"
         "    target: {connection: to, table: " +
         target_schema +
         ".orders}\n"
         "    mode: incremental\n    cursor: {column: updated_at}\n"
         "  events:\n"
         "    source: {connection: from, table: " +
         source_schema +
         ".events}\n"
         "    target: {connection: to, table: " +
         target_schema +
         ".events, write: append}\n"
         "    mode: incremental\n    cursor: {column: id}\n";
}

struct Storm {
  Server& source;
  Server& target;
  Daemon& daemon;
  std::function<std::unique_ptr<Client>()> connect;
  /// Called in a loop during the second quarter; nullptr: nothing.
  std::function<void(Client&)> disturb;
};

struct Weather {
  std::size_t committed = 0;
  std::set<long> gone;
  std::size_t marks_while_disturbed = 0;
  std::size_t marks_otherwise = 0;
};

/// Lets the storm rage, with ten kills spread over its second half.
Weather rage(Storm& storm) {
  const std::string mark = "tidemark_job_watermark_timestamp_seconds{name=\"orders\"}";
  Weather weather;
  std::atomic<bool> stop = false;
  std::vector<std::unique_ptr<Writer>> writers;
  std::vector<std::thread> threads;
  for (int number = 1; number <= 8; ++number) {
    writers.push_back(std::make_unique<Writer>(storm.connect(), number));
    threads.emplace_back([&stop, writer = writers.back().get()] { writer->run(stop); });
  }
  storm.daemon.start();
  const auto begin = std::chrono::steady_clock::now();
  const auto length = std::chrono::duration_cast<milliseconds>(storm_length());
  std::atomic<bool> disturbed = false;
  if (storm.disturb) {
    threads.emplace_back([&] {
      const auto client = storm.connect();
      while (!stop) {
        if (disturbed) storm.disturb(*client);
        std::this_thread::sleep_for(milliseconds(20));
      }
    });
  }
  std::string last;
  int kills = 0;
  for (;;) {
    const auto passed = std::chrono::steady_clock::now() - begin;
    if (passed > length) break;
    const bool in_disturbance = storm.disturb && passed > length / 4 && passed < length / 2;
    // What was under way when the disturbance began or ended counts on neither side.
    const bool edge = disturbed != in_disturbance;
    disturbed = in_disturbance;
    if (edge) std::this_thread::sleep_for(milliseconds(500));
    const std::string now = storm.daemon.metric(mark);
    if (!now.empty() && !last.empty() && now != last && !edge)
      ++(in_disturbance ? weather.marks_while_disturbed : weather.marks_otherwise);
    if (!now.empty()) last = now;
    if (passed > length / 2 && kills < 10 && passed > length / 2 + kills * length / 20) {
      storm.daemon.kill();
      ++kills;
      storm.daemon.start();
    }
    std::this_thread::sleep_for(milliseconds(50));
  }
  stop = true;
  for (std::thread& thread : threads)
    thread.join();
  for (const auto& writer : writers) {
    weather.committed += writer->committed();
    weather.gone.insert(writer->gone().begin(), writer->gone().end());
  }
  return weather;
}

void check_calm(Storm& storm, const Weather& weather) {
  const char* list = "SELECT id, what FROM events ORDER BY id";
  const auto source = orders_of(storm.source);
  const std::string events = storm.source.sql(list);
  std::string why = "nothing was compared";
  try {
    wait_until(
        "the target to hold what the source holds",
        [&] {
          why = difference(source, orders_of(storm.target), weather.gone);
          if (why.empty() && storm.target.sql(list) != events) why = "the events differ";
          return why.empty();
        },
        seconds(60));
  } catch (const std::runtime_error&) {
    const std::string log = storm.daemon.log();
    INFO(log.substr(log.size() - std::min<std::size_t>(log.size(), 4000)));
    FAIL(why);
  }
  CHECK(weather.committed > 100);
  CHECK(storm.daemon.metric("tidemark_job_late_rows_total{name=\"orders\"}") == "0");
  CHECK(storm.daemon.metric("tidemark_job_late_rows_total{name=\"events\"}") == "0");
  CHECK(storm.daemon.stop() == 0);
}

const std::vector<std::string> environment{"STORM_PASSWORD=tidemark"};

std::string postgres_yaml(const Server& server) {
  return "{type: postgres, host: 127.0.0.1, port: " + std::to_string(server.port()) +
         ", user: tidemark, password: {env: STORM_PASSWORD}, database: test}";
}
std::string maria_yaml(const Server& server) {
  return "{type: mysql, host: 127.0.0.1, port: " + std::to_string(server.port()) +
         ", user: tidemark, password: {env: STORM_PASSWORD}, database: test}";
}

}  // namespace

TEST_CASE("a storm on MariaDB loses nothing on its way to PostgreSQL", "[integration][storm]") {
  MariaDbServer source;
  source.start();
  PostgresServer target({"fsync=off"});
  target.start();
  source.sql(
      "CREATE TABLE orders (id bigint PRIMARY KEY, note varchar(60), updated_at timestamp(6) NOT "
      "NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (updated_at, id));"
      "CREATE TABLE events (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(60));");
  Daemon daemon(two_jobs(maria_yaml(source), postgres_yaml(target), "test", "public"), environment);
  Storm storm{.source = source,
              .target = target,
              .daemon = daemon,
              .connect = [&] { return std::make_unique<MariaClient>(source); },
              .disturb =
                  [](Client& client) {
                    client.execute("SELECT COUNT(*) FROM information_schema.INNODB_TRX");
                  }};
  const Weather weather = rage(storm);
  // Read every 20 ms, the list of transactions is a copy that never grows old enough to be renewed.
  CHECK(weather.marks_while_disturbed == 0);
  CHECK(weather.marks_otherwise > 0);
  check_calm(storm, weather);
}

TEST_CASE("a storm on PostgreSQL loses nothing on its way to MariaDB", "[integration][storm]") {
  PostgresServer source({"fsync=off"});
  source.start();
  MariaDbServer target;
  target.start();
  source.sql(
      "CREATE TABLE orders (id bigint PRIMARY KEY, note text, updated_at timestamptz NOT NULL "
      "DEFAULT clock_timestamp());"
      "CREATE INDEX ON orders (updated_at, id);"
      "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := "
      "clock_timestamp(); RETURN NEW; END $$;"
      "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION "
      "touch();"
      "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text);");
  Daemon daemon(two_jobs(postgres_yaml(source), maria_yaml(target), "public", "test"), environment);
  Storm storm{.source = source,
              .target = target,
              .daemon = daemon,
              .connect = [&] { return std::make_unique<PostgresClient>(source); },
              .disturb = nullptr};
  const Weather weather = rage(storm);
  CHECK(weather.marks_otherwise > 0);
  check_calm(storm, weather);
}
