#pragma once

#include "core/ports.h"

namespace tidemark {

/// Adds the time until it is destroyed to a sum.
class Stopwatch {
 public:
  Stopwatch(const Clock& clock, Duration& sum)
      : clock_(clock), sum_(sum), started_(clock.steady()) {}
  ~Stopwatch() { sum_ += clock_.steady() - started_; }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  const Clock& clock_;
  Duration& sum_;
  SteadyTime started_;
};

}  // namespace tidemark
