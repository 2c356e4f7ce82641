// A job whose way to a database is refused, cut, held, slow or spoilt, or whose server is killed:
// it says so, is late in its own numbers, and recovers by itself.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "arrival.h"
#include "place.h"
#include "report.h"
#include "support/daemon.h"
#include "support/tcp_gate.h"

using namespace tidemark::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Clock = std::chrono::steady_clock;

constexpr seconds stall_timeout{2};
/// A silence is noticed by our side within stall_timeout and what it takes to ask the server once
/// more; the rest is for a slow machine.
constexpr seconds notice_limit{20};

struct Trouble {
  std::string name;
  void (*begin)(TcpGate& gate, Server& server);
  /// Lasts until it is ended, and nothing arrives meanwhile.
  bool lasts = true;
  void (*end)(TcpGate& gate, Server& server) = [](TcpGate& gate, Server&) { gate.restore(); };
};

const std::vector<Trouble>& troubles() {
  static const std::vector<Trouble> all{
      {.name = "connections cut, new ones refused",
       .begin =
           [](TcpGate& gate, Server&) {
             gate.refuse();
             gate.cut();
           }},
      {.name = "connections cut once",
       .begin = [](TcpGate& gate, Server&) { gate.cut(); },
       .lasts = false},
      {.name = "half-open: connections stay and carry nothing",
       .begin = [](TcpGate& gate, Server&) { gate.stall(); }},
      {.name = "every byte 30 ms late",
       .begin = [](TcpGate& gate, Server&) { gate.delay(milliseconds(30)); },
       .lasts = false},
      {.name = "bytes drip: 64 each millisecond",
       .begin = [](TcpGate& gate, Server&) { gate.drip(64, milliseconds(1)); },
       .lasts = false},
      {.name = "the server's greeting is garbled",
       .begin =
           [](TcpGate& gate, Server&) {
             gate.garble();
             gate.cut();
           }},
      {.name = "the server is killed, and starts again",
       .begin = [](TcpGate&, Server& server) { server.crash(); },
       .end = [](TcpGate&, Server& server) { server.start(); }},
  };
  return all;
}

/// An upsert and an append job between SQLite and a server behind a gate.
class Route {
 public:
  Route(std::unique_ptr<Server> server, bool server_is_source)
      : server_(started(std::move(server))),
        gate_(server_->port()),
        local_(sqlite_place(folder_ / "local.db")),
        remote_(server_->settings().type == "postgres" ? postgres_place(*server_)
                                                       : mariadb_place(*server_)),
        source_(server_is_source ? *remote_ : *local_),
        target_(server_is_source ? *local_ : *remote_),
        daemon_(sections(server_is_source), {password_in_environment}),
        name_(remote_->type() + (server_is_source ? " as source" : " as target")) {
    for (const char* table : {"states", "events"})
      source_.make(table, 200);
    daemon_.start();
    arrive();
  }

  void suffer(const Trouble& trouble) {
    const auto began = Clock::now();
    trouble.begin(gate_, *server_);
    if (trouble.lasts) {
      // Rows that come meanwhile, where the source can be reached.
      const bool reachable = server_->running() || &source_ == local_.get();
      if (reachable) add();
      notice(began);
      trouble.end(gate_, *server_);
      if (!reachable) add();
      arrive();
    } else {
      add();
      arrive();
      trouble.end(gate_, *server_);
    }
    wait_until(
        "the jobs to be in time again", [&] { return in_time(); }, seconds(60));
    report("network",
           {trouble.name, name_, trouble.lasts ? "noticed, stale, healed" : "go on, all arrives"});
  }

  /// The answers to COMMITs of the append job do not come back.
  void lose_answers() {
    gate_.inject({.texts = {" revision = ", "COMMIT"}, .moment = TcpGate::Cut::Moment::answer});
    for (std::size_t round = 1; round <= 3; ++round) {
      const std::size_t struck = gate_.struck();
      source_.add("events", 10, "in doubt");
      wait_until(
          "an answer to be lost", [&] { return gate_.struck() > struck; }, seconds(60));
      arrive();
      gate_.inject({.texts = {" revision = ", "COMMIT"}, .moment = TcpGate::Cut::Moment::answer});
    }
    gate_.restore();
    arrive();
    report("network", {"the answer to COMMIT is cut, three times", name_, "each row once"});
  }

  /// The server is killed while it holds a run: one that reads, or one that is about to commit.
  void kill_in_the_middle() {
    const bool target = &target_ == remote_.get();
    gate_.inject({.texts = target ? std::vector<std::string>{" revision = ", "COMMIT"}
                                  : std::vector<std::string>{"events"},
                  .moment = target ? TcpGate::Cut::Moment::before : TcpGate::Cut::Moment::answer,
                  .hold = true});
    const std::size_t struck = gate_.struck();
    source_.add("events", 10, "in the middle");
    wait_until(
        "a run to be held", [&] { return gate_.struck() > struck; }, seconds(60));
    server_->crash();
    gate_.restore();
    server_->start();
    arrive();
    report("network", {"the server is killed in the middle of a run", name_, "each row once"});
  }

  void finish() {
    if (const int status = daemon_.stop(); status != 0)
      throw std::runtime_error(fmt::format("the daemon ended with {}", status));
    if (!equal()) throw std::runtime_error("both sides differ at the end");
  }
  std::string log() const { return daemon_.log(); }
  const std::string& name() const { return name_; }

 private:
  static std::unique_ptr<Server> started(std::unique_ptr<Server> server) {
    server->start();
    return server;
  }

  std::string sections(bool server_is_source) const {
    const std::string remote = remote_->connection(
        gate_.port(), fmt::format(", stall_timeout: {}s, connect_timeout: {}s",
                                  stall_timeout.count(), stall_timeout.count()));
    const std::string local = local_->connection();
    return fmt::format(
        "connections:\n  source: {}\n  target: {}\n"
        "defaults:\n  schedule: {{every: 200ms}}\n  retry: {{initial: 100ms, max: 500ms}}\n"
        "  freshness: {{warn: 1s, error: 2s}}\n"
        "jobs:\n"
        "  states:\n    source: {{connection: source, table: {}}}\n"
        "    target: {{connection: target, table: {}}}\n    mode: incremental\n"
        "    cursor: {{column: changed, assume: [server_assigned, every_write_moves_it, "
        "single_timezone]}}\n"
        "  events:\n    source: {{connection: source, table: {}}}\n"
        "    target: {{connection: target, table: {}, write: append}}\n    mode: incremental\n"
        "    cursor: {{column: id}}\n",
        server_is_source ? remote : local, server_is_source ? local : remote,
        source_.table("states"), target_.table("states"), source_.table("events"),
        target_.table("events"));
  }

  void add() {
    source_.change("states", false);
    source_.add("events", 10, "more");
  }

  bool equal() const {
    return source_.rows("states") == target_.rows("states") &&
           source_.rows("events") == target_.rows("events");
  }
  void arrive() {
    tidemark::test::arrive(
        daemon_, [this] { return equal(); }, seconds(90));
  }

  double metric(const std::string& name, const std::string& job) const {
    const std::string text = daemon_.metric(fmt::format("{}{{name=\"{}\"}}", name, job));
    return text.empty() ? -1 : std::stod(text);
  }

  /// Each job backs off and is stale, and its lag is no shorter than the trouble is long.
  void notice(Clock::time_point began) {
    for (const std::string job : {"states", "events"}) {
      wait_until(
          "job " + job + " to notice",
          [&] {
            const std::string text = daemon_.get("/api/v1/jobs/" + job);
            if (text.find("\"state\": \"halted\"") != std::string::npos)
              throw std::runtime_error("job " + job + " halted");
            return text.find("\"state\": \"backoff\"") != std::string::npos;
          },
          notice_limit);
      wait_until(
          "job " + job + " to be stale", [&] { return metric("tidemark_job_stale", job) == 1; },
          notice_limit);
      const double lasted = std::chrono::duration<double>(Clock::now() - began).count();
      const double lag = metric("tidemark_job_lag_seconds", job);
      if (lag < lasted - 0.5)
        throw std::runtime_error(
            fmt::format("job {} says {:.1f} s, after {:.1f} s of trouble", job, lag, lasted));
    }
  }
  bool in_time() const {
    return metric("tidemark_job_stale", "states") == 0 &&
           metric("tidemark_job_stale", "events") == 0;
  }

  TempDir folder_;
  std::unique_ptr<Server> server_;
  TcpGate gate_;
  std::unique_ptr<Place> local_;
  std::unique_ptr<Place> remote_;
  const Place& source_;
  const Place& target_;
  Daemon daemon_;
  std::string name_;
};

std::unique_ptr<Server> make_server(bool postgres) {
  if (postgres) return std::make_unique<PostgresServer>(std::vector<std::string>{"fsync=off"});
  return std::make_unique<MariaDbServer>();
}

/// "" where it went well.
std::string play(bool postgres, bool server_is_source) {
  std::string at = "start";
  std::unique_ptr<Route> route;
  try {
    route = std::make_unique<Route>(make_server(postgres), server_is_source);
    for (const Trouble& trouble : troubles()) {
      at = trouble.name;
      route->suffer(trouble);
    }
    at = "answers to COMMIT lost";
    if (!server_is_source) route->lose_answers();
    at = "killed in the middle";
    route->kill_in_the_middle();
    at = "end";
    route->finish();
    return {};
  } catch (const std::exception& error) {
    return fmt::format("{}, {}: {}\n{}", route ? route->name() : "", at, error.what(),
                       route ? route->log() : "");
  }
}

}  // namespace

TEST_CASE("whatever happens to a connection, the job says so and recovers", "[fault][network]") {
  struct Stand {
    bool postgres;
    bool source;
    std::string failure = {};
  };
  std::vector<Stand> stands{{true, true}, {true, false}, {false, true}, {false, false}};
  {
    std::vector<std::jthread> threads;
    for (Stand& stand : stands)
      threads.emplace_back([&stand] { stand.failure = play(stand.postgres, stand.source); });
  }
  for (const Stand& stand : stands) {
    INFO(stand.failure);
    CHECK(stand.failure.empty());
  }
}
