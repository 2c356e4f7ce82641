#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/program.h"
#include "runtime/system.h"
#include "schedule/zones.h"
#include "support/process.h"
#include "support/servers.h"
#include "sync/run.h"

namespace tidemark::test {

/// An application's session on a PostgreSQL server, kept open between statements.
class Session {
 public:
  explicit Session(const Server& server, const std::string& user = "tidemark");
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// The first cell of the answer; "" for none. Throws std::runtime_error with the server's text.
  std::string run(const std::string& statement);
  PGconn* raw() { return connection_; }

 private:
  PGconn* connection_;
};

/// What the engine says beside its outcomes; acts on a batch's commit where a test asks for it.
class Listener final : public Observer {
 public:
  std::function<void()> on_batch = {};
  void batch_committed(const RunProgress&) override {
    if (on_batch) on_batch();
  }
  void note(const JobName&, std::string_view text) override;
  void mark_epoch_opened(const JobName&, std::int64_t epoch, std::string_view reason) override;
  bool heard(std::string_view part) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> heard_;
};

/// One job of the real engine between real servers, a run at a time. The table `name` is read from
/// `source` and arrives as `name`_copy in `target`.
class ScenarioJob {
 public:
  ScenarioJob(const std::string& name, const Server& source, const Server& target,
              const std::string& cursor = "");

  JobSettings settings;
  std::map<ConnectionName, ConnectionSettings> connections;
  Listener listener;
  RunLimits limits;

  /// A run as the scheduler would start it. The engine begins anew with changed settings.
  Outcome run(RunOptions options = {});
  /// run(), which must succeed.
  Outcome pass();
  /// Runs until no horizon is open and two runs wrote nothing.
  void settle();
  /// Forgets what the process knows, as a restart of the daemon.
  void restart();
  std::string copy() const { return settings.target_table.name; }

 private:
  struct Engine;
  std::shared_ptr<Engine> engine_;
};

/// A fresh name for a table.
std::string fresh_table(const std::string& prefix);
/// Rows of source and copy that differ, by their bytes and their keys; "0" where all is well.
std::string differences(Server& server, const std::string& table, const std::string& columns = "*");
/// Runs the job until there is none.
void await_equal(ScenarioJob& job, Server& server, const std::string& table,
                 const std::string& columns = "*");

/// One primary for the scenarios of the program, with prepared transactions and a wide log.
PostgresServer& scenario_server();

}  // namespace tidemark::test
