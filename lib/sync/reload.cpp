#include "sync/reload.h"

namespace tidemark {
namespace {

const ConnectionSettings* find(const Settings& settings, const ConnectionName& name) {
  const auto found = settings.connections.find(name);
  return found == settings.connections.end() ? nullptr : &found->second;
}

bool same_connection(const Settings& before, const Settings& after, const ConnectionName& name) {
  const ConnectionSettings* old_one = find(before, name);
  const ConnectionSettings* new_one = find(after, name);
  if (old_one == nullptr || new_one == nullptr) return old_one == new_one;
  if (*old_one != *new_one) return false;
  // A replica asks its primary for open transactions.
  return !new_one->primary || *new_one->primary == name ||
         same_connection(before, after, *new_one->primary);
}

bool same_connections(const Settings& before, const Settings& after, const JobSettings& job) {
  return same_connection(before, after, job.source_connection) &&
         same_connection(before, after, job.target_connection);
}

}  // namespace

ReloadDiff compare(const Settings& before, const Settings& after) {
  ReloadDiff diff;
  for (const auto& [name, job] : after.jobs) {
    const auto old_job = before.jobs.find(name);
    if (old_job == before.jobs.end()) {
      diff.added.push_back(name);
    } else if (old_job->second == job && same_connections(before, after, job)) {
      diff.unchanged.push_back(name);
    } else {
      diff.changed.push_back(name);
    }
  }
  for (const auto& [name, job] : before.jobs)
    if (after.jobs.count(name) == 0) diff.removed.push_back(name);

  const auto needs_restart = [&](bool same, const char* key) {
    if (!same) diff.restart_required.emplace_back(key);
  };
  needs_restart(before.daemon.instance == after.daemon.instance, "daemon.instance");
  needs_restart(before.daemon.listen == after.daemon.listen, "daemon.listen");
  needs_restart(before.daemon.socket == after.daemon.socket, "daemon.socket");
  needs_restart(before.daemon.state_dir == after.daemon.state_dir, "daemon.state_dir");
  needs_restart(before.daemon.workers == after.daemon.workers, "daemon.workers");
  return diff;
}

bool same_run(const Settings& before, const Settings& after, const JobName& job) {
  const JobSettings& old_job = before.jobs.at(job);
  JobSettings adjusted = after.jobs.at(job);
  adjusted.schedule = old_job.schedule;
  adjusted.freshness = old_job.freshness;
  adjusted.retry = old_job.retry;
  adjusted.stall_timeout = old_job.stall_timeout;
  adjusted.priority = old_job.priority;
  adjusted.labels = old_job.labels;
  adjusted.enabled = old_job.enabled;
  return adjusted == old_job && same_connections(before, after, old_job);
}

Settings effective(const Settings& before, Settings after) {
  after.daemon.instance = before.daemon.instance;
  after.daemon.listen = before.daemon.listen;
  after.daemon.socket = before.daemon.socket;
  after.daemon.state_dir = before.daemon.state_dir;
  after.daemon.workers = before.daemon.workers;
  return after;
}

}  // namespace tidemark
