#pragma once

#include <optional>
#include <string>
#include <vector>

#include "state/database.h"
#include "state/state_store.h"

// Records to and from rows of the state file. One thread per Database; throws Error.
namespace tidemark::state {

void insert_run(Database& database, const RunRecord& record);
/// Leaves the newest `keep` runs of the job, and its newest success.
void prune_runs(Database& database, const JobName& job, std::size_t keep);
std::vector<RunRecord> select_history(Database& database, const JobName& job, std::size_t limit,
                                      std::optional<std::int64_t> before);
std::map<JobName, JobHistory> select_job_history(Database& database);
std::map<JobName, Progress> select_progress(Database& database);
void delete_job(Database& database, const JobName& job);

void upsert_pause(Database& database, const Pause& pause);
void delete_pause(Database& database, const JobName& job);
std::map<JobName, Pause> select_pauses(Database& database);

void insert_audit(Database& database, const AuditRecord& record, std::size_t keep);
std::vector<AuditRecord> select_audit(Database& database, std::size_t limit,
                                      std::optional<std::int64_t> before);

/// Empty where there is none.
Secret select_key(Database& database);
void insert_key(Database& database, const Secret& key);

}  // namespace tidemark::state
