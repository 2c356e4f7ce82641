#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/settings.h"
#include "sync/scheduler.h"

namespace tidemark {

/// Runs jobs now, in this process, with the daemon's own engine: same retries, leases and
/// checkpoints, only without calendar, history and pauses. For `tidemark run` where no daemon is.
/// The calling thread becomes the loop. TERM and INT end the runs after their batch, a second one
/// at once.
class LocalEngine {
 public:
  struct Events {
    /// About four times a second while runs are under way.
    std::function<void(const std::vector<JobStatus>&)> progress = {};
    /// A line an operator should see: a retry, a note.
    std::function<void(const std::string&)> talk = {};
  };
  struct Result {
    JobName job;
    std::optional<Refusal> refusal = {};
    std::optional<RunFinished> finished = {};
  };

  LocalEngine(const Settings& settings, Events events);
  ~LocalEngine();
  LocalEngine(const LocalEngine&) = delete;
  LocalEngine& operator=(const LocalEngine&) = delete;

  /// Once. Results in the order asked for.
  std::vector<Result> run(const std::vector<JobName>& jobs, const RunOptions& options);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tidemark
