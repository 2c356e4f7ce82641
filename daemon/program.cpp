#include "daemon/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "build_info.h"
#include "core/connector.h"
#include "runtime/system.h"

namespace tidemark {
namespace {

std::unique_ptr<Connector> make_connector(const ConnectionSettings& settings,
                                          const ConnectorContext& context) {
  std::string known;
  for (const ConnectorInfo& info : connectors()) {
    if (info.type == settings.type) return info.make(settings, context);
    known += known.empty() ? "" : ", ";
    known += info.type;
  }
  throw Error({.kind = FailureKind::schema,
               .message = "connection " + settings.name.text + " has an unknown type",
               .operation = "connect",
               .hint = "Known types are " + known + "."});
}

}  // namespace

std::string_view program_version() noexcept {
  return TIDEMARK_VERSION;
}
std::string_view program_revision() noexcept {
  return TIDEMARK_REVISION;
}

const Holder& this_process() {
  static const Holder holder = [] {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    runtime::SystemRandom random;
    return Holder{.host = host.data(), .pid = getpid(), .process = random_id(random)};
  }();
  return holder;
}

Holder daemon_holder(const std::string& lock) {
  Holder holder = this_process();
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  // Without it a lock's file could be taken for one of another machine.
  if (!boot.empty() && !lock.empty()) holder.line = boot + "-" + lock;
  return holder;
}

std::unique_ptr<Connections> make_connections(const Settings& settings, const Clock& clock) {
  return std::make_unique<Connections>(settings.connections, make_connector, clock);
}

std::string random_id(Random& random) {
  return fmt::format("{:016x}", random.next());
}

}  // namespace tidemark
