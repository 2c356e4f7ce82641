#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/route.h"

namespace tidemark::bench {

/// One case's rounds.
struct Measured {
  std::string name;
  std::vector<Cost> rounds;

  /// The round whose time is the median; of an even number the quicker one in the middle.
  const Cost& median() const;
};

/// One route's rounds.
struct RouteResult {
  std::string name;
  std::string title;
  std::string limit;
  std::uint64_t rows = 0;
  double must = 0;
  double aim = 0;
  std::vector<Measured> cases = {};
  bool equal = true;  ///< every case's first round left what it had to
  std::vector<std::string> notes = {};

  /// Tidemark's median time over that of a case; nothing where the case did not run.
  std::optional<double> ratio_to(const std::string& name) const;
  /// The first case that is neither Tidemark nor the limit; null where there is none.
  const Measured* peer() const;
};

/// A figure with a bound, of the routes that have no limit to compare with.
struct Figure {
  std::string route;
  std::string what;
  double value = 0;
  double bound = 0;
  std::string unit;
  bool met() const { return value <= bound; }
};

struct Report {
  std::string date;
  std::string machine;
  std::string command;
  std::string revision;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  ///< of the rows in the text form
  int rounds = 0;
  std::vector<std::string> settings;
  std::vector<RouteResult> routes = {};
  std::vector<Figure> figures = {};

  bool all_equal() const;
};

/// Columns in line, for a terminal.
std::string text_of(const Report& report);
nlohmann::json json_of(const Report& report);
/// docs/benchmarks.md.
std::string markdown_of(const Report& report);

/// Processor, cores, memory and system of this machine.
std::string machine();

}  // namespace tidemark::bench
