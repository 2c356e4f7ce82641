#pragma once

#include <source_location>
#include <string>
#include <vector>

#include "core/ports.h"
#include "observe/log.h"

namespace tidemark::observe {

/// One line on its way to a sink, redacted. A value.
struct LogRecord {
  WallTime time{};
  LogLevel level = LogLevel::info;
  LogEvent event = LogEvent::none;
  std::string text;
  std::vector<LogField> fields = {};
  std::source_location where = {};
};

/// "2026-01-02T03:04:05.678Z info  orders: text". Control characters are escaped, so that no text
/// can forge a line or drive a terminal.
std::string text_line(const LogRecord& record, bool colour);
/// "<6>orders: text", as systemd takes it from a service's stderr.
std::string prefixed_line(const LogRecord& record);
/// One JSON object: time, level, message, event, the fields, and file and line at debug and below.
std::string json_line(const LogRecord& record);
/// A datagram of the native journal protocol.
std::string journal_datagram(const LogRecord& record, const std::string& identifier);

/// "run_finished", …; empty for none.
std::string_view to_string(LogEvent event) noexcept;
/// 128 bits in hex; empty for none.
std::string_view message_id(LogEvent event) noexcept;

}  // namespace tidemark::observe
