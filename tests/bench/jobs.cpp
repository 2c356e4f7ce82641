#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "bench/figures.h"
#include "support/http.h"
#include "support/process.h"

namespace tidemark::bench {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

/// A daemon with many jobs from one PostgreSQL to another, each with tables of its own.
class Site {
 public:
  Site(const FigureOptions& options, int count)
      : options_(options),
        count_(count),
        source_(options.stage.place(Vendor::postgres, Stage::Side::source, "many")),
        target_(options.stage.place(Vendor::postgres, Stage::Side::target, "many")) {
    for (Place* place : {source_.get(), target_.get()}) {
      place->recreate();
      // Making thousands of tables is not what is measured.
      place->sql("ALTER DATABASE many SET synchronous_commit = off;");
    }
    // A statement each: one transaction could not hold so many locks.
    std::string statements;
    for (int job = 0; job < count; ++job)
      statements += fmt::format(
          "CREATE TABLE t{0} (id bigint PRIMARY KEY, word text, updated_at timestamptz NOT NULL "
          "DEFAULT clock_timestamp());\nCREATE INDEX ON t{0} (updated_at);\n"
          "INSERT INTO t{0} (id, word) SELECT i, 'word' FROM generate_series(1, 20) AS i;\n",
          job);
    source_->sql(statements);
  }

  std::string path(const std::string& name) const { return dir_ / name; }

  void write_config(const std::string& first_word) const {
    std::ofstream file(path("tidemark.yaml"));
    file << fmt::format(
        "version: 1\n"
        "daemon: {{listen: none, socket: {0}/socket, state_dir: {0}/state, instance: many}}\n"
        "connections:\n  from: {1}\n  to: {2}\n"
        "defaults:\n"
        "  source: {{connection: from}}\n"
        "  target: {{connection: to}}\n"
        "  mode: incremental\n"
        "  cursor: {{column: updated_at, assume: [every_write_moves_it]}}\n"
        "  schedule: {{every: 10s}}\n"
        "jobs:\n",
        dir_.path().string(), source_->yaml(), target_->yaml());
    for (int job = 0; job < count_; ++job)
      file << fmt::format(
          "  j{0}:\n    source: {{table: public.t{0}}}\n    target: {{table: public.t{0}}}\n"
          "    labels: {{word: {1}}}\n",
          job, job == 0 ? first_word : "same");
  }

  /// Starts it; seconds until it is ready.
  double start() {
    const auto began = Steady::now();
    process_ = test::ChildProcess(
        {options_.stage.program(), "daemon", "-c", path("tidemark.yaml")},
        {.output = path("log"), .environment = {"TIDEMARK_BENCH_PASSWORD=tidemark"}});
    test::wait_until(
        "the daemon to be ready",
        [&] {
          if (!process_.running())
            throw std::runtime_error("the daemon ended: " + test::read_file(path("log")));
          return get("/readyz").status == 200;
        },
        std::chrono::minutes(5));
    return seconds_since(began);
  }

  void stop() {
    process_.signal(SIGTERM);
    process_.wait(std::chrono::minutes(2));
  }

  /// Seconds of `tidemark reload`.
  double reload() const {
    return measure({.words = {options_.stage.program(), "reload", "-c", path("tidemark.yaml")},
                    .environment = {"TIDEMARK_BENCH_PASSWORD=tidemark"}})
        .seconds;
  }

  test::HttpAnswer get(const std::string& target) const {
    return test::http({.socket = path("socket")}, "GET", target);
  }

  /// The value of a series without labels, or the sum of those that begin with `series`.
  double metric(const std::string& series) const {
    const std::string text = get("/metrics").body;
    double sum = 0;
    for (std::size_t at = text.find("\n" + series); at != std::string::npos;
         at = text.find("\n" + series, at + 1))
      sum += std::strtod(text.c_str() + text.find_last_of(' ', text.find('\n', at + 1)), nullptr);
    return sum;
  }

  /// Share of a core that a client takes that does nothing but ask the jobs' queries, so many a
  /// second.
  double queries_share(int rate, std::chrono::seconds length) const {
    const auto polls = rate * length.count();
    const Cost cost =
        measure({.words = {limits_program(), "poll-postgres", source_->address(),
                           std::to_string(count_), std::to_string(polls), std::to_string(rate)}});
    return cost.client_cpu / static_cast<double>(length.count());
  }

  double runs() const { return metric("tidemark_job_runs_total{"); }
  double cpu() const { return cpu_of_tree(process_.pid()); }
  std::uint64_t rss() const { return rss_of(process_.pid()); }

  void wait_loaded() const {
    test::wait_until(
        "the first run of every job",
        [&] {
          std::this_thread::sleep_for(std::chrono::seconds(1));
          return std::stoi(target_->sql("SELECT count(*) FROM pg_class WHERE relname ~ "
                                        "'^t[0-9]+$' AND relkind = 'r';")) == count_;
        },
        std::chrono::minutes(15));
  }

 private:
  const FigureOptions& options_;
  int count_;
  test::TempDir dir_;
  std::unique_ptr<Place> source_;
  std::unique_ptr<Place> target_;
  test::ChildProcess process_;
};

}  // namespace

std::vector<Figure> jobs(const FigureOptions& options) {
  const int count = options.smoke ? 50 : 5000;
  const auto window = std::chrono::seconds(options.smoke ? 2 : 60);
  Site site(options, count);
  site.write_config("first");
  site.start();
  site.wait_loaded();
  site.stop();

  const double start = site.start();
  // All of them are due at once after a start: idle is what comes then.
  test::wait_until(
      "a run of every job",
      [&] {
        // The answer has a hundred series of each job: asking often would be the load.
        std::this_thread::sleep_for(std::chrono::seconds(options.smoke ? 1 : 5));
        return site.runs() >= count;
      },
      std::chrono::minutes(10));

  const double runs = site.runs();
  const double cpu = site.cpu();
  const auto began = Steady::now();
  double slowest = 0;
  while (Steady::now() - began < window) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const auto asked = Steady::now();
    if (site.get("/healthz").status == 200) slowest = std::max(slowest, seconds_since(asked));
  }
  const double seconds = seconds_since(began);
  const double share = 100 * (site.cpu() - cpu) / seconds;
  const double polls = (site.runs() - runs) / seconds;
  const double rss = static_cast<double>(site.rss()) / (1024 * 1024);
  site.write_config("second");
  const double reload = site.reload();
  site.stop();
  const double queries = 100 * site.queries_share(std::max(1, static_cast<int>(polls)),
                                                  std::chrono::seconds(options.smoke ? 1 : 20));
  options.say(fmt::format(
      "jobs: start {:.2f} s, {:.0f} polls/s, CPU {:.1f} % of a core ({:.0f} us a poll), of which "
      "the queries {:.1f} %, RSS {:.0f} MiB, slowest /healthz {:.1f} ms, reload {:.2f} s",
      start, polls, share, polls > 0 ? share * 1e4 / polls : 0, queries, rss, slowest * 1e3,
      reload));
  const auto figure = [&](const char* what, double value, double bound, const char* unit) {
    return Figure{.route = "jobs",
                  .what = fmt::format("{} jobs every 10 s: {}", count, what),
                  .value = value,
                  .bound = bound,
                  .unit = unit};
  };
  return {figure("start", start, 2, "s"), figure("reload of one", reload, 2, "s"),
          figure("resident memory", rss, 150, "MiB"),
          figure("slowest answer to /healthz", slowest * 1e3, 10, "ms"),
          figure("CPU of a core beyond the queries", std::max(0.0, share - queries), 5, "%")};
}

}  // namespace tidemark::bench
