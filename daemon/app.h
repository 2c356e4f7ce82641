#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config/config.h"
#include "daemon/exit_status.h"
#include "daemon/notify.h"

namespace tidemark {

/// The daemon: builds each object once, top to bottom, and runs the loop until it is told to stop.
///
/// Made when configuration is valid; state store and listeners are taken while it is being made,
/// so a daemon that could not be watched or driven never starts. Databases are not asked: one that
/// is away is a back-off, never a reason not to start.
class App {
 public:
  struct Options {
    std::string config_path;
    NotifyEnvironment supervisor = {};
    /// TERM, INT, HUP and USR2 are ours. The demo, which lives inside another command, says no.
    bool handle_signals = true;
    int log_fd = 2;
  };

  /// `loaded` must be ok. Throws Error when state directory, socket or listener can't be had.
  App(Options options, const config::LoadResult& loaded);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// The calling thread becomes the loop. Returns when all work has ended.
  ExitStatus run();
  /// As SIGTERM; a second call as a second signal. Any thread.
  void stop();
  /// Where /metrics and the page are; nullopt: nowhere.
  std::optional<std::string> http_address() const;

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tidemark
