// Two daemons with one configuration: whichever is stopped beyond its lease and woken finds that
// the other one has its job, and writes nothing more.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "place.h"
#include "report.h"
#include "support/daemon.h"

using namespace tidemark::test;
using std::chrono::seconds;

namespace {

constexpr seconds lease{3};
/// From the end of a lease until the other one has asked again, on a machine that is busy.
constexpr seconds patience{20};

struct Pause {
  std::string name;
  std::string moment;        ///< as tests/fault/program/moments.h has it
  bool transaction = false;  ///< with rows in an open transaction
};

const std::vector<Pause>& pauses() {
  static const std::vector<Pause> all{
      {"rows written, not committed", "load.put done 2", true},
      {"just before COMMIT", "commit COMMIT 2", true},
      {"COMMIT answered", "load.commit done 2"},
  };
  return all;
}

bool is_stopped(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.substr(name_end + 2, 1) == "T";
}

/// One append job between two databases and two daemons that both want it.
class Rivals {
 public:
  Rivals(const Place& source, const Place& target, const Pause& pause, int number)
      : source_(source),
        target_(target),
        pause_(pause),
        table_(fmt::format("fence_{}", number)),
        first_(sections(), {password_in_environment, patient()}),
        second_(sections(), {password_in_environment, patient()}) {
    source_.make(table_, 300);
  }

  void play() {
    first_.start(
        {.program = crash_program(), .environment = {"TIDEMARK_STOP_AT=" + pause_.moment}});
    wait_until(
        "the first daemon to stop", [&] { return is_stopped(first_.pid()); }, seconds(60));
    second_.start({.program = crash_program()});
    // SQLite has no server that ends the transaction of who does not move: the file stays locked,
    // and nobody takes over before the first one goes on, or is gone.
    const bool locked = pause_.transaction && target_.type() == "sqlite";
    Daemon& winner = locked ? first_ : second_;
    Daemon& loser = locked ? second_ : first_;
    if (locked)
      wait_until(
          "the second daemon to meet the lock",
          [&] { return job_of(second_).find("\"state\": \"backoff\"") != std::string::npos; },
          seconds(60));
    else
      arrive_in_time();
    first_.signal(SIGCONT);
    source_.add(table_, 20, "after waking");
    arrive();
    stands_back(loser, winner);

    // The other one is gone.
    winner.kill();
    source_.add(table_, 20, "after the kill");
    arrive_in_time();
    if (job_of(loser).find("\"held_by\": null") == std::string::npos)
      throw std::runtime_error("who took over does not know that the job is its own");
    if (const int status = loser.stop(); status != 0)
      throw std::runtime_error(fmt::format("the last daemon ended with {}", status));
    if (!equal()) throw std::runtime_error("both sides differ at the end");
    source_.drop(table_);
    target_.drop(table_);
  }
  std::string logs() const { return "--- first\n" + first_.log() + "--- second\n" + second_.log(); }

 private:
  static std::string patient() { return fmt::format("TIDEMARK_TEST_LEASE={}", lease.count()); }

  std::string sections() const {
    return fmt::format(
        "connections:\n  source: {}\n  target: {}\n"
        "jobs:\n  {}:\n    source: {{connection: source, table: {}}}\n"
        "    target: {{connection: target, table: {}, write: append}}\n"
        "    mode: incremental\n    cursor: {{column: id}}\n    batch: {{rows: 100}}\n"
        "    schedule: {{every: 200ms}}\n    retry: {{initial: 100ms, max: 500ms}}\n",
        source_.connection(), target_.connection(0, ", stall_timeout: 2s"), table_,
        source_.table(table_), target_.table(table_));
  }

  std::string job_of(const Daemon& daemon) const { return daemon.get("/api/v1/jobs/" + table_); }

  /// It says who has the job: in its answers and to a person who asks why.
  void stands_back(const Daemon& loser, const Daemon& winner) const {
    const std::string pid = fmt::format("pid {}\"", winner.pid());
    wait_until(
        "the job to be held by the other daemon",
        [&] { return job_of(loser).find(pid) != std::string::npos; }, lease + patience);
    // Now and then it asks again, and is running just then.
    wait_until(
        "`why` to say who holds the job",
        [&] {
          return run_command({crash_program(), "why", table_, "-c", loser.config()})
                     .find("held by another daemon") != std::string::npos;
        },
        lease + patience);
  }

  bool equal() const { return source_.rows(table_) == target_.rows(table_); }
  void arrive() const {
    wait_until(
        "both sides to be equal", [&] { return equal(); }, seconds(90));
  }
  /// By the other daemon, once the lease is over.
  void arrive_in_time() const {
    wait_until(
        "the job to be taken over", [&] { return equal(); }, lease + patience);
  }

  const Place& source_;
  const Place& target_;
  const Pause& pause_;
  std::string table_;
  Daemon first_;
  Daemon second_;
};

std::string play(const Place& source, const Place& target) {
  std::string failures;
  int number = 0;
  for (const Pause& pause : pauses()) {
    Rivals rivals(source, target, pause, ++number);
    try {
      rivals.play();
      report("fencing", {pause.name, target.type(), "each row once"});
    } catch (const std::exception& error) {
      failures +=
          fmt::format("{}, {}: {}\n{}", target.type(), pause.name, error.what(), rivals.logs());
    }
  }
  return failures;
}

}  // namespace

TEST_CASE("of two daemons one writes, and the other one takes over within the lease",
          "[fault][fencing]") {
  TempDir folder;
  const auto postgres = postgres_place(shared_postgres());
  const auto mariadb = mariadb_place(shared_mariadb());
  struct Stand {
    std::unique_ptr<Place> source;
    const Place* target;
    std::string failures = {};
  };
  const auto sqlite = sqlite_place(folder / "target.db");
  std::vector<Stand> stands;
  for (const Place* target : {sqlite.get(), postgres.get(), mariadb.get()})
    stands.push_back({sqlite_place(folder / (target->type() + ".db")), target});
  {
    std::vector<std::jthread> threads;
    for (Stand& stand : stands)
      threads.emplace_back([&stand] { stand.failures = play(*stand.source, *stand.target); });
  }
  for (const Stand& stand : stands) {
    INFO(stand.failures);
    CHECK(stand.failures.empty());
  }
}

TEST_CASE("a run that was killed is followed by the next one when its lease is over",
          "[fault][fencing]") {
  TempDir folder;
  const auto source = sqlite_place(folder / "source.db");
  const auto target = postgres_place(shared_postgres());
  source->make("once", 300);
  Daemon files(
      fmt::format("connections:\n  source: {}\n  target: {}\njobs:\n  once:\n"
                  "    source: {{connection: source, table: once}}\n"
                  "    target: {{connection: target, table: public.once, write: append}}\n"
                  "    mode: incremental\n    cursor: {{column: id}}\n"
                  "    batch: {{rows: 100}}\n    schedule: {{manual: true}}\n",
                  source->connection(), target->connection()));
  const auto run = [&](std::vector<std::string> environment) {
    environment.insert(environment.end(), {password_in_environment, "TIDEMARK_TEST_LEASE=8"});
    ChildProcess process({crash_program(), "run", "once", "-c", files.config()},
                         {.output = folder / "log", .environment = environment});
    return process.wait();
  };
  CHECK(run({"TIDEMARK_CRASH_AT=load.commit done 2"}) == 128 + SIGKILL);
  // Until then it is held by somebody who is gone.
  CHECK(run({}) == 75);
  wait_until(
      "the lease to be over", [&] { return run({}) == 0; }, lease + patience);
  CHECK(source->rows("once") == target->rows("once"));
  target->drop("once");
}
