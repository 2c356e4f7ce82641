// A daemon between real servers, while these and the daemon itself come and go.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "support/daemon.h"
#include "support/servers.h"

using namespace tidemark::test;

namespace {

/// An upsert and an append job from MariaDB to PostgreSQL and one upsert job back.
Daemon make_daemon(const MariaDbServer& maria, const PostgresServer& postgres) {
  const auto connection = [](const std::string& type, const Server& server) {
    return "{type: " + type + ", host: 127.0.0.1, port: " + std::to_string(server.port()) +
           ", user: tidemark, password: {env: OUTAGE_PASSWORD}, database: test}\n";
  };
  return Daemon("connections:\n  maria: " + connection("mysql", maria) +
                    "  post: " + connection("postgres", postgres) +
                    "defaults:\n"
                    "  retry: {initial: 100ms, max: 1s}\n"
                    "  schedule: {every: 200ms}\n"
                    "jobs:\n"
                    "  orders:\n"
                    "    source: {connection: maria, table: test.orders}\n"
                    "    target: {connection: post, table: public.orders}\n"
                    "    mode: incremental\n"
                    "    cursor: {column: updated_at}\n"
                    "  events:\n"
                    "    source: {connection: maria, table: test.events}\n"
                    "    target: {connection: post, table: public.events, write: append}\n"
                    "    mode: incremental\n"
                    "    cursor: {column: id}\n"
                    "  back:\n"
                    "    source: {connection: post, table: public.items}\n"
                    "    target: {connection: maria, table: test.items}\n"
                    "    mode: incremental\n"
                    "    cursor: {column: updated_at}\n",
                {"OUTAGE_PASSWORD=tidemark"});
}

bool backs_off(const Daemon& daemon, const std::string& job) {
  return daemon.get("/api/v1/jobs/" + job).find("\"state\": \"backoff\"") != std::string::npos;
}

void make_tables(Server& maria, Server& postgres) {
  maria.sql(
      "CREATE TABLE orders (id int PRIMARY KEY, note varchar(60), amount decimal(12,2), "
      "updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE "
      "CURRENT_TIMESTAMP(6), KEY (updated_at, id));"
      "CREATE TABLE events (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(60));");
  postgres.sql(
      "CREATE TABLE items (id int PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT "
      "clock_timestamp());"
      "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := "
      "clock_timestamp(); RETURN NEW; END $$;"
      "CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON items FOR EACH ROW EXECUTE FUNCTION "
      "touch();");
}

constexpr const char* maria_orders =
    "SELECT COALESCE(SUM(CRC32(CONCAT_WS('/', id, note, amount))), 0), COUNT(*) FROM orders";
constexpr const char* list_orders =
    "SELECT id, note, COALESCE(amount, 0.00) FROM orders ORDER BY id";

std::string maria_events(Server& maria) {
  return maria.sql("SELECT id, what FROM events ORDER BY id");
}
std::string postgres_events(Server& postgres) {
  return postgres.sql("SELECT id, what FROM events ORDER BY id");
}

/// One client connection that keeps changing rows, with transactions held open and rolled back.
class Writer {
 public:
  explicit Writer(MariaDbServer& maria, int number) : number_(number) {
    thread_ = std::thread([this, &maria] { work(maria); });
  }
  ~Writer() { finish(); }
  void finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  void work(MariaDbServer& maria) {
    for (int round = 0; !stop_; ++round) {
      const int base = number_ * 100'000 + round * 10;
      std::string sql = "START TRANSACTION;";
      for (int row = 0; row < 10; ++row) {
        sql += "INSERT INTO orders (id, note, amount) VALUES (" + std::to_string(base + row) +
               ", 'n" + std::to_string(round) + "', " + std::to_string(row) +
               ".25); INSERT INTO events (what) VALUES ('w" + std::to_string(base + row) + "');";
      }
      sql += "UPDATE orders SET amount = amount + 1 WHERE id = " + std::to_string(base - 7) + ";";
      if (round % 5 == 0) sql += "DO SLEEP(0.3);";
      sql += round % 7 == 3 ? "ROLLBACK;" : "COMMIT;";
      maria.sql(sql);
    }
  }

  int number_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

std::string summary(Server& maria, Server& postgres) {
  return maria.sql(maria_orders) + maria.sql("SELECT COUNT(*) FROM events") + "against " +
         postgres.sql("SELECT COUNT(*) FROM orders") + postgres.sql("SELECT COUNT(*) FROM events");
}

}  // namespace

TEST_CASE("killed ten times under load, the daemon loses and doubles nothing",
          "[integration][kill]") {
  MariaDbServer& maria = shared_mariadb();
  PostgresServer postgres({"fsync=off"});
  postgres.start();
  make_tables(maria, postgres);
  Daemon daemon = make_daemon(maria, postgres);
  {
    Writer one(maria, 1);
    Writer two(maria, 2);
    Writer three(maria, 3);
    for (int round = 0; round < 10; ++round) {
      daemon.start();
      // Killed wherever it happens to be, once it has moved something in this life.
      const std::string before = round == 0 ? "" : postgres.sql("SELECT COUNT(*) FROM events");
      wait_until(
          "the daemon to move rows",
          [&] {
            if (!daemon.running()) throw std::runtime_error("the daemon ended: " + daemon.log());
            if (postgres.sql("SELECT to_regclass('events') IS NOT NULL") != "t\n") return false;
            return postgres.sql("SELECT COUNT(*) FROM events") != before;
          },
          std::chrono::seconds(90));
      daemon.kill();
    }
  }
  daemon.start();
  INFO(daemon.log());
  wait_until(
      "both sides to be equal",
      [&] {
        return maria.sql(list_orders) == postgres.sql(list_orders) &&
               maria_events(maria) == postgres_events(postgres);
      },
      std::chrono::seconds(90));
  INFO(summary(maria, postgres));
  CHECK(maria.sql(list_orders) == postgres.sql(list_orders));
  CHECK(maria_events(maria) == postgres_events(postgres));
  CHECK(daemon.stop() == 0);
  maria.sql("DROP TABLE orders, events; DROP TABLE IF EXISTS items");
}

TEST_CASE("databases that vanish come back and the jobs with them", "[integration][outage]") {
  MariaDbServer maria;
  maria.start();
  PostgresServer postgres({"fsync=off"});
  postgres.start();
  make_tables(maria, postgres);
  maria.sql("INSERT INTO orders (id, note) VALUES (1, 'first')");
  postgres.sql("INSERT INTO items (id, name) VALUES (1, 'first')");
  Daemon daemon = make_daemon(maria, postgres);
  daemon.start();
  const auto arrived = [&](int id, std::chrono::seconds limit = std::chrono::seconds(180)) {
    wait_until(
        "row " + std::to_string(id) + " to arrive on both sides",
        [&] {
          const std::string number = std::to_string(id);
          if (!daemon.running()) throw std::runtime_error("the daemon ended: " + daemon.log());
          return postgres.sql("SELECT to_regclass('orders') IS NOT NULL") == "t\n" &&
                 postgres.sql("SELECT COUNT(*) FROM orders WHERE id = " + number) == "1\n" &&
                 maria.sql(
                     "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "
                     "'test' AND table_name = 'items'") == "1\n" &&
                 maria.sql("SELECT COUNT(*) FROM items WHERE id = " + number) == "1\n";
        },
        limit);
  };
  const auto insert = [&](int id) {
    maria.sql("INSERT INTO orders (id, note) VALUES (" + std::to_string(id) + ", 'later')");
    postgres.sql("INSERT INTO items (id, name) VALUES (" + std::to_string(id) + ", 'later')");
  };
  arrived(1);

  postgres.crash();
  wait_until("the job to notice", [&] { return backs_off(daemon, "orders"); });
  postgres.start();
  insert(2);
  arrived(2);

  maria.crash();
  wait_until("the job to notice", [&] { return backs_off(daemon, "back"); });
  maria.start();
  insert(3);
  arrived(3);

  // Rows that come while the daemon is away are there after it is back.
  CHECK(daemon.stop() == 0);
  insert(4);
  daemon.start();
  arrived(4);
  CHECK(daemon.stop() == 0);
  CHECK(maria.sql(list_orders) == postgres.sql(list_orders));
}
