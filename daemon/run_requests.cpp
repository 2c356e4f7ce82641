#include "daemon/run_requests.h"

#include <algorithm>

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
    entry->items[at].refusal = scheduler_.run_now(
        jobs[at], options,
        [entry, at](const RunFinished& finished) { entry->items[at].finished = finished; });
  return *entry;
}

const RunRequests::Entry* RunRequests::find(const std::string& id) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const auto& entry) { return entry->id == id; });
  return found == entries_.end() ? nullptr : found->get();
}

}  // namespace tidemark
