#include "connector/memory/access.h"

namespace tidemark::memory {
namespace {

[[noreturn]] void throw_dead() {
  throw Error({.kind = FailureKind::connect,
               .message = "the session was ended by the database",
               .code = "dead"});
}

}  // namespace

Access::Access(std::shared_ptr<Database> database, const std::string& user)
    : database_(std::move(database)) {
  mark_.user = user;
  announce(Operation::connect);
  std::unique_lock<std::mutex> lock(state().mutex);
  pass(lock, Operation::connect);
  if (const auto fault = strike(Operation::connect)) throw Error(fault->error);
  state().sessions.insert(&mark_);
}

Access::~Access() {
  const std::lock_guard<std::mutex> lock(state().mutex);
  state().sessions.erase(&mark_);
}

void Access::announce(Operation operation) {
  std::function<void(Operation)> listener;
  {
    const std::lock_guard<std::mutex> lock(state().mutex);
    listener = state().listener;
  }
  if (listener) listener(operation);
}

void Access::pass(std::unique_lock<std::mutex>& lock, Operation operation) {
  if (dead()) throw_dead();
  if (!state().held.contains(operation)) return;
  const bool was_busy = std::exchange(mark_.busy, true);
  const auto waiting = state().waiting.insert(operation);
  state().changed.notify_all();
  state().changed.wait(
      lock, [&] { return dead() || mark_.cancelled || !state().held.contains(operation); });
  state().waiting.erase(waiting);
  mark_.busy = was_busy;
  if (dead()) throw_dead();
  if (std::exchange(mark_.cancelled, false)) throw Cancelled();
}

std::optional<Fault> Access::strike(Operation operation) {
  std::list<Fault>& faults = state().faults;
  for (auto at = faults.begin(); at != faults.end(); ++at) {
    if (at->operation && at->operation != operation) continue;
    if (--at->after > 0) continue;
    Fault fault = std::move(*at);
    faults.erase(at);
    if (fault.breaks_session) mark_.dead = true;
    return fault;
  }
  return std::nullopt;
}

std::unique_lock<std::mutex> Access::enter(Operation operation) {
  announce(operation);
  std::unique_lock<std::mutex> lock(state().mutex);
  pass(lock, operation);
  if (const auto fault = strike(operation)) throw Error(fault->error);
  return lock;
}

std::unique_lock<std::mutex> Access::enter_commit(std::optional<Fault>& lost_answer) {
  announce(Operation::commit);
  std::unique_lock<std::mutex> lock(state().mutex);
  pass(lock, Operation::commit);
  if (auto fault = strike(Operation::commit)) {
    if (fault->landing == Landing::never) throw Error(fault->error);
    lost_answer = std::move(fault);
  }
  return lock;
}

void Access::wait_for_cancel() {
  std::unique_lock<std::mutex> lock(state().mutex);
  state().changed.wait(lock, [&] { return dead() || mark_.cancelled; });
  if (dead()) throw_dead();
  mark_.cancelled = false;
  throw Cancelled();
}

void Access::busy(bool busy) {
  const std::lock_guard<std::mutex> lock(state().mutex);
  mark_.busy = busy;
  mark_.cancelled = false;
}

void Access::check_cancelled(const std::unique_lock<std::mutex>&) {
  if (std::exchange(mark_.cancelled, false)) throw Cancelled();
}

void Access::cancel() noexcept {
  {
    const std::lock_guard<std::mutex> lock(state().mutex);
    if (mark_.busy) mark_.cancelled = true;
  }
  state().changed.notify_all();
}

bool Access::usable() const noexcept {
  const std::lock_guard<std::mutex> lock(database_->state_->mutex);
  return !dead();
}

}  // namespace tidemark::memory
