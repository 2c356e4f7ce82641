#include "sync/feed.h"

#include <thread>

#include "core/error.h"
#include "sync/stopwatch.h"

namespace tidemark {
namespace {

void feed_in_turn(Reading& reading, const std::function<void(ReadBatch&)>& take) {
  while (std::optional<ReadBatch> item = reading.next())
    take(*item);
}

void feed_overlapped(Reading& reading, const FeedPorts& ports,
                     const std::function<void(ReadBatch&)>& take) {
  BatchQueue queue(ports.limits.queue_batches);
  std::thread thread([&] { reading.run(queue); });
  struct End {
    RunGuard& guard;
    BatchQueue& queue;
    std::thread& thread;
    bool drained = false;
    ~End() {
      if (!drained) guard.end_reading();
      queue.abandon();
      thread.join();
    }
  } end{ports.guard, queue, thread};
  for (;;) {
    std::optional<ReadBatch> item;
    {
      const Stopwatch waiting(ports.clock, ports.times.wait);
      const Stopwatch blocked(ports.clock, ports.times.blocked_write);
      item = queue.pop();
    }
    if (!item) break;
    if (ports.guard.stopping()) throw Cancelled();
    take(*item);
  }
  end.drained = true;
}

}  // namespace

void feed(Reading& reading, const FeedPorts& ports, const std::function<void(ReadBatch&)>& take) {
  if (ports.limits.threads)
    feed_overlapped(reading, ports, take);
  else
    feed_in_turn(reading, take);
}

}  // namespace tidemark
