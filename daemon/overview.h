#pragma once

#include <string>

#include "daemon/connection_watch.h"
#include "observe/metrics.h"
#include "runtime/event_loop.h"
#include "state/state_store.h"
#include "sync/memory_budget.h"
#include "sync/scheduler.h"

namespace tidemark {

/// How the daemon stands at this moment: asked for at each scrape, and for the line that the
/// supervisor shows. Event loop thread.
class Overview {
 public:
  struct Of {
    const Scheduler& scheduler;
    const ConnectionWatch& connections;
    const runtime::EventLoop& loop;
    const MemoryBudget& memory;
    const state::StateStore& store;
    const Clock& clock;
  };
  explicit Overview(Of of) : of_(of) {}

  observe::LiveValues values() const;
  /// "12 jobs, 1 failing (orders: connect), worst lag 3 min"
  std::string line() const;

 private:
  Of of_;
};

}  // namespace tidemark
