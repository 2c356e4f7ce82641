#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/observer.h"

namespace tidemark {

/// Why a person's wish was not fulfilled. `message` ends in what to do instead.
struct Refusal {
  enum class Reason { unknown_job, disabled, paused, not_running, not_paused, busy, stopping };
  Reason reason = Reason::unknown_job;
  std::string message;
};

struct PauseRequest {
  std::optional<Duration> length = {};  ///< nullopt: until resumed
  std::string reason = {};
  std::string by = {};
};

/// Told once how a run that somebody asked for came out. Loop thread.
using RunDone = std::function<void(const RunFinished&)>;

}  // namespace tidemark
