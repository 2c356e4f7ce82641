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

/// A daemon as a job's holder. Its line is the machine's boot and the locked file of its state
/// directory, so that one that has crashed and was started again need not wait for its own lease
/// (docs/adr/0011). A copy of the directory, another machine or a reboot is another line. `lock` is
/// what StateStore::lock_identity says.
Holder daemon_holder(const std::string& lock);

/// Sessions of configured connections, with the connectors that were built.
std::unique_ptr<Connections> make_connections(const Settings& settings, const Clock& clock);

/// "a3f0…": for runs and requests.
std::string random_id(Random& random);

}  // namespace tidemark
