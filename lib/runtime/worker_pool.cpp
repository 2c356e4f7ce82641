#include "runtime/worker_pool.h"

#include <utility>

namespace tidemark::runtime {

WorkerPool::WorkerPool(std::size_t threads, Hooks hooks) : hooks_(std::move(hooks)) {
  threads_.reserve(threads);
  try {
    for (std::size_t index = 0; index < threads; ++index)
      threads_.emplace_back([this] { work(); });
  } catch (...) {
    join();  // a thread that can't be made must not leave the others without an owner
    throw;
  }
}

WorkerPool::~WorkerPool() {
  join();
}

void WorkerPool::submit(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    queue_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void WorkerPool::join() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    dropped.swap(queue_);
  }
  wake_.notify_all();
  dropped.clear();  // outside the lock: what the tasks hold may call back
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::size_t WorkerPool::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

void WorkerPool::work() {
  if (hooks_.on_start) hooks_.on_start();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
    if (ending_) break;
    std::function<void()> task = std::move(queue_.front());
    queue_.pop_front();
    ++busy_;
    lock.unlock();
    task();
    task = {};  // what it captured goes before the thread counts as free
    lock.lock();
    --busy_;
  }
  lock.unlock();
  if (hooks_.on_stop) hooks_.on_stop();
}

}  // namespace tidemark::runtime
