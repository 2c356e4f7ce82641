#pragma once

#include "core/outcome.h"

namespace tidemark {

/// What the program's exit status means; the numbers are those of sysexits.h where one fits.
enum class ExitStatus : int {
  done = 0,
  failed = 1,          ///< a run failed, rows are quarantined or differences were found
  unhealthy = 3,       ///< `status`: a job is halted or stale
  usage = 64,          ///< the command line is wrong
  unavailable = 69,    ///< a database or the daemon can't be reached
  internal = 70,       ///< a fault of ours
  cannot_create = 73,  ///< state directory, socket or listener can't be made
  held = 75,           ///< another daemon holds the job
  no_permission = 77,  ///< a login or its privileges are refused
  config = 78,         ///< the configuration is wrong
};

/// Of one run: decided by what failed, not by what the driver called it.
ExitStatus exit_status_of(const Outcome& outcome) noexcept;
/// Of an error that ended a command.
ExitStatus exit_status_of(FailureKind kind) noexcept;

}  // namespace tidemark
