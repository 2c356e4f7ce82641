#pragma once

#include <functional>

#include "core/observer.h"

namespace tidemark {

/// Carries `batch_committed` from workers to the loop: the Scheduler shows it as live progress.
/// Stands among the Observers that the Runner is given; made before both.
class ProgressRelay final : public Observer {
 public:
  explicit ProgressRelay(Timers& timers) : timers_(timers) {}
  /// Loop thread, before the first run. The listener is called on the loop thread, and never after
  /// `listen({})` has returned.
  void listen(std::function<void(const RunProgress&)> listener);
  void batch_committed(const RunProgress& progress) override;

 private:
  struct Ear {
    std::function<void(const RunProgress&)> listener;
  };
  Timers& timers_;
  std::shared_ptr<Ear> ear_ = std::make_shared<Ear>();  // posted calls may outlive the relay
};

}  // namespace tidemark
