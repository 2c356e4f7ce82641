// tidemark_sim: plays seeds of the simulation and says what it found.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "simulation/simulate.h"

int main(int argc, char** argv) {
  CLI::App app("Plays seeded worlds of writers, crashes and faults against the engine");
  std::uint64_t seeds = 1000;
  std::uint64_t from = 1;
  app.add_option("--seeds", seeds, "how many seeds to play")->check(CLI::PositiveNumber);
  app.add_option("--from", from, "the first seed");
  CLI11_PARSE(app, argc, argv);

  const auto began = std::chrono::steady_clock::now();
  tidemark::sim::Tally tally;
  const auto finding = tidemark::sim::simulate_many(from, seeds, tally);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
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
