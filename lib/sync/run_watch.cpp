#include "sync/run_watch.h"

#include <system_error>

#include "sync/run_guard.h"

namespace tidemark {
namespace {

using Steady = std::chrono::steady_clock;

}  // namespace

RunWatch::RunWatch(Duration patience)
    : patience_(patience), thread_([this](const std::stop_token& over) { work(over); }) {}

RunWatch::Entry::Entry(RunWatch* watch, RunGuard& guard) : watch_(watch) {
  if (watch_ == nullptr) return;
  bool idle = false;
  {
    const std::lock_guard lock(watch_->mutex_);
    auto& all = watch_->watched_;
    place_ = all.insert(all.end(), {.guard = guard, .since = Steady::now()});
    ++watch_->waiting_;
    ++watch_->entered_;
    idle = watch_->idle_;
  }
  if (idle) watch_->changed_.notify_one();
}

RunWatch::Entry::~Entry() {
  if (watch_ == nullptr) return;
  const std::lock_guard lock(watch_->mutex_);
  if (!place_->started) --watch_->waiting_;
  watch_->watched_.erase(place_);
}

void RunWatch::Entry::attend() noexcept {
  if (watch_ == nullptr) return;
  {
    const std::lock_guard lock(watch_->mutex_);
    if (place_->started) return;
    place_->urgent = true;
    watch_->urgent_ = true;
  }
  watch_->changed_.notify_one();
}

/// Looks once in a while as long as runs come and go, so that a poll does not wake it.
void RunWatch::work(const std::stop_token& over) {
  std::unique_lock lock(mutex_);
  std::uint64_t seen = entered_;
  while (!over.stop_requested()) {
    if (waiting_ == 0 && entered_ == seen) {
      idle_ = true;
      changed_.wait(lock, over, [&] { return entered_ != seen; });
      idle_ = false;
    }
    seen = entered_;
    changed_.wait_for(lock, over, patience_, [this] { return urgent_; });
    start_due();
  }
}

void RunWatch::start_due() {
  urgent_ = false;
  const auto now = Steady::now();
  for (Watched& one : watched_) {
    if (one.started || (!one.urgent && now - one.since < patience_)) continue;
    try {
      one.guard.start();
    } catch (const std::system_error&) {
      continue;  // there is no thread to be had: at the next look
    }
    one.started = true;
    --waiting_;
  }
}

}  // namespace tidemark
