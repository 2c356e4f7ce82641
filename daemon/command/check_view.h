#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/settings.h"
#include "daemon/console.h"
#include "daemon/exit_status.h"
#include "sync/check.h"

// What `check`, `plan` and `grants` share: asking the engine about jobs, and showing its answers.
namespace tidemark {

using Json = nlohmann::ordered_json;

struct CheckedJob {
  CheckReport report;
  /// Why a database could not be asked; nullopt where both could.
  std::optional<FailureKind> unreachable = {};
};

/// Asks the databases of these jobs, one job after the other, in this thread.
std::vector<CheckedJob> check_jobs(Console& console, const Settings& settings,
                                   const std::vector<JobName>& jobs);

Json encode(const CheckReport& report);
/// Problems, warnings and how arrival is proven; one block a job.
void show_check(Console& console, const CheckReport& report);
/// The way of each column, and what the first run would execute.
void show_plan(Console& console, const CheckReport& report);
/// Away databases are 69, refused logins 77, everything else that stops a job 78.
ExitStatus exit_status_of(const CheckedJob& job) noexcept;

/// The systemd drop-in that lets the sandboxed daemon reach SQLite files; empty when none is used.
std::string systemd_drop_in(const Settings& settings);

}  // namespace tidemark
