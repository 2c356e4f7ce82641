#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/ports.h"

namespace tidemark::runtime {

/// What each worker thread does before its first task and after its last one (a client library's
/// thread initialisation).
struct WorkerHooks {
  std::function<void()> on_start = {};
  std::function<void()> on_stop = {};
};

/// A fixed number of threads with one queue. `submit` may be called from any thread.
class WorkerPool final : public Workers {
 public:
  using Hooks = WorkerHooks;

  explicit WorkerPool(std::size_t threads, Hooks hooks = {});
  /// As `join`.
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// After `join` the task is dropped.
  void submit(std::function<void()> task) override;
  /// Drops what is queued, waits for the tasks under way and ends the threads. Not from a worker.
  void join();
  std::size_t size() const noexcept { return threads_.size(); }
  /// Tasks under way now.
  std::size_t busy() const;

 private:
  void work();
  Hooks hooks_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::size_t busy_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tidemark::runtime
