#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/observer.h"
#include "core/pauses.h"
#include "core/settings.h"

namespace tidemark {

/// One job at the moment of asking: what API, CLI, metrics and `why` show. A value.
struct JobStatus {
  std::shared_ptr<const JobSettings> settings;
  JobState state = JobState::waiting;
  std::string reason;                     ///< why it is in this state, for people
  std::optional<WallTime> since = {};     ///< when it came into this state
  std::optional<WallTime> next_run = {};  ///< next planned start: tick, retry or probe
  std::optional<Failure> failure = {};    ///< of the halt or back-off

  std::string run_id = {};  ///< of the run under way
  std::optional<Trigger> trigger = {};
  std::optional<WallTime> run_started = {};
  RunCounts run_counts = {};  ///< of the run under way
  bool stopping = false;      ///< the run under way was asked to end
  bool probing = false;       ///< halted, and looking whether the cause is gone

  std::optional<WallTime> last_start = {};
  std::optional<WallTime> last_end = {};
  std::optional<WallTime> last_success = {};
  std::optional<RunResult> last_result = {};
  Duration last_took{};
  std::string last_run_id = {};
  RunCounts last_counts = {};
  std::optional<Failure> last_failure = {};  ///< newest failure since the last success
  std::uint32_t consecutive_failures = 0;

  std::uint32_t attempt = 0;       ///< failures with a live connection in this chain of retries
  std::uint32_t away_attempt = 0;  ///< failures while a database was away
  std::string held_by = {};        ///< the other daemon that holds the job
  std::optional<Pause> pause = {};
  std::vector<JobName> waits_for = {};  ///< `after` jobs that have not succeeded yet

  std::optional<WallTime> due = {};            ///< when the next success was or is expected
  std::optional<WallTime> deadline = {};       ///< due plus freshness.error
  std::optional<WallTime> warn_deadline = {};  ///< due plus freshness.warn
  bool stale = false;                          ///< past the deadline
  bool late = false;                           ///< past the warn deadline
  bool degraded = false;   ///< it runs, but not as configured: drift, or a promise that broke
  Progress progress = {};  ///< newest known, of this or the last run
};

}  // namespace tidemark
