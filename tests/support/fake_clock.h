#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "support/process.h"

namespace tidemark::test {

/// The wall clock of a child process, set while the process runs (libfaketime). The monotonic clock
/// stays as it is.
class FakeClock {
 public:
  FakeClock();
  /// What the process needs in its environment.
  std::vector<std::string> environment() const;
  /// From now on the process's clock is so much ahead of ours, or behind it.
  void set(std::chrono::seconds ahead);

 private:
  TempDir dir_;
};

}  // namespace tidemark::test
