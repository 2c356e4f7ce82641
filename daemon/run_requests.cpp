#include "daemon/run_requests.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidemark {
namespace {

constexpr std::size_t most_entries = 100;

}  // namespace

bool RunRequests::Entry::done() const noexcept {
  return std::all_of(items.begin(), items.end(), [](const Item& item) {
    return item.refusal.has_value() || item.finished.has_value();
  });
}

const RunRequests::Entry& RunRequests::begin(const std::vector<JobName>& jobs,
                                             const RunOptions& options) {
  auto entry = std::make_shared<Entry>();
  entry->id = "request-" + std::to_string(++count_);
  for (const JobName& job : jobs)
    entry->items.push_back({.job = job});
  entries_.push_back(entry);
  if (entries_.size() > most_entries) entries_.pop_front();
  for (std::size_t at = 0; at < jobs.size(); ++at)
    entry->items[at].refusal =
        scheduler_.run_now(jobs[at], options, [this, entry, at](const RunFinished& finished) {
          entry->items[at].finished = finished;
          if (entry->done()) wake([&](const Waiter& waiter) { return waiter.id == entry->id; });
        });
  return *entry;
}

const RunRequests::Entry* RunRequests::find(const std::string& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& entry) { return entry->id == id; });
  return found == entries_.end() ? nullptr : found->get();
}

void RunRequests::when_done(const std::string& id, Duration limit, std::function<void()> then) {
  const Entry* const entry = find(id);
  if (entry == nullptr || entry->done()) return then();
  const auto place =
      waiters_.insert(waiters_.end(), {.id = id, .then = std::move(then), .limit = nullptr});
  place->limit = timers_.after(
      limit, [this, waiter = &*place] { wake([=](const Waiter& one) { return &one == waiter; }); });
}

void RunRequests::stop_waiting() {
  wake([](const Waiter&) { return true; });
}

void RunRequests::wake(const std::function<bool(const Waiter&)>& met) {
  std::list<Waiter> woken;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const auto next = std::next(waiter);
    if (met(*waiter)) woken.splice(woken.end(), waiters_, waiter);
    waiter = next;
  }
  for (const Waiter& waiter : woken)
    waiter.then();
}

}  // namespace tidemark
