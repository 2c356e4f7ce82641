#include "connector/memory/access.h"

namespace tidemark::memory {
namespace {

[[noreturn]] void throw_dead() {
  throw Error({.kind = FailureKind::connect,
               .message = "the session was ended by the database",
               .code = "dead"});
}

}  // namespace

Access::Access(std::shared_ptr<Database> database) : database_(std::move(database)) {
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
  if (mark_.dead) throw_dead();
  if (!state().held.contains(operation)) return;
  const bool was_busy = std::exchange(mark_.busy, true);
  const auto waiting = state().waiting.insert(operation);
  state().changed.notify_all();
  state().changed.wait(
      lock, [&] { return mark_.dead || mark_.cancelled || !state().held.contains(operation); });
  state().waiting.erase(waiting);
  mark_.busy = was_busy;
  if (mark_.dead) throw_dead();
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

std::unique_lock<std::mutex> Access::enter_commit(std::optional<Error>& lost_answer) {
  announce(Operation::commit);
  std::unique_lock<std::mutex> lock(state().mutex);
  pass(lock, Operation::commit);
  if (const auto fault = strike(Operation::commit)) {
    if (!fault->arrived) throw Error(fault->error);
    lost_answer.emplace(fault->error);
  }
  return lock;
}

void Access::wait_for_cancel() {
  std::unique_lock<std::mutex> lock(state().mutex);
  state().changed.wait(lock, [&] { return mark_.dead || mark_.cancelled; });
  if (mark_.dead) throw_dead();
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
  return !mark_.dead;
}

}  // namespace tidemark::memory
