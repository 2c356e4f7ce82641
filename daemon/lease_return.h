#pragma once

#include <set>

#include "core/observer.h"
#include "core/ports.h"
#include "sync/run.h"

namespace tidemark {

/// Gives back the leases of jobs that a reload has removed, once their last run has ended, so that
/// another daemon may have them at once. Loop thread; the databases are asked on a worker.
class LeaseReturn final : public Observer {
 public:
  /// Both outlive this or the last event.
  void serve(SyncRunner& runner, Workers& workers);
  /// Before the scheduler hears of the new settings. `running`: jobs with a run under way.
  void configured(const Settings& settings, const std::set<JobName>& running);
  void run_finished(const RunFinished& event) override;

 private:
  void give_back(const JobName& job);

  SyncRunner* runner_ = nullptr;
  Workers* workers_ = nullptr;
  std::set<JobName> jobs_;
  std::set<JobName> leaving_;
};

}  // namespace tidemark
