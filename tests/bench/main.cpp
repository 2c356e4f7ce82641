// Times Tidemark against what each route can do at best; scripts/bench calls it.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>

#include "bench/figures.h"
#include "bench/report.h"
#include "bench/route.h"

namespace tidemark::bench {
namespace {

struct Options {
  std::vector<std::string> routes;
  std::uint64_t rows = 2'000'000;
  int rounds = 3;
  bool smoke = false;
  bool peers = true;
  bool json = false;
  std::string write;
  std::string program = tidemark_program();
  std::string command;
};

/// What happens, for whoever waits; the results go to standard output.
void say(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
  std::fflush(stderr);
}

bool is_peer(const Case& one) {
  return one.name != "tidemark" && one.name != "limit";
}

/// Runs a case of a route once; whether it left what it had to. Throws where it fails.
bool play_once(Stage& stage, const Route& route, const Case& one, int round, Measured& measured) {
  one.reset();
  const double before = stage.server_cpu();
  Cost cost = one.run();
  cost.server_cpu = stage.server_cpu() - before;
  say(fmt::format(
      "{} {} {}: {:.2f} s, {:.0f} rows/s, client CPU {:.2f} s, servers {:.2f} s, {} MiB",
      route.name, round + 1, one.name, cost.seconds, static_cast<double>(route.rows) / cost.seconds,
      cost.client_cpu, cost.server_cpu, cost.peak_rss >> 20));
  const std::string output = cost.output;
  measured.rounds.push_back(std::move(cost));
  if (round > 0) return true;
  const std::string sums = one.sums();
  const std::string expected = route.expected();
  if (sums == expected) return true;
  say(fmt::format("{} {}\nsent    {}\narrived {}\n{}", route.name, one.name, expected, sums,
                  output));
  return false;
}

RouteResult play(Stage& stage, Route route, const Options& options) {
  RouteResult result{.name = route.name,
                     .title = route.title,
                     .limit = route.limit,
                     .rows = route.rows,
                     .must = route.must,
                     .aim = route.aim,
                     .notes = route.notes};
  std::vector<std::string> failed;
  if (!options.peers) std::erase_if(route.cases, is_peer);
  for (const Case& one : route.cases)
    result.cases.push_back({.name = one.name, .rounds = {}});
  for (int round = 0; round < options.rounds; ++round) {
    route.before_round();
    for (std::size_t at = 0; at < route.cases.size(); ++at) {
      const Case& one = route.cases[at];
      if (std::count(failed.begin(), failed.end(), one.name) > 0) continue;
      bool equal = false;
      try {
        equal = play_once(stage, route, one, round, result.cases[at]);
      } catch (const std::exception& problem) {
        if (!is_peer(one)) throw;
        say(problem.what());
      }
      if (equal) continue;
      if (!is_peer(one)) {
        result.equal = false;
        continue;
      }
      // What other tools can't do is a note, and they are not asked again.
      failed.push_back(one.name);
      result.notes.push_back(one.name + " failed, or left something else in the target");
    }
  }
  std::erase_if(result.cases, [&](const Measured& measured) {
    return std::count(failed.begin(), failed.end(), measured.name) > 0;
  });
  return result;
}

/// What is measured against a bound and not against a limit.
struct FigureRoute {
  std::string name;
  std::function<std::vector<Figure>(const FigureOptions&)> measure;
};

const std::vector<FigureRoute>& figure_routes() {
  static const std::vector<FigureRoute> all{{"memory", memory}, {"jobs", jobs}};
  return all;
}

int run(const Options& options) {
  Stage stage({.rows = options.rows, .small = options.smoke, .program = options.program});
  Report report{.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr))),
                .machine = machine(),
                .command = options.command,
                .revision = TIDEMARK_BENCH_REVISION,
                .rows = options.rows,
                .rounds = options.rounds,
                .settings = stage.settings()};
  const auto wanted = [&](const std::string& name) {
    return options.routes.empty() ||
           std::count(options.routes.begin(), options.routes.end(), name) > 0;
  };
  for (const RouteInfo& info : routes()) {
    if (!wanted(info.name)) continue;
    say(info.name + ": making the data");
    report.routes.push_back(play(stage, info.make(stage), options));
  }
  for (const FigureRoute& route : figure_routes()) {
    if (!wanted(route.name)) continue;
    for (Figure& figure : route.measure({.stage = stage, .smoke = options.smoke, .say = say}))
      report.figures.push_back(std::move(figure));
  }
  report.bytes = stage.rows_bytes();
  if (options.json)
    std::puts(json_of(report).dump(2).c_str());
  else
    std::fputs(text_of(report).c_str(), stdout);
  if (!options.write.empty()) std::ofstream(options.write) << markdown_of(report);
  return report.all_equal() ? 0 : 1;
}

}  // namespace

const std::vector<RouteInfo>& routes() {
  static const std::vector<RouteInfo> all = [] {
    std::vector<RouteInfo> list;
    for (const char* name : {"postgres-postgres", "mariadb-postgres", "mariadb-mariadb",
                             "postgres-mariadb", "sqlite-postgres", "postgres-sqlite"})
      list.push_back({name, [name](Stage& stage) { return first_load(stage, name); }});
    for (const char* name : {"upsert-postgres", "upsert-mariadb", "upsert-sqlite"})
      list.push_back({name, [name](Stage& stage) { return upsert(stage, name); }});
    return list;
  }();
  return all;
}

}  // namespace tidemark::bench

int main(int count, char** arguments) {
  using namespace tidemark::bench;
  Options options;
  CLI::App app(
      "Times Tidemark on each route against a hand-written client that does the least, and "
      "against the tools that Debian has. Starts its own servers, makes its own data.");
  std::vector<std::string> names;
  for (const RouteInfo& info : routes())
    names.push_back(info.name);
  for (const FigureRoute& route : figure_routes())
    names.push_back(route.name);
  app.add_option("--route", options.routes, "Only these routes; may stand several times")
      ->check(CLI::IsMember(names));
  auto* rows = app.add_option("--rows", options.rows, "Rows of the table")
                   ->check(CLI::Range(1000, 100'000'000))
                   ->capture_default_str();
  auto* rounds = app.add_option("--rounds", options.rounds, "How often each case runs")
                     ->check(CLI::Range(1, 100))
                     ->capture_default_str();
  app.add_flag("--smoke", options.smoke, "Small servers, 4000 rows, one round: does it work?")
      ->excludes(rows)
      ->excludes(rounds);
  app.add_flag("!--no-peers", options.peers, "Leave out other tools");
  app.add_flag("--json", options.json, "The result as JSON");
  app.add_option("--write", options.write, "Also write the result to this file, as Markdown");
  app.add_option("--program", options.program, "The tidemark to time")->check(CLI::ExistingFile);
  CLI11_PARSE(app, count, arguments);
  if (options.smoke) {
    options.rows = 4000;
    options.rounds = 1;
  }
  options.command = "scripts/bench";
  for (int at = 1; at < count; ++at)
    if (std::string(arguments[at]) != "--write" && std::string(arguments[at - 1]) != "--write")
      options.command += std::string(" ") + arguments[at];
  try {
    return run(options);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return 70;
  }
}
