#include "daemon/connection_watch.h"

namespace tidemark {
namespace {

constexpr Duration look_period = std::chrono::minutes(1);

}  // namespace

ConnectionWatch::ConnectionWatch(Ports ports) : ports_(ports) {}

ConnectionWatch::~ConnectionWatch() {
  const std::lock_guard lock(shared_->mutex);
  shared_->ended = true;
}

void ConnectionWatch::start() {
  look();
}

void ConnectionWatch::look() {
  timer_ = ports_.timers.after(look_period, [this] { look(); });
  ports_.workers.submit([shared = shared_, ports = ports_] {
    for (const ConnectionUse& use : ports.connections.use()) {
      {
        const std::lock_guard lock(shared->mutex);
        if (shared->ended) return;
      }
      probe(*shared, ports, use.name);
    }
  });
}

void ConnectionWatch::probe(Shared& shared, const Ports& ports, const ConnectionName& name) {
  Known known;
  try {
    const ConnectionFacts facts = ports.connections.connector(name)->probe();
    known = {.up = true, .server_version = facts.server_version, .tls = facts.tls};
  } catch (const Error& error) {
    ports.metrics.connection_error(name, error.kind());
  } catch (const Cancelled&) {
    return;
  }
  const std::lock_guard lock(shared.mutex);
  shared.known[name] = std::move(known);
}

std::vector<observe::LiveValues::Connection> ConnectionWatch::values() const {
  std::vector<observe::LiveValues::Connection> result;
  for (const ConnectionUse& use : ports_.connections.use()) {
    observe::LiveValues::Connection value;
    value.name = use.name;
    value.idle = static_cast<std::uint32_t>(use.idle);
    value.busy = static_cast<std::uint32_t>(use.in_use);
    value.waiting = static_cast<std::uint32_t>(use.waiting);
    const std::lock_guard lock(shared_->mutex);
    if (const auto found = shared_->known.find(use.name); found != shared_->known.end()) {
      value.up = found->second.up;
      value.server_version = found->second.server_version;
      value.tls = found->second.tls;
    }
    result.push_back(std::move(value));
  }
  return result;
}

}  // namespace tidemark
