#include "daemon/lease_return.h"

namespace tidemark {

void LeaseReturn::serve(SyncRunner& runner, Workers& workers) {
  runner_ = &runner;
  workers_ = &workers;
}

void LeaseReturn::configured(const Settings& settings, const std::set<JobName>& running) {
  for (const JobName& job : jobs_) {
    if (settings.jobs.count(job) != 0) continue;
    if (running.count(job) != 0)
      leaving_.insert(job);
    else
      give_back(job);
  }
  jobs_.clear();
  for (const auto& [job, ignored] : settings.jobs) {
    jobs_.insert(job);
    leaving_.erase(job);
  }
}

void LeaseReturn::run_finished(const RunFinished& event) {
  if (leaving_.erase(event.job) != 0) give_back(event.job);
}

void LeaseReturn::give_back(const JobName& job) {
  workers_->submit([runner = runner_, job] { runner->release(job); });
}

}  // namespace tidemark
