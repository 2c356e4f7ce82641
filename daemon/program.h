#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/config.h"
#include "sync/connections.h"
#include "sync/run.h"

// What the daemon and the commands that work without one build alike.
namespace tidemark {

std::string_view program_version() noexcept;
std::string_view program_revision() noexcept;

/// This process as a job's holder; the same for its whole life.
const Holder& this_process();

/// A daemon as a job's holder. One that has crashed and was started again is the same holder, so
/// that it need not wait for its own lease: the name is made of the machine's boot and of the state
/// directory itself, and only one process at a time has that directory's lock. A copy of the
/// directory, another machine or a reboot is another holder. Call it with the lock held.
Holder daemon_holder(const std::string& state_dir);

/// Sessions of configured connections, with the connectors that were built.
std::unique_ptr<Connections> make_connections(const Settings& settings, const Clock& clock);

/// "a3f0…": for runs and requests.
std::string random_id(Random& random);

}  // namespace tidemark
