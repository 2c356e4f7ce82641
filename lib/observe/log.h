#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/settings.h"
#include "observe/redactor.h"

namespace tidemark::observe {

/// Events with a stable journal MESSAGE_ID, so that `journalctl MESSAGE_ID=…` finds them.
enum class LogEvent {
  none,
  started,
  ready,
  stopping,
  run_finished,
  run_failed,
  retry,
  state_changed,
  halted,
  reload_applied,
  reload_rejected,
  mark_epoch,
  note,
  state_store,
  audit,
};

/// A structured field. Keys are lower snake_case; the journal shows them in upper case, `class`,
/// `kind` and `code` as ERROR_CLASS, ERROR_KIND and ERROR_CODE.
struct LogField {
  std::string_view key;
  std::variant<std::string, std::int64_t, double> value;
};

/// Where and how lines are written.
struct LogOptions {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  int fd = 2;  ///< text and JSON lines go here; not closed
  std::string identifier = "tidemark";
  std::string journal_socket = "/run/systemd/journal/socket";
  /// nullptr: the system's. Only for times in lines and the rate limit's windows.
  const Clock* clock = nullptr;
  /// Identical lines (level, text and fields but run_id) beyond so many within `window` are dropped
  /// and counted; a line says how many. 0: no limit.
  unsigned burst = 5;
  Duration window = std::chrono::minutes(1);
};

/// The daemon's log, on spdlog. Formats: coloured text on a terminal, plain text, `<N>` prefixed
/// text for systemd, JSON lines, and the native journal protocol. `automatic` chooses the journal
/// when $JOURNAL_STREAM names our stderr, prefixes under systemd otherwise, colours on a terminal
/// (unless NO_COLOR or TERM=dumb), plain text elsewhere. Every line passes the Redactor.
///
/// Any thread. Writes at once, on the calling thread; the journal socket never blocks (a message it
/// has no room for is counted and reported with the next one). Never throws.
class Log {
 public:
  explicit Log(LogOptions options = {});
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Level and format of `settings`; at start and at reload.
  void configure(const DaemonSettings& settings);
  Redactor& redactor() noexcept;
  /// Called once per line written, with its level: for tidemark_log_messages_total.
  void on_message(std::function<void(LogLevel)> callback);

  bool enabled(LogLevel level) const noexcept;
  void write(LogLevel level, std::string_view text, std::vector<LogField> fields = {},
             LogEvent event = LogEvent::none,
             std::source_location where = std::source_location::current()) noexcept;

  void trace(std::string_view text, std::vector<LogField> fields = {},
             std::source_location where = std::source_location::current()) noexcept {
    write(LogLevel::trace, text, std::move(fields), LogEvent::none, where);
  }
  void debug(std::string_view text, std::vector<LogField> fields = {},
             std::source_location where = std::source_location::current()) noexcept {
    write(LogLevel::debug, text, std::move(fields), LogEvent::none, where);
  }
  void info(std::string_view text, std::vector<LogField> fields = {},
            std::source_location where = std::source_location::current()) noexcept {
    write(LogLevel::info, text, std::move(fields), LogEvent::none, where);
  }
  void warn(std::string_view text, std::vector<LogField> fields = {},
            std::source_location where = std::source_location::current()) noexcept {
    write(LogLevel::warn, text, std::move(fields), LogEvent::none, where);
  }
  void error(std::string_view text, std::vector<LogField> fields = {},
             std::source_location where = std::source_location::current()) noexcept {
    write(LogLevel::error, text, std::move(fields), LogEvent::none, where);
  }

  /// Writes the counts of dropped identical messages that are still owed.
  void flush() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemark::observe
