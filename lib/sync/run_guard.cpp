#include "sync/run_guard.h"

#include <algorithm>

#include "sync/job_plan.h"

namespace tidemark {
namespace {

// A cancel that comes before the statement has begun is lost, so it is sent again until the run
// has ended.
constexpr Duration cancel_again = std::chrono::milliseconds(50);

}  // namespace

RunGuard::RunGuard(Ports ports)
    : ports_(std::move(ports)),
      progressed_(ports_.clock.steady()),
      renewed_(ports_.clock.steady()),
      watched_(ports_.watch, *this),
      on_stop_(ports_.stop, [this] { end({}); }),
      on_abort_(ports_.abort, [this] { end({}); }) {}

void RunGuard::start() {
  thread_ = std::jthread([this](const std::stop_token& over) { work(over); });
}

void RunGuard::watch(Source* source) {
  const std::lock_guard lock(sessions_mutex_);
  source_ = source;
}

void RunGuard::watch(Target* target) {
  const std::lock_guard lock(sessions_mutex_);
  target_ = target;
}

void RunGuard::watch_beside(Source* source, Target* target) {
  const std::lock_guard lock(sessions_mutex_);
  beside_.emplace_back(source, target);
}

void RunGuard::unwatch(Source* source, Target* target) {
  const std::lock_guard lock(sessions_mutex_);
  std::erase(beside_, std::pair(source, target));
}

void RunGuard::keep_lease() {
  {
    const std::lock_guard lock(mutex_);
    lease_held_ = true;
    renewed_ = ports_.clock.steady();
  }
  changed_.notify_all();
}

void RunGuard::progress(bool committed) {
  const std::lock_guard lock(mutex_);
  progressed_ = ports_.clock.steady();
  if (committed) renewed_ = progressed_;
}

void RunGuard::wait_patiently(bool patient) {
  const std::lock_guard lock(mutex_);
  patient_ = patient;
  progressed_ = ports_.clock.steady();
}

void RunGuard::end(const std::optional<Error>& why) {
  {
    const std::lock_guard lock(mutex_);
    if (why && !verdict_) verdict_ = why;
    ending_.request_stop();
    reading_.request_stop();
  }
  changed_.notify_all();
  watched_.attend();
}

void RunGuard::end_reading() noexcept {
  {
    const std::lock_guard lock(mutex_);
    reading_.request_stop();
  }
  changed_.notify_all();
  watched_.attend();
}

void RunGuard::begin_reading() {
  const std::lock_guard lock(mutex_);
  if (!ending_.stop_requested()) reading_ = std::stop_source();
}

bool RunGuard::stopping() const noexcept {
  const std::lock_guard lock(mutex_);
  return reading_.stop_requested();
}

std::stop_token RunGuard::token() const {
  const std::lock_guard lock(mutex_);
  return reading_.get_token();
}

bool RunGuard::sleep(Duration length) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, length, [&] { return reading_.stop_requested(); });
}

bool RunGuard::cancelled_sessions() const noexcept {
  const std::lock_guard lock(sessions_mutex_);
  return cancelled_;
}

std::optional<Error> RunGuard::verdict() const {
  const std::lock_guard lock(mutex_);
  return verdict_;
}

Duration RunGuard::next_look() const {
  if (reading_.stop_requested()) return cancel_again;
  Duration wait = std::chrono::seconds(1);
  if (lease_held_) wait = std::min(wait, ports_.lease / 3);
  if (ports_.stall_timeout > Duration::zero()) wait = std::min(wait, ports_.stall_timeout / 2);
  return std::max<Duration>(wait, std::chrono::milliseconds(1));
}

void RunGuard::work(const std::stop_token& over) {
  std::unique_lock lock(mutex_);
  while (!over.stop_requested()) {
    const bool was_stopping = reading_.stop_requested();
    changed_.wait_for(lock, over, next_look(),
                      [&] { return !was_stopping && reading_.stop_requested(); });
    if (!over.stop_requested()) look(lock);
  }
}

void RunGuard::cancel_sessions(bool target_too) {
  const std::lock_guard lock(sessions_mutex_);
  cancelled_ = true;
  if (source_ != nullptr) source_->cancel();
  if (target_too && target_ != nullptr) target_->cancel();
  for (const auto& [source, target] : beside_) {
    source->cancel();
    if (target_too) target->cancel();
  }
}

void RunGuard::look(std::unique_lock<std::mutex>& lock) {
  const SteadyTime now = ports_.clock.steady();
  const bool stalled = ports_.stall_timeout > Duration::zero() && !patient_ &&
                       now - progressed_ >= ports_.stall_timeout && !ending_.stop_requested();
  const bool renew = lease_held_ && !verdict_ && now - renewed_ >= ports_.lease / 3;
  lock.unlock();
  if (stalled)
    end(Error({.kind = FailureKind::timeout,
               .message = "nothing was written for " + duration_text(ports_.stall_timeout),
               .code = "stalled",
               .operation = "run",
               .hint = "See what the databases wait for; `stall_timeout` of the job sets how long "
                       "that may take."}));
  if (renew && !stalled) renew_lease(lock);
  const bool at_once = ports_.abort.stop_requested() || verdict().has_value();
  if (at_once || stopping()) cancel_sessions(at_once);
  lock.lock();
}

void RunGuard::renew_lease(std::unique_lock<std::mutex>& lock) {
  try {
    ports_.renew();
  } catch (const Error& error) {
    // A database that does not answer now may do so at the next look; the lease is longer than
    // that.
    if (error.fields().code == "fenced") end(error);
    return;
  } catch (const Cancelled&) {
    return;
  }
  lock.lock();
  renewed_ = ports_.clock.steady();
  lock.unlock();
}

}  // namespace tidemark
