#include <fmt/format.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <thread>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

TEST_CASE("killed ten times under load, both sides are equal and each event came once",
          "[e2e][crash]") {
  Site site;
  site.add_items(20'000);
  std::atomic<bool> ending = false;
  std::thread writer([&] {
    Sqlite database(site.path("source.db"));
    for (int round = 0; !ending; ++round) {
      database.execute(fmt::format(
          "BEGIN IMMEDIATE;"
          "UPDATE items SET amount = amount + 1, updated_at = strftime('%Y-%m-%d %H:%M:%f','now') "
          "WHERE id BETWEEN {0} AND {0} + 40;"
          "INSERT INTO items (name, amount, updated_at) "
          "VALUES ('new', {1}, strftime('%Y-%m-%d %H:%M:%f', 'now'));"
          "INSERT INTO log (word) VALUES ('a {1}'), ('b {1}'), ('c {1}'); {2};",
          1 + round * 37 % 20'000, round, round % 5 == 4 ? "ROLLBACK" : "COMMIT"));
    }
  });
  try {
    for (int kill = 0; kill < 10; ++kill) {
      test::Daemon daemon = site.start_ready();
      const std::int64_t before = site.target().number("SELECT count(*) FROM log");
      // In the middle of the work, each time a little deeper into it.
      wait_until("rows that arrive", [&] {
        return site.target().number("SELECT count(*) FROM log") > before + kill * 40;
      });
      daemon.signal(SIGKILL);
      CHECK(daemon.wait() == 128 + SIGKILL);
    }
  } catch (...) {
    ending = true;
    writer.join();
    throw;
  }
  ending = true;
  writer.join();
  test::Daemon daemon = site.start_ready();
  // The lease of the killed daemon runs out first.
  site.wait_equal("items", std::chrono::seconds(120));
  site.wait_equal("log", std::chrono::seconds(120));
  CHECK(site.target().number("SELECT count(*) - count(DISTINCT id) FROM log") == 0);
  daemon.signal(SIGTERM);
  CHECK(daemon.wait() == 0);
}
