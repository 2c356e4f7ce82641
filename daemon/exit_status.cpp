#include "daemon/exit_status.h"

namespace tidemark {

ExitStatus exit_status_of(FailureKind kind) noexcept {
  switch (kind) {
    case FailureKind::auth:
    case FailureKind::permission:
      return ExitStatus::no_permission;
    case FailureKind::tls:
    case FailureKind::schema:
    case FailureKind::position_lost:
      return ExitStatus::config;
    default:
      return means_away(kind) ? ExitStatus::unavailable : ExitStatus::failed;
  }
}

ExitStatus exit_status_of(const Outcome& outcome) noexcept {
  switch (outcome.result) {
    case RunResult::success:
      return ExitStatus::done;
    case RunResult::held:
      return ExitStatus::held;
    case RunResult::partial:
    case RunResult::cancelled:
      return ExitStatus::failed;
    case RunResult::failed:
      break;
  }
  return outcome.failure ? exit_status_of(outcome.failure->kind) : ExitStatus::failed;
}

}  // namespace tidemark
