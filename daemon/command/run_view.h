#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/console.h"
#include "daemon/exit_status.h"

// How runs look to a person, from the API's own JSON: runs through a daemon and here look alike.
namespace tidemark {

using Json = nlohmann::ordered_json;

/// "orders: 12,300 rows read, 9,000/s, 1.4s, about 40 %, 2.1s left".
std::string run_progress_line(const Json& job_status);
/// Result, rows, rate, and where the time went.
void show_outcome(Console& console, const std::string& job, const Json& outcome);
/// The worst of several exit statuses, by what a caller must look at first.
ExitStatus worse(ExitStatus left, ExitStatus right) noexcept;
/// "insert 10, update 2", or "nothing changed".
std::string changes_text(const Json& counts);

}  // namespace tidemark
