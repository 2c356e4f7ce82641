#pragma once

#include <string>
#include <vector>

#include "core/settings.h"

namespace tidemark {

/// What a reload did to the jobs. Sorted by name.
struct ReloadDiff {
  std::vector<JobName> added = {}, removed = {}, changed = {}, unchanged = {};
  /// Daemon settings that keep their old value until a restart: "daemon.workers", …
  std::vector<std::string> restart_required = {};
};

// Pure functions of two configurations. Any thread.

/// Compares job by job; a job whose connection has changed is changed too.
ReloadDiff compare(const Settings& before, const Settings& after);
/// Whether a run of the job would do the same with both. What only the loop reads (schedule, retry,
/// freshness, priority, labels, …) makes no difference: such a change interrupts no run.
bool same_run(const Settings& before, const Settings& after, const JobName& job);
/// `after`, with the daemon settings that need a restart as they were.
Settings effective(const Settings& before, Settings after);

}  // namespace tidemark
