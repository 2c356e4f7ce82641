// Eight writers on each side, transactions held open for seconds, rollbacks, savepoints, rows of
// one tick, changed keys; the daemon is killed again and again. Nothing may be lost or doubled.
#include <atomic>
#include <catch2/catch.hpp>

#include "storm.h"
#include "support/daemon.h"
#include "support/servers.h"

using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

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
  /// Times that the disturber itself came so late that the server may have renewed its view.
  std::size_t rests = 0;
};

/// How often the settled mark must move outside the disturbed quarter: twenty times a minute, and
/// half as often in a build that is several times as slow.
std::size_t marks_wanted() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr std::size_t a_minute = 10;
#else
  constexpr std::size_t a_minute = 20;
#endif
  return static_cast<std::size_t>(storm_length().count()) * a_minute / 60;
}

/// Waits for so many runs of `orders` to end from now on, while the daemon lives.
void await_runs(Daemon& daemon, long runs) {
  const auto ended = [&] {
    const std::string text =
        daemon.metric("tidemark_job_runs_total{name=\"orders\",result=\"success\"}");
    return text.empty() ? 0L : std::stol(text);
  };
  const long before = ended();
  wait_until(
      "runs to end", [&] { return ended() >= before + runs; }, seconds(30));
}

/// Lets the storm rage, with ten kills spread over its second half.
Weather rage(Storm& storm) {
  const std::string mark = "tidemark_job_watermark_timestamp_seconds{name=\"orders\"}";
  Weather weather;
  std::atomic<bool> stop = false;
  Writers writers(storm.connect);
  std::thread disturber;
  storm.daemon.start();
  const auto begin = std::chrono::steady_clock::now();
  const auto length = std::chrono::duration_cast<milliseconds>(storm_length());
  std::atomic<bool> disturbed = false;
  if (storm.disturb) {
    disturber = std::thread([&] {
      const auto client = storm.connect();
      auto last = std::chrono::steady_clock::now();
      while (!stop) {
        if (disturbed) storm.disturb(*client);
        const auto now = std::chrono::steady_clock::now();
        if (disturbed && now - last > milliseconds(90)) ++weather.rests;
        last = now;
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
    if (edge) await_runs(storm.daemon, 1);
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
  if (disturber.joinable()) disturber.join();
  writers.calm();
  weather.committed = writers.committed();
  weather.gone = writers.gone();
  return weather;
}

void check_calm(Storm& storm, const Weather& weather) {
  const auto source = orders_of(storm.source);
  const std::string events = events_of(storm.source);
  std::string why = "nothing was compared";
  try {
    wait_until(
        "the target to hold what the source holds",
        [&] {
          why = difference(source, orders_of(storm.target), weather.gone);
          if (why.empty() && events_of(storm.target) != events) why = "the events differ";
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
  source.sql(maria_tables);
  Daemon daemon(two_jobs(maria_yaml(source), postgres_yaml(target), "test", "public"), environment);
  Storm storm{.source = source,
              .target = target,
              .daemon = daemon,
              .connect = [&] { return maria_client(source); },
              .disturb =
                  [](Client& client) {
                    client.execute("SELECT COUNT(*) FROM information_schema.INNODB_TRX");
                  }};
  const Weather weather = rage(storm);
  // Read every 20 ms, the list of transactions is a copy that never grows old enough to be renewed.
  WARN("the mark moved " << weather.marks_otherwise << " times, and "
                         << weather.marks_while_disturbed << " times while disturbed");
  CHECK(weather.marks_while_disturbed <= weather.rests);
  CHECK(weather.marks_otherwise >= marks_wanted());
  check_calm(storm, weather);
}

TEST_CASE("a storm on PostgreSQL loses nothing on its way to MariaDB", "[integration][storm]") {
  PostgresServer source({"fsync=off"});
  source.start();
  MariaDbServer target;
  target.start();
  source.sql(postgres_tables);
  Daemon daemon(two_jobs(postgres_yaml(source), maria_yaml(target), "public", "test"), environment);
  Storm storm{.source = source,
              .target = target,
              .daemon = daemon,
              .connect = [&] { return postgres_client(source); },
              .disturb = nullptr};
  const Weather weather = rage(storm);
  WARN("the mark moved " << weather.marks_otherwise << " times");
  CHECK(weather.marks_otherwise >= marks_wanted());
  check_calm(storm, weather);
}
