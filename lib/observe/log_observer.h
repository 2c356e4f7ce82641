#pragma once

#include "core/observer.h"
#include "observe/log.h"

namespace tidemark::observe {

/// Events as log lines: one summary line per run (debug for a scheduled run that found nothing to
/// do), retries, halts with their hint, reloads, mark epochs and notes. What a driver said goes to
/// debug lines only. Any thread.
class LogObserver final : public Observer {
 public:
  /// `log` must outlive this.
  explicit LogObserver(Log& log) : log_(log) {}

  void run_started(const RunStarted& event) override;
  void batch_committed(const RunProgress& event) override;
  void run_finished(const RunFinished& event) override;
  void retry_scheduled(const JobName& job, const Failure& failure, unsigned attempt,
                       Duration delay) override;
  void run_skipped(const JobName& job, SkipReason reason) override;
  void state_changed(const StateChanged& event) override;
  void mark_epoch_opened(const JobName& job, std::int64_t epoch, std::string_view reason) override;
  void reload_finished(const ReloadFinished& event) override;
  void note(const JobName& job, std::string_view text) override;

 private:
  Log& log_;
};

}  // namespace tidemark::observe
