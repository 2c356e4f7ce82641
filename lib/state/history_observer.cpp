#include "state/history_observer.h"

#include <algorithm>

namespace tidemark::state {

void HistoryObserver::run_finished(const RunFinished& event) {
  if (event.trigger == Trigger::probe || event.outcome.result == RunResult::held) return;
  RunRecord record;
  record.run_id = event.run_id;
  record.job = event.job;
  record.trigger = event.trigger;
  record.started = event.started;
  record.ended = event.ended;
  record.took = event.took;
  record.result = event.outcome.result;
  record.failure = event.outcome.failure;
  record.counts = event.outcome.counts;
  record.phases = event.outcome.phases;
  const Progress& progress = event.outcome.progress;
  record.fresh_as_of = progress.fresh_as_of;
  record.read_as_of = progress.read_as_of;
  record.clock_skew = progress.clock_skew;
  if (progress.fresh_as_of)
    record.lag = std::max(Duration{}, clock_.now() + progress.clock_skew - *progress.fresh_as_of);
  store_.record_run(std::move(record));
}

}  // namespace tidemark::state
