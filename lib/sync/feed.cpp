#include "sync/feed.h"

#include <thread>

#include "core/error.h"
#include "sync/stopwatch.h"

namespace tidemark {
namespace {

std::optional<ReadBatch> wait_for(BatchQueue& queue, const FeedPorts& ports) {
  const Stopwatch waiting(ports.clock, ports.times.wait);
  const Stopwatch blocked(ports.clock, ports.times.blocked_write);
  return queue.pop();
}

}  // namespace

void feed(Reading& reading, const FeedPorts& ports, const std::function<void(ReadBatch&)>& take) {
  BatchQueue queue(ports.limits.queue_batches);
  std::thread ahead;
  struct End {
    RunGuard& guard;
    BatchQueue& queue;
    std::thread& ahead;
    bool drained = false;
    ~End() {
      if (!drained) guard.end_reading();
      queue.abandon();
      if (ahead.joinable()) ahead.join();
    }
  } end{ports.guard, queue, ahead};
  std::optional<ReadBatch> item = reading.next();
  if (item && !item->ends_pass && ports.limits.threads)
    ahead = std::thread([&] { reading.run(queue); });
  while (item) {
    if (ports.guard.stopping()) throw Cancelled();
    take(*item);
    item.reset();  // the next one may need its room
    item = ahead.joinable() ? wait_for(queue, ports) : reading.next();
  }
  end.drained = true;
}

}  // namespace tidemark
