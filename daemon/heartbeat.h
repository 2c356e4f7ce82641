#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/ports.h"
#include "daemon/notify.h"

namespace tidemark {

/// The daemon's pulse to its supervisor. Its timer runs on the loop, so a blocked loop is silent by
/// itself; a scheduler that has stopped looking at its clock silences it too. Loop thread.
class Heartbeat {
 public:
  struct Ports {
    Timers& timers;
    const Clock& clock;
    const Notifier& notifier;
    std::function<SteadyTime()> scheduler_ticked;
    std::function<std::string()> status;
  };
  explicit Heartbeat(Ports ports) : ports_(std::move(ports)) {}
  void start();
  /// From now on the supervisor is asked for patience each second instead.
  void stopping() noexcept { stopping_ = true; }

 private:
  void beat();
  Ports ports_;
  std::unique_ptr<TimerHandle> timer_;
  SteadyTime last_status_{};
  SteadyTime last_watchdog_{};
  bool stopping_ = false;
};

}  // namespace tidemark
