#pragma once

#include <functional>

#include "core/outcome.h"
#include "sync/batch_queue.h"
#include "sync/reading.h"
#include "sync/run.h"
#include "sync/run_guard.h"

namespace tidemark {

struct FeedPorts {
  RunGuard& guard;
  const Clock& clock;
  const RunLimits& limits;
  PhaseTimes& times;  ///< wait and blocked_write grow by how long the caller had nothing to take
};

/// Gives all batches of a read to `take`, in order and on the caller's thread. The first is read
/// there too; where it is not the last, the others are read ahead on a thread of their own, which
/// is gone afterwards: most polls find one batch or none. Throws what either side throws, and
/// Cancelled where the run is to end. When it throws, the reading sides of the whole run have been
/// told to end (RunGuard::end_reading).
void feed(Reading& reading, const FeedPorts& ports, const std::function<void(ReadBatch&)>& take);

}  // namespace tidemark
