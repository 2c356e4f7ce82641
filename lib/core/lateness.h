#pragma once

#include <vector>

namespace tidemark {

/// The upper bounds of the histogram of how late rows came, in seconds. The engine cuts rows at
/// them and the exporter counts them by them, so both must mean the same. Any thread.
inline const std::vector<double>& lateness_bounds() {
  static const std::vector<double> bounds{0.1, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400};
  return bounds;
}

}  // namespace tidemark
