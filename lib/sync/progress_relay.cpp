#include "sync/progress_relay.h"

namespace tidemark {

void ProgressRelay::listen(std::function<void(const RunProgress&)> listener) {
  ear_->listener = std::move(listener);
}

void ProgressRelay::batch_committed(const RunProgress& progress) {
  timers_.post([ear = ear_, progress] {
    if (ear->listener) ear->listener(progress);
  });
}

}  // namespace tidemark
