#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/ports.h"
#include "observe/log_record.h"

namespace tidemark::observe {

/// Lets so many identical lines through per window of time and counts the rest. Identical: level,
/// text and all fields but the run's id. One thread at a time.
class RepeatLimit {
 public:
  RepeatLimit(unsigned burst, Duration window) : burst_(burst), window_(window) {}

  bool allows(const LogRecord& record, SteadyTime now);

  /// What was dropped in windows that have ended (all: in every window); forgets them.
  struct Dropped {
    LogRecord first;
    std::uint64_t count = 0;
  };
  std::vector<Dropped> ended(SteadyTime now);
  std::vector<Dropped> all();

 private:
  struct Window {
    SteadyTime began;
    LogRecord first;
    std::uint64_t seen = 0;
  };
  using Windows = std::map<std::string, Window>;
  static std::string key_of(const LogRecord& record);
  Windows::iterator close(Windows::iterator at, std::vector<Dropped>& dropped);

  unsigned burst_;
  Duration window_;
  Windows windows_;
  SteadyTime next_end_ = SteadyTime::max();
};

}  // namespace tidemark::observe
