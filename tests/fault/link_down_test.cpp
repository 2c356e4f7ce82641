// The network itself goes away: the daemon lives in a network namespace of its own, whose link to
// the servers is taken down.
#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "arrival.h"
#include "place.h"
#include "report.h"
#include "support/daemon.h"

using namespace tidemark::test;
using std::chrono::seconds;

namespace {

constexpr const char* our_end = "10.213.7.1";
constexpr const char* its_end = "10.213.7.2";

/// A namespace and a link into it; gone at the end.
class Namespace {
 public:
  Namespace() {
    try {
      ip("netns add " + name_);
    } catch (const std::runtime_error& error) {
      WARN("skipped: no network namespace can be made here: " << error.what());
      return;
    }
    made_ = true;
    try {
      link();
    } catch (...) {
      remove();
      throw;
    }
  }
  ~Namespace() {
    if (made_) remove();
  }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  bool made() const { return made_; }
  void take_down() const { ip(fmt::format("link set {} down", link_)); }
  void bring_up() const { ip(fmt::format("link set {} up", link_)); }
  /// A script that runs the program in it.
  std::string program(const TempDir& folder) const {
    const std::string path = folder / "program";
    std::ofstream(path) << "#!/bin/sh\nexec nsenter --net=/run/netns/" << name_
                        << " " TIDEMARK_BINARY " \"$@\"\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }

 private:
  void link() const {
    ip(fmt::format("link add {} type veth peer name {} netns {}", link_, link_, name_));
    ip(fmt::format("addr add {}/30 dev {}", our_end, link_));
    ip(fmt::format("link set {} up", link_));
    inside(fmt::format("addr add {}/30 dev {}", its_end, link_));
    inside(fmt::format("link set {} up", link_));
    inside("link set lo up");
  }
  void remove() const {
    ChildProcess({"ip", "netns", "del", name_}, {.output = "/dev/null"}).wait();
    ChildProcess({"ip", "link", "del", link_}, {.output = "/dev/null"}).wait();
  }
  static void ip(const std::string& words) { run_command({"/bin/sh", "-c", "ip " + words}); }
  /// `ip -n` would remount the root, which a chroot has none of.
  void inside(const std::string& words) const {
    run_command({"/bin/sh", "-c", fmt::format("nsenter --net=/run/netns/{} ip {}", name_, words)});
  }
  std::string name_ = fmt::format("tidemark{}", ::getpid());
  std::string link_ = fmt::format("tm{}", ::getpid());
  bool made_ = false;
};

std::string from_there(const Place& place) {
  std::string yaml =
      place.connection(0, ", tls: {mode: disable}, stall_timeout: 2s, connect_timeout: 2s");
  const std::string loopback = "127.0.0.1";
  return yaml.replace(yaml.find(loopback), loopback.size(), our_end);
}

}  // namespace

TEST_CASE("a network that is gone for a while is noticed and come through", "[fault][network]") {
  const Namespace network;
  if (!network.made()) return;
  PostgresServer postgres({"fsync=off", fmt::format("listen_addresses=127.0.0.1,{}", our_end)});
  std::ofstream(postgres.data_directory() + "/pg_hba.conf", std::ios::app)
      << "host all all " << its_end << "/32 scram-sha-256\n";
  postgres.start();
  MariaDbServer mariadb({"--bind-address=0.0.0.0"});
  mariadb.start();
  mariadb.sql(
      fmt::format("CREATE USER tidemark@'{0}' IDENTIFIED BY 'tidemark'; "
                  "GRANT ALL ON *.* TO tidemark@'{0}'",
                  its_end));
  const auto source = postgres_place(postgres);
  const auto target = mariadb_place(mariadb);
  source->make("events", 100);
  TempDir folder;
  Daemon daemon(
      fmt::format("connections:\n  source: {}\n  target: {}\njobs:\n  events:\n"
                  "    source: {{connection: source, table: public.events}}\n"
                  "    target: {{connection: target, table: test.events, write: append}}\n"
                  "    mode: incremental\n    cursor: {{column: id}}\n"
                  "    schedule: {{every: 200ms}}\n    freshness: {{warn: 1s, "
                  "error: 2s}}\n    retry: {{initial: 100ms, max: 500ms}}\n",
                  from_there(*source), from_there(*target)),
      {password_in_environment});
  daemon.start({.program = network.program(folder)});
  INFO(daemon.log());
  const auto equal = [&] { return source->rows("events") == target->rows("events"); };
  arrive(daemon, equal, seconds(60));
  network.take_down();
  source->add("events", 10, "unseen");
  wait_until(
      "the job to back off",
      [&] {
        return daemon.get("/api/v1/jobs/events").find("\"state\": \"backoff\"") !=
               std::string::npos;
      },
      seconds(20));
  wait_until("the job to be stale",
             [&] { return daemon.metric("tidemark_job_stale{name=\"events\"}") == "1"; });
  network.bring_up();
  arrive(daemon, equal, seconds(60));
  CHECK(daemon.stop() == 0);
  CHECK(equal());
  report("resources", {"the daemon's network link is down (namespace)", "noticed, stale, healed"});
}
