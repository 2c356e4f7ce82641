#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/ports.h"
#include "observe/metrics.h"
#include "sync/connections.h"

namespace tidemark {

/// Logs in to each configured connection now and then, so that status and metrics say what a
/// database is and whether it answers, also while no job runs. `start`: loop thread; the logins
/// happen one after the other on a worker; `values`: any thread.
class ConnectionWatch {
 public:
  struct Ports {
    Timers& timers;
    Workers& workers;
    Connections& connections;
    observe::Metrics& metrics;
  };
  explicit ConnectionWatch(Ports ports);
  ~ConnectionWatch();
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

  void start();
  std::vector<observe::LiveValues::Connection> values() const;

 private:
  struct Known {
    bool up = false;
    std::string server_version = {};
    std::string tls = {};
  };
  /// Outlives the watch while a login is under way.
  struct Shared {
    std::mutex mutex;
    std::map<ConnectionName, Known> known;
    bool ended = false;
  };
  void look();
  static void probe(Shared& shared, const Ports& ports, const ConnectionName& name);

  Ports ports_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::unique_ptr<TimerHandle> timer_;
};

}  // namespace tidemark
