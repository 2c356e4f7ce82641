#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "core/outcome.h"
#include "daemon/exit_status.h"
#include "observe/metrics.h"
#include "state/state_store.h"
#include "sync/scheduler.h"

// What the API and `--json` show. One place, so that both say the same in the same words. Pure
// functions; no driver text, no secret and no row value but a job's marks goes in. Times are UTC
// text, durations seconds.
namespace tidemark::http {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text);
Json encode(const JobStatus& status, WallTime now);
Json encode(const Failure& failure);
Json encode(const RunCounts& counts);
Json encode(const PhaseTimes& phases);
Json encode(const Outcome& outcome);
Json encode(const state::RunRecord& record);
Json encode(const ReloadFinished& reload);
Json encode(const observe::LiveValues::Connection& connection);

/// Nothing is halted or stale.
bool healthy(const JobStatus& status) noexcept;
/// Source's clock now minus the source's clock at the newest settled complete read.
std::optional<Duration> lag(const Progress& progress, WallTime now) noexcept;

}  // namespace tidemark::http
