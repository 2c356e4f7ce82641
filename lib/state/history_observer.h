#pragma once

#include "core/observer.h"
#include "state/state_store.h"

namespace tidemark::state {

/// Writes each finished run to the history. Runs that only stood back for another holder or probed
/// a halted job's cause are not runs of the job and are left out. Loop thread.
class HistoryObserver final : public Observer {
 public:
  /// Both must outlive this.
  HistoryObserver(StateStore& store, const Clock& clock) : store_(store), clock_(clock) {}
  void run_finished(const RunFinished& event) override;

 private:
  StateStore& store_;
  const Clock& clock_;
};

}  // namespace tidemark::state
