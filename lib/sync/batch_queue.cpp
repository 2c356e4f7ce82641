#include "sync/batch_queue.h"

#include <utility>

namespace tidemark {

bool BatchQueue::push(ReadBatch&& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return abandoned_ || batches_.size() < limit_; });
  if (abandoned_) return false;
  batches_.push_back(std::move(batch));
  lock.unlock();
  changed_.notify_all();
  return true;
}

void BatchQueue::close(std::exception_ptr error) noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    error_ = std::move(error);
  }
  changed_.notify_all();
}

std::optional<ReadBatch> BatchQueue::pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !batches_.empty(); });
  if (!batches_.empty()) {
    std::optional<ReadBatch> batch(std::move(batches_.front()));
    batches_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return batch;
  }
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return std::nullopt;
}

void BatchQueue::abandon() noexcept {
  std::deque<ReadBatch> dropped;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    dropped.swap(batches_);
  }
  changed_.notify_all();
}

}  // namespace tidemark
