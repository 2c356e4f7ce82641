#pragma once

#include <algorithm>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "connector/postgres/watchdog.h"

namespace tidemark::postgres {

/// Our own read-only sessions on a server: they write nothing, so no sample waits for them. Any
/// thread.
class OwnSessions {
 public:
  void add(const std::string& session) {
    const std::scoped_lock lock(mutex_);
    sessions_.push_back(session);
  }
  void remove(const std::string& session) {
    const std::scoped_lock lock(mutex_);
    const auto found = std::find(sessions_.begin(), sessions_.end(), session);
    if (found != sessions_.end()) sessions_.erase(found);
  }
  std::vector<std::string> all() const {
    const std::scoped_lock lock(mutex_);
    return sessions_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> sessions_;
};

/// What has been learned about a token since it was sampled, which the token itself can't hold:
/// the bound taken when its first transactions had ended. Forgetting costs only time: the bound is
/// taken again, later. Any thread.
class DrainMemory {
 public:
  std::string recall(const std::string& token) const {
    const std::scoped_lock lock(mutex_);
    for (const auto& [known, bound] : entries_)
      if (known == token) return bound;
    return {};
  }
  void keep(const std::string& token, std::string bound) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return entry.first == token; });
    entries_.emplace_back(token, std::move(bound));
    if (entries_.size() > limit) entries_.pop_front();
  }
  void forget(const std::string& token) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(entries_, [&](const auto& entry) { return entry.first == token; });
  }

 private:
  /// More than any daemon has open: 8 tokens for each of some hundred jobs.
  static constexpr std::size_t limit = 4096;
  mutable std::mutex mutex_;
  std::deque<std::pair<std::string, std::string>> entries_;
};

/// What all sessions of one configured connection have in common.
struct Shared {
  Watchdog watchdog;
  OwnSessions readers;
  DrainMemory drains;
};

}  // namespace tidemark::postgres
