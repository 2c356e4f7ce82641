#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/scheduler.h"

namespace tidemark {

/// Runs that were asked for by hand: what `tidemark run` waits for. Remembers the newest hundred.
/// Loop thread.
class RunRequests {
 public:
  struct Item {
    JobName job;
    std::optional<Refusal> refusal = {};
    std::optional<RunFinished> finished = {};
  };
  struct Entry {
    std::string id;
    std::vector<Item> items;
    bool done() const noexcept;
  };

  explicit RunRequests(Scheduler& scheduler) : scheduler_(scheduler) {}

  /// Asks for one run of each job; the entry holds who refused.
  const Entry& begin(const std::vector<JobName>& jobs, const RunOptions& options);
  /// nullptr: unknown, or too long ago.
  const Entry* find(const std::string& id) const;

 private:
  Scheduler& scheduler_;
  // Shared with callbacks that the scheduler may call after the entry has been dropped.
  std::deque<std::shared_ptr<Entry>> entries_;
  std::uint64_t count_ = 0;
};

}  // namespace tidemark
