#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/names.h"
#include "core/outcome.h"
#include "core/ports.h"

namespace tidemark {

/// A person's wish that a job rests.
struct Pause {
  JobName job;
  std::string reason = {};
  std::string by = {};  ///< who asked, as the control interface knows them
  WallTime since{};
  std::optional<WallTime> until = {};  ///< nullopt: until resumed
  friend bool operator==(const Pause&, const Pause&) = default;
};

/// Keeps pauses across restarts; lib/state implements it. Loop thread, so no call may wait long.
/// A store that can't write must not throw: it reports through its own error counter, and the
/// pause still holds until the process ends.
class PauseStore {
 public:
  virtual ~PauseStore() = default;
  virtual std::vector<Pause> load() = 0;
  virtual void save(const Pause& pause) noexcept = 0;
  virtual void remove(const JobName& job) noexcept = 0;
};

/// What run history knows of a job when the daemon starts: a restart must not forget how fresh the
/// target is, nor run every job at once.
struct JobHistory {
  std::optional<WallTime> last_start = {};
  std::optional<WallTime> last_success = {};  ///< end of the newest run that succeeded
  std::optional<RunResult> last_result = {};
  std::optional<WallTime> last_end = {};
  Duration last_took{};
  std::uint32_t consecutive_failures = 0;
  std::optional<FailureKind> last_failure_kind = {};
  std::string last_failure = {};
};

}  // namespace tidemark
