#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "observe/log_record.h"

namespace tidemark::observe {

enum class LogStyle { coloured, text, prefixed, json, journal };

/// What `automatic` and the other formats mean for this process. `environment` answers like getenv.
LogStyle choose_style(LogFormat format, int fd,
                      const std::function<const char*(const char*)>& environment);

/// Where lines go. One thread at a time. Never throws.
class LogSink {
 public:
  virtual ~LogSink() = default;
  /// False if the line was lost.
  virtual bool write(const LogRecord& record) noexcept = 0;
};

/// Lines to a file descriptor, which stays open.
std::unique_ptr<LogSink> make_stream_sink(int fd, LogStyle style);
/// The journal's socket; nullptr if there is none. A datagram that is too large goes as a sealed
/// file, one that the journal has no room for is lost.
std::unique_ptr<LogSink> make_journal_sink(const std::string& socket,
                                           const std::string& identifier);

}  // namespace tidemark::observe
