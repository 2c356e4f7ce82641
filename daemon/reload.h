#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "core/observer.h"
#include "core/pauses.h"
#include "daemon/notify.h"

namespace tidemark {

/// Reads the configuration again, all or nothing: the new file is loaded and checked whole on a
/// worker before anything changes. Loop thread. Reloads asked for while one is under way share the
/// next one, so each sees the file as it was after it was asked for.
class Reloader {
 public:
  /// Puts checked settings into force and says what came of it. Loop thread.
  using History = std::map<JobName, JobHistory>;
  using Apply =
      std::function<ReloadFinished(const config::LoadResult& loaded, const History& history)>;
  using Done = std::function<void(const ReloadFinished&)>;

  struct Ports {
    Timers& timers;
    Workers& workers;
    const Clock& clock;
    const Notifier& notifier;
    std::string path;
    /// What is known of jobs that may come back; on a worker, may throw Error.
    std::function<History()> history;
    Apply apply;
    /// Told of files that were refused; what was applied, `apply` has told.
    Observer& observer;
  };
  explicit Reloader(Ports ports) : ports_(std::move(ports)) {}

  void request(Done done);

  struct Last {
    WallTime at{};
    ReloadFinished result;
  };
  const std::optional<Last>& last() const noexcept { return last_; }

 private:
  void start();
  void finish(const config::LoadResult& loaded, const History& history);

  Ports ports_;
  std::optional<Last> last_;
  std::vector<Done> serving_;
  std::vector<Done> waiting_;
  std::uint64_t generation_ = 1;
  bool running_ = false;
};

}  // namespace tidemark
