#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "connector/postgres/watchdog.h"
#include "connector/sql/cursor_cache.h"
#include "core/ports.h"
#include "core/type.h"

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

/// What P3 asks of a server, which is the same for every table of it: horizon.h.
struct TimeSample {
  std::string server;      ///< `incarnation()` of the one that answered
  Duration behind{};       ///< how far `mark` lies behind its clock
  std::string mark;        ///< the server's text, in the zone that was asked for
  WallTime sampled{};      ///< its clock when it began
  std::string bound;       ///< the next xid to be given, taken after the mark
  bool none_open = false;  ///< no transaction below `bound` ran then
};

/// The newest P3 samples, so that the jobs of a server share one. Any thread.
///
/// What a sample says stays true for as long as the server lives: once no transaction below its
/// bound runs, every row below its mark is visible, to whoever asks and however late. So an old
/// sample costs freshness only, and that of a mark which is 5 s behind the clock anyway. (A P4
/// list can't be shared so: it must be taken after its own table's highest number.)
class TimeSamples {
 public:
  using Clock = std::chrono::steady_clock;
  /// A sample begun so lately serves the next one who asks.
  static constexpr std::chrono::milliseconds fresh{100};

  std::optional<TimeSample> recall(const std::string& server, const std::string& zone) const {
    const std::scoped_lock lock(mutex_);
    const auto known = newest_.find(zone);
    if (known == newest_.end() || known->second.sample.server != server ||
        Clock::now() - known->second.begun > fresh)
      return std::nullopt;
    return known->second.sample;
  }
  void keep(const std::string& zone, Clock::time_point begun, const TimeSample& sample) {
    const std::scoped_lock lock(mutex_);
    const auto [known, added] = newest_.try_emplace(zone, Entry{begun, sample});
    if (!added && known->second.begun < begun) known->second = {begun, sample};
  }

 private:
  struct Entry {
    Clock::time_point begun;
    TimeSample sample;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> newest_;  ///< by zone: a handful
};

/// What a poll needs to know of the column that it follows.
struct FollowedCursor {
  Type type;
  std::string zone;  ///< in which one without a zone counts
};

/// What all sessions of one configured connection have in common.
struct Shared {
  Watchdog watchdog;
  OwnSessions readers;
  DrainMemory drains;
  TimeSamples times;
  sql::CursorCache<FollowedCursor> cursors;
};

}  // namespace tidemark::postgres
