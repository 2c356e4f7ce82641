#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
using test::wait_until;

namespace {

/// Plays the supervisor: a datagram socket that collects what the daemon says.
class Supervisor {
 public:
  explicit Supervisor(std::string address) : handle_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    std::memcpy(name.sun_path, address.data(), address.size());
    if (name.sun_path[0] == '@') name.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    REQUIRE(bind(handle_, reinterpret_cast<sockaddr*>(&name), size) == 0);
  }
  ~Supervisor() { close(handle_); }

  /// All that was said so far.
  const std::string& heard() {
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(handle_, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0;)
      text_ += std::string(buffer, static_cast<std::size_t>(got)) + "--\n";
    return text_;
  }
  bool heard(const std::string& part) { return heard().find(part) != std::string::npos; }

 private:
  int handle_;
  std::string text_;
};

}  // namespace

TEST_CASE("the daemon brings both sides in step and keeps them there", "[e2e]") {
  Site site;
  site.add_items(500);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  site.wait_equal("log");
  site.source().execute(
      "UPDATE items SET amount = -1, updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') "
      "WHERE id % 7 = 0");
  site.add_items(20, "later");
  site.wait_equal("items");
  site.wait_equal("log");

  SECTION("a first TERM ends it in order") {
    daemon.signal(SIGTERM);
    CHECK(daemon.wait() == 0);
    CHECK_FALSE(std::filesystem::exists(site.socket()));
  }
  SECTION("and so does INT") {
    daemon.signal(SIGINT);
    CHECK(daemon.wait() == 0);
  }
  SECTION("a hang-up of a reader of its output does not end it") {
    daemon.signal(SIGPIPE);
    daemon.signal(SIGUSR1);
    CHECK(site.client().get("/healthz").status == 200);
  }
}

TEST_CASE("a restart goes on from the checkpoint and knows its history", "[e2e]") {
  Site site;
  site.add_items(100);
  // Rows of the newest moments are looked at again; these are older, each of a moment of its own.
  site.source().execute(
      "UPDATE items SET updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now', "
      "'-' || (3600 - id) || ' seconds') WHERE id <= 90");
  {
    test::Daemon daemon = site.start_ready();
    site.wait_equal("items");
    site.wait_equal("log");
    wait_until("a success of both jobs", [&] {
      return site.job("items")["last"]["success"].is_string() &&
             site.job("log")["last"]["success"].is_string();
    });
    daemon.signal(SIGTERM);
    REQUIRE(daemon.wait() == 0);
  }
  const CommandResult history = site.command({"history", "items", "--json"});
  REQUIRE(history.status == 0);
  const std::size_t runs_before = Json::parse(history.out)["runs"].size();
  CHECK(runs_before > 0);
  site.add_items(10, "after");
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  site.wait_equal("log");
  // Rows of before the restart were not read again.
  Json runs;
  wait_until("a run of this life in the history", [&] {
    runs = site.client().get("/api/v1/history?job=items").body["runs"];
    return runs.size() > runs_before;
  });
  INFO(site.log());
  CHECK(runs.back()["counts"]["rows_read"].get<int>() >= 100);
  CHECK(runs.front()["counts"]["rows_read"].get<int>() < 90);
}

TEST_CASE("a daemon waits for a database that is away instead of ending", "[e2e]") {
  Site site("", R"(  lost:
    source: {connection: gone, table: items}
    target: {table: lost}
    mode: full
)");
  std::string text = site.config_text();
  text.replace(text.find("defaults:"), 0,
               "  gone: {type: postgres, host: 127.0.0.1, port: 1, user: u, database: d,\n"
               "         connect_timeout: 1s, access: read}\n");
  site.write_config(text);
  site.add_items(10);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  Json lost;
  wait_until("the lost job's back-off",
             [&] { return (lost = site.job("lost"))["state"] == "backoff"; });
  CHECK(lost["failure"]["kind"] == "connect");
  CHECK(site.job("items")["healthy"] == true);
  const CommandResult why = site.command({"why", "lost"});
  CHECK(why.status == 0);
  CHECK(why.out.find("lost is ") == 0);
}

TEST_CASE("a second TERM cuts a run short that can't end by itself", "[e2e]") {
  Site site("  shutdown_timeout: 60s");
  site.add_items(100);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  site.target().execute("BEGIN IMMEDIATE");  // the target's only writer, from now on
  site.add_items(10, "blocked");
  wait_until("a run that waits for the target",
             [&] { return site.job("items")["run"].is_object(); });
  daemon.signal(SIGTERM);
  wait_until("the stop", [&] { return site.log().find("stopping") != std::string::npos; });
  daemon.signal(SIGTERM);
  CHECK(daemon.wait(std::chrono::seconds(10)) == 0);
  site.target().execute("ROLLBACK");
  CHECK(site.target().number("SELECT count(*) FROM items") == 100);
}

TEST_CASE("a run that outlasts shutdown_timeout is cut short by itself", "[e2e]") {
  Site site("  shutdown_timeout: 1s");
  site.add_items(100);
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  site.target().execute("BEGIN IMMEDIATE");
  site.add_items(10, "blocked");
  wait_until("a run that waits for the target",
             [&] { return site.job("items")["run"].is_object(); });
  daemon.signal(SIGTERM);
  CHECK(daemon.wait(std::chrono::seconds(15)) == 0);
  site.target().execute("ROLLBACK");
}

TEST_CASE("a second daemon on the same job stands back, then takes over", "[e2e]") {
  Site site;
  site.add_items(50);
  test::Daemon first = site.start_ready();
  site.wait_equal("items");
  wait_until("a success", [&] { return site.job("items")["last"]["success"].is_string(); });

  std::string text = site.config_text();
  const auto replace = [&](const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
  };
  replace("t.sock", "second.sock");
  replace(site.path("state"), site.path("state2"));
  replace("listen: 127.0.0.1:" + std::to_string(site.port()), "listen: none");
  site.write_file("second.yaml", text);
  test::Daemon second = site.start({}, site.path("second.yaml"), "second.log");
  const ControlClient client(site.path("second.sock"));
  const auto job = [&]() -> Json {
    try {
      return client.get("/api/v1/jobs/items").body;
    } catch (const NoDaemon&) {
      return nullptr;
    }
  };
  wait_until("the second daemon to see who holds the job", [&] {
    const Json state = job();
    return state.is_object() && state["held_by"].is_string();
  });
  CHECK(job()["last"]["success"].is_null());

  const CommandResult held =
      run({TIDEMARK_BINARY, "run", "items", "-c", site.path("second.yaml"), "--json"});
  CHECK(held.status == 75);

  first.signal(SIGTERM);
  REQUIRE(first.wait() == 0);
  site.add_items(5, "second");
  site.wait_equal("items", std::chrono::seconds(90));
  wait_until("the second daemon's success", [&] { return job()["last"]["success"].is_string(); });
  second.signal(SIGTERM);
  CHECK(second.wait() == 0);
}

TEST_CASE("two daemons can't share a control socket or a state directory", "[e2e]") {
  Site site;
  test::Daemon first = site.start_ready();
  test::Daemon second = site.start({}, "", "second.log");
  CHECK(second.wait() == 73);
  CHECK_FALSE(site.log("second.log").empty());
  CHECK(site.client().get("/healthz").status == 200);
}

TEST_CASE("killed and started again, a daemon has its jobs back at once, behind a new fence",
          "[e2e]") {
  Site site;
  site.add_items(50);
  const auto fence = [&] {
    return site.target().number("SELECT fence FROM tidemark_checkpoint WHERE job = 'items'");
  };
  test::Daemon daemon = site.start_ready();
  site.wait_equal("items");
  const std::int64_t before = fence();
  daemon.kill();
  site.add_items(5, "later");
  daemon.start();
  site.wait_equal("items");
  // The lease of 60 s was still running: nobody waited for it.
  CHECK(daemon.metric(R"(tidemark_job_runs_total{name="items",result="held"})") == "0");
  CHECK(fence() > before);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("the control socket is for owner and group, and a stale one is replaced", "[e2e]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  struct stat info {};
  REQUIRE(stat(site.socket().c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0660);
  daemon.signal(SIGKILL);
  daemon.wait();
  REQUIRE(std::filesystem::exists(site.socket()));
  const CommandResult status = site.command({"status"});
  CHECK(status.status == 69);
  test::Daemon again = site.start_ready();
  CHECK(site.client().get("/healthz").status == 200);
}

TEST_CASE("the supervisor hears of start, life, reload and stop", "[e2e]") {
  Site site;
  const bool abstract = GENERATE(false, true);
  const std::string address =
      abstract ? "@tidemark-test-" + std::to_string(getpid()) : site.path("notify");
  Supervisor supervisor(address);
  test::Daemon daemon = site.start_ready({"NOTIFY_SOCKET=" + address, "WATCHDOG_USEC=400000"});
  wait_until("READY", [&] { return supervisor.heard("READY=1"); });
  CHECK(supervisor.heard("STATUS="));
  wait_until("WATCHDOG", [&] { return supervisor.heard("WATCHDOG=1"); });

  site.write_config(site.config_text() + "nonsense: 1\n");
  daemon.signal(SIGHUP);
  wait_until("the reload", [&] { return supervisor.heard("RELOADING=1\nMONOTONIC_USEC="); });
  wait_until("its answer", [&] { return supervisor.heard("READY=1\nSTATUS=reload refused"); });

  daemon.signal(SIGTERM);
  CHECK(daemon.wait() == 0);
  CHECK(supervisor.heard("STOPPING=1"));
}

TEST_CASE("USR2 writes the state of every job to the log", "[e2e]") {
  Site site;
  test::Daemon daemon = site.start_ready();
  daemon.signal(SIGUSR2);
  wait_until("the state in the log", [&] {
    const std::string log = site.log();
    return log.find(R"("name":"items")") != std::string::npos &&
           log.find(R"("name":"log")") != std::string::npos;
  });
}
