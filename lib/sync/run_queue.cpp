#include "sync/run_queue.h"

namespace tidemark {

void RunQueue::push(const JobName& job, SteadyTime since, std::int32_t priority) {
  erase(job);
  const auto [place, added] = order_.insert(
      {.rank = since - priority * priority_point, .sequence = ++sequence_, .job = job});
  places_.emplace(job, place);
}

void RunQueue::erase(const JobName& job) {
  const auto found = places_.find(job);
  if (found == places_.end()) return;
  order_.erase(found->second);
  places_.erase(found);
}

void RunQueue::clear() {
  order_.clear();
  places_.clear();
}

std::optional<JobName> RunQueue::take(const std::function<bool(const JobName&)>& may_run) {
  for (const Place& place : order_) {
    if (!may_run(place.job)) continue;
    JobName job = place.job;
    erase(job);
    return job;
  }
  return std::nullopt;
}

}  // namespace tidemark
