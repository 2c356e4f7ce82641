#include "connector/mysql/open_work.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tidemark::mysql {
namespace {

const BusyThread* find_thread(const OpenWork& work, std::uint64_t id) {
  const auto at = std::find_if(work.threads.begin(), work.threads.end(),
                               [id](const BusyThread& one) { return one.id == id; });
  return at == work.threads.end() ? nullptr : &*at;
}

bool knows_prepared(const std::vector<Pending>& pending, std::uint64_t id) {
  return std::any_of(pending.begin(), pending.end(),
                     [id](const Pending& one) { return one.thread == 0 && one.transaction == id; });
}

/// A prepared transaction without a session that the token did not see as such: it may be what a
/// blocker without a number left behind when its session ended.
bool has_stray_prepared(const std::vector<Pending>& pending, const OpenWork& later) {
  return std::any_of(later.transactions.begin(), later.transactions.end(),
                     [&](const OpenTransaction& one) {
                       return one.thread == 0 && !knows_prepared(pending, one.id);
                     });
}

bool is_open(const Pending& blocker, const OpenWork& later, bool stray_prepared) {
  const OpenTransaction* listed = nullptr;
  for (const OpenTransaction& one : later.transactions) {
    if (blocker.transaction != 0 && one.id == blocker.transaction) return true;
    if (blocker.thread != 0 && one.thread == blocker.thread) listed = &one;
  }
  if (blocker.thread == 0) return false;
  if (listed != nullptr) {
    // Another number than a real one is another transaction; 0 may have become a number since. So
    // is one that began at another time.
    if (blocker.transaction != 0) return false;
    return blocker.started == 0 || listed->started == blocker.started;
  }
  if (blocker.transaction == 0 && stray_prepared) return true;
  const BusyThread* thread = find_thread(later, blocker.thread);
  if (thread == nullptr || !thread->busy) return false;
  return blocker.query_id == 0 || thread->query_id == 0 || thread->query_id == blocker.query_id;
}

}  // namespace

std::vector<Pending> blockers_of(const OpenWork& work) {
  std::map<std::uint64_t, Pending> by_thread;
  std::vector<Pending> pending;
  for (const BusyThread& thread : work.threads)
    if (thread.busy) by_thread[thread.id] = {.thread = thread.id, .query_id = thread.query_id};
  for (const OpenTransaction& transaction : work.transactions) {
    if (transaction.thread == 0) {
      pending.push_back({.transaction = transaction.id, .started = transaction.started});
      continue;
    }
    Pending& entry = by_thread[transaction.thread];
    entry.thread = transaction.thread;
    entry.transaction = transaction.id;
    entry.started = transaction.started;
  }
  for (const auto& [id, entry] : by_thread)
    pending.push_back(entry);
  return pending;
}

std::vector<Pending> still_open(const std::vector<Pending>& pending, const OpenWork& later) {
  const bool stray = has_stray_prepared(pending, later);
  std::vector<Pending> open;
  for (const Pending& blocker : pending)
    if (is_open(blocker, later, stray)) open.push_back(blocker);
  return open;
}

std::vector<Blocker> describe(const std::vector<Pending>& pending, const OpenWork& work) {
  std::vector<Blocker> blockers;
  for (const Pending& one : pending) {
    Blocker blocker;
    const BusyThread* thread = one.thread == 0 ? nullptr : find_thread(work, one.thread);
    // A session that is gone while the transaction is not has left it prepared.
    const bool prepared = thread == nullptr;
    blocker.kind = prepared ? "prepared" : "transaction";
    blocker.id = std::to_string(prepared && one.transaction != 0 ? one.transaction : one.thread);
    if (prepared) blocker.gid = work.prepared_gids;
    if (thread != nullptr) {
      blocker.user = thread->user;
      blocker.age = thread->busy ? thread->age : Duration{};
    }
    for (const OpenTransaction& transaction : work.transactions)
      if ((one.transaction != 0 && transaction.id == one.transaction) ||
          (one.thread != 0 && transaction.thread == one.thread))
        blocker.age = std::max(blocker.age, transaction.age);
    blockers.push_back(std::move(blocker));
  }
  return blockers;
}

}  // namespace tidemark::mysql
