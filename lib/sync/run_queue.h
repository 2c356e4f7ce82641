#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "core/names.h"
#include "core/ports.h"

namespace tidemark {

/// Runs that wait for a slot, in the order in which they get one. Loop thread.
///
/// The order is by time of queueing minus a minute per point of priority. As all that wait age
/// alike, it never changes while they do: higher priority goes first, and nothing starves.
class RunQueue {
 public:
  static constexpr Duration priority_point = std::chrono::minutes(1);

  void push(const JobName& job, SteadyTime since, std::int32_t priority);
  void erase(const JobName& job);
  bool contains(const JobName& job) const { return places_.count(job) != 0; }
  std::size_t size() const noexcept { return order_.size(); }
  void clear();
  /// Takes out the first that `may_run` agrees to. Those it refuses keep their place.
  std::optional<JobName> take(const std::function<bool(const JobName&)>& may_run);

 private:
  struct Place {
    SteadyTime rank;
    std::uint64_t sequence;
    JobName job;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  std::set<Place> order_;
  std::map<JobName, std::set<Place>::iterator> places_;
  std::uint64_t sequence_ = 0;
};

}  // namespace tidemark
