// tidemark_sim: plays seeds of the simulation and says what it found.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>

#include "simulation/guards.h"
#include "simulation/simulate.h"

namespace {

using namespace tidemark;
using namespace tidemark::sim;

unsigned long long number(std::uint64_t value) {
  return value;
}

int play(std::uint64_t from, std::uint64_t seeds) {
  const auto began = std::chrono::steady_clock::now();
  Tally tally;
  const auto finding = simulate_many(from, seeds, tally);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("%llu seeds (%.0f/s): %llu runs, %llu operations, %llu moves, %llu crashes\n",
              number(tally.seeds), static_cast<double>(tally.seeds) / took.count(),
              number(tally.runs), number(tally.operations), number(tally.moves),
              number(tally.crashes));
  if (!finding) {
    std::puts("every promise was kept");
    return 0;
  }
  std::printf("seed %llu: %s\n", number(finding->seed), finding->what.c_str());
  for (const std::string& line : finding->trace)
    std::printf("  %s\n", line.c_str());
  return 1;
}

/// Each guard off in turn: how many seeds it takes until somebody misses it.
int play_guards(std::uint64_t from, std::uint64_t seeds) {
  int missed_by_nobody = 0;
  for (const GuardName& one : guards()) {
    const Without without(&one);
    Tally tally;
    const auto finding = simulate_many(from, seeds, tally);
    if (!finding) ++missed_by_nobody;
    std::printf("%-24s %s\n", std::string(one.name).c_str(),
                finding ? ("seed " + std::to_string(finding->seed) + ": " + finding->what).c_str()
                        : "NOT MISSED by any seed");
    std::fflush(stdout);
  }
  return missed_by_nobody == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Plays seeded worlds of writers, crashes and faults against the engine");
  std::uint64_t seeds = 2000;
  std::uint64_t from = 1;
  std::string without;
  bool all_guards = false;
  app.add_option("--seeds", seeds, "how many seeds to play")->check(CLI::PositiveNumber);
  app.add_option("--from", from, "the first seed");
  std::map<std::string, const GuardName*> names;
  for (const GuardName& one : guards())
    names.emplace(one.name, &one);
  app.add_option("--without", without, "switch a guard of the engine off")
      ->check(CLI::IsMember(names));
  app.add_flag("--guards", all_guards, "switch each guard off in turn: somebody must miss it");
  CLI11_PARSE(app, argc, argv);
  if (all_guards) return play_guards(from, seeds);
  const Without guard(without.empty() ? nullptr : names.at(without));
  return play(from, seeds);
}
