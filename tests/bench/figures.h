#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/report.h"

namespace tidemark::bench {

struct FigureOptions {
  Stage& stage;
  bool smoke;
  std::function<void(const std::string&)> say;  ///< for whoever waits
};

/// Peak resident memory of one run over ten times the rows, narrow, and over rows / 200 of 1 MiB
/// each, at the default memory budget and at a quarter of it.
std::vector<Figure> memory(const FigureOptions& options);
/// One daemon with 5,000 jobs, idle at every 10 s.
std::vector<Figure> jobs(const FigureOptions& options);

}  // namespace tidemark::bench
