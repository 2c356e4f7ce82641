#include "support/virtual_time.h"

#include <algorithm>

namespace tidemark::test {

class VirtualTimers::Handle final : public TimerHandle {
 public:
  Handle(std::weak_ptr<Queue> queue, Key key) : queue_(std::move(queue)), key_(key) {}
  ~Handle() override {
    if (const auto queue = queue_.lock()) queue->erase(key_);
  }

 private:
  std::weak_ptr<Queue> queue_;
  Key key_;
};

std::unique_ptr<TimerHandle> VirtualTimers::after(Duration delay, std::function<void()> callback) {
  const Key key{clock_.steady() + std::max(delay, Duration::zero()), ++sequence_};
  queue_->emplace(key, std::move(callback));
  return std::make_unique<Handle>(queue_, key);
}

void VirtualTimers::drain() {
  while (!posted_.empty()) {
    const std::function<void()> callback = std::move(posted_.front());
    posted_.pop_front();
    callback();
  }
}

bool VirtualTimers::step(SteadyTime end) {
  drain();
  if (queue_->empty() || queue_->begin()->first.first > end) return false;
  const auto first = queue_->begin();
  clock_.move_to(std::max(first->first.first, clock_.steady()));
  // Taken out before it runs: it may destroy its own handle.
  const std::function<void()> callback = std::move(first->second);
  queue_->erase(first);
  ++fired_;
  callback();
  drain();
  return true;
}

void VirtualTimers::advance(Duration by) {
  const SteadyTime end = clock_.steady() + by;
  while (step(end)) {
  }
  clock_.move_to(end);
}

bool VirtualTimers::advance_until(const std::function<bool()>& condition, Duration limit) {
  const SteadyTime end = clock_.steady() + limit;
  drain();
  while (!condition())
    if (!step(end)) return false;
  return true;
}

void InlineWorkers::submit(std::function<void()> task) {
  if (!duration_) {
    tasks_.push_back(std::move(task));
    return;
  }
  const std::uint64_t number = ++sequence_;
  lasting_[number] = timers_.after(*duration_, [this, number, task = std::move(task)] {
    lasting_.erase(number);
    task();
  });
}

bool InlineWorkers::run_next() {
  if (tasks_.empty()) return false;
  const std::function<void()> task = std::move(tasks_.front());
  tasks_.pop_front();
  task();
  timers_.drain();
  return true;
}

void InlineWorkers::run_all() {
  while (run_next()) {
  }
}

std::uint64_t SeededRandom::next() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t value = state_;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

}  // namespace tidemark::test
