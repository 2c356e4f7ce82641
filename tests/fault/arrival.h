#pragma once

#include <chrono>
#include <functional>

#include "support/daemon.h"

namespace tidemark::test {

/// Waits until `equal`; throws where the daemon ends, a job of it halts or `limit` passes.
void arrive(Daemon& daemon, const std::function<bool()>& equal, std::chrono::seconds limit);

}  // namespace tidemark::test
