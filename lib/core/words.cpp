// The names of the enumerators: what logs, metrics and the API print.
#include "core/horizon.h"
#include "core/observer.h"
#include "core/outcome.h"
#include "core/settings.h"

namespace tidemark {

std::string_view to_string(ProofKind proof) noexcept {
  switch (proof) {
    case ProofKind::snapshot:
      return "snapshot";
    case ProofKind::transactions:
      return "transactions";
    case ProofKind::rowversion:
      return "rowversion";
    case ProofKind::single_writer:
      return "single-writer";
    case ProofKind::lookback:
      return "lookback";
  }
  return "lookback";
}

std::string_view to_string(Mode mode) noexcept {
  return mode == Mode::full ? "full" : "incremental";
}

std::string_view to_string(WriteMode write) noexcept {
  switch (write) {
    case WriteMode::upsert:
      return "upsert";
    case WriteMode::append:
      return "append";
    case WriteMode::replace:
      return "replace";
  }
  return "upsert";
}

std::string_view to_string(RunResult result) noexcept {
  switch (result) {
    case RunResult::success:
      return "success";
    case RunResult::partial:
      return "partial";
    case RunResult::failed:
      return "failed";
    case RunResult::cancelled:
      return "cancelled";
    case RunResult::held:
      return "held";
  }
  return "failed";
}

std::string_view to_string(JobState state) noexcept {
  switch (state) {
    case JobState::waiting:
      return "waiting";
    case JobState::queued:
      return "queued";
    case JobState::running:
      return "running";
    case JobState::backoff:
      return "backoff";
    case JobState::paused:
      return "paused";
    case JobState::halted:
      return "halted";
    case JobState::disabled:
      return "disabled";
  }
  return "waiting";
}

std::string_view to_string(Trigger trigger) noexcept {
  switch (trigger) {
    case Trigger::schedule:
      return "schedule";
    case Trigger::manual:
      return "manual";
    case Trigger::after:
      return "after";
    case Trigger::retry:
      return "retry";
    case Trigger::probe:
      return "probe";
    case Trigger::resume:
      return "resume";
  }
  return "schedule";
}

std::string_view to_string(SkipReason reason) noexcept {
  switch (reason) {
    case SkipReason::overlap:
      return "overlap";
    case SkipReason::paused:
      return "paused";
    case SkipReason::dependency:
      return "dependency";
    case SkipReason::missed:
      return "missed";
  }
  return "missed";
}

Failure Failure::from(const Error& error) {
  const Error::Fields& fields = error.fields();
  Failure failure{.kind = fields.kind, .message = error.what()};
  failure.code = fields.code;
  failure.table = fields.table;
  failure.column = fields.column;
  failure.hint = fields.hint;
  failure.driver_text = fields.driver_text;
  switch (fields.kind) {
    case FailureKind::auth:
      failure.remedy = "credentials";
      break;
    case FailureKind::permission:
      failure.remedy = "permission";
      break;
    case FailureKind::schema:
      failure.remedy = "schema";
      break;
    case FailureKind::tls:
      failure.remedy = "config";
      break;
    case FailureKind::constraint:
    case FailureKind::conversion:
      failure.remedy = "data";
      break;
    case FailureKind::position_lost:
      failure.remedy = "accept";
      break;
    default:
      failure.remedy = "report";
      break;
  }
  return failure;
}

void Observers::run_started(const RunStarted& event) {
  for (Observer* one : all_)
    one->run_started(event);
}
void Observers::batch_committed(const RunProgress& event) {
  for (Observer* one : all_)
    one->batch_committed(event);
}
void Observers::run_finished(const RunFinished& event) {
  for (Observer* one : all_)
    one->run_finished(event);
}
void Observers::retry_scheduled(const JobName& job, const Failure& failure, unsigned attempt,
                                Duration delay) {
  for (Observer* one : all_)
    one->retry_scheduled(job, failure, attempt, delay);
}
void Observers::run_skipped(const JobName& job, SkipReason reason) {
  for (Observer* one : all_)
    one->run_skipped(job, reason);
}
void Observers::state_changed(const StateChanged& event) {
  for (Observer* one : all_)
    one->state_changed(event);
}
void Observers::mark_epoch_opened(const JobName& job, std::int64_t epoch, std::string_view reason) {
  for (Observer* one : all_)
    one->mark_epoch_opened(job, epoch, reason);
}
void Observers::reload_finished(const ReloadFinished& event) {
  for (Observer* one : all_)
    one->reload_finished(event);
}
void Observers::rows_came_late(const JobName& job, Duration by, std::uint64_t rows) {
  for (Observer* one : all_)
    one->rows_came_late(job, by, rows);
}
void Observers::note(const JobName& job, std::string_view text) {
  for (Observer* one : all_)
    one->note(job, text);
}

}  // namespace tidemark
