#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/ports.h"

namespace tidemark {

/// Speaks systemd's notify protocol: one datagram per message to $NOTIFY_SOCKET, which may be an
/// abstract address. Without a socket every call does nothing. Any thread; never blocks, and a
/// message that can't be sent is dropped, because a supervisor's absence is no reason to stop.
class Notifier {
 public:
  /// `socket` as in $NOTIFY_SOCKET: a path, or "@name"; empty for none.
  explicit Notifier(std::string socket = {}, std::optional<Duration> watchdog = {});
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  bool active() const noexcept { return handle_ >= 0; }
  /// How often the supervisor wants a sign of life; nullopt: it does not watch.
  std::optional<Duration> watchdog_period() const noexcept { return watchdog_; }

  void ready(std::string_view status) const noexcept;
  void reloading() const noexcept;
  void stopping(std::string_view status) const noexcept;
  void status(std::string_view text) const noexcept;
  /// Asks for more time to start or stop, counted from now.
  void extend_timeout(Duration by) const noexcept;
  void watchdog() const noexcept;

 private:
  void send(std::string_view message) const noexcept;

  std::string socket_;
  std::optional<Duration> watchdog_;
  int handle_ = -1;
};

/// What systemd put into the environment; the variables are removed, so that nothing we start
/// speaks in our name.
struct NotifyEnvironment {
  std::string socket;
  std::optional<Duration> watchdog;
  static NotifyEnvironment take();
};

}  // namespace tidemark
