#pragma once

#include <string>
#include <vector>

#include "daemon/command/options.h"
#include "daemon/exit_status.h"
#include "sync/runner.h"

namespace tidemark {

/// One run of each job, now: through the daemon where one answers, as it holds the jobs, else in
/// this process with the same engine. Shows progress and the result.
struct RunWish {
  std::vector<std::string> jobs;
  RunOptions options = {};
  std::string path;          ///< of the API: "/api/v1/run"
  nlohmann::json body = {};  ///< for the API, without the jobs
  bool json = false;
};
ExitStatus execute(Console& console, const DaemonOption& daemon, const RunWish& wish);

}  // namespace tidemark
