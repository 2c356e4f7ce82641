#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connector/sql/session.h"
#include "core/settings.h"

namespace sql {
class Connection;
}

namespace tidemark::mysql {

/// One connection over mysql-connector-c++, for what carries no rows: horizon samples, canaries,
/// KILL, probes. Pinned like Session, read-only transactions. Results are read to their end at once
/// (a result left open would block the connection for ever). Worker thread, one at a time.
class ControlSession final : public ::tidemark::sql::Session {
 public:
  struct Options {
    Duration connect = std::chrono::seconds(10);
    Duration read = std::chrono::minutes(5);
    bool batches = false;  ///< `execute_all` may be called
  };
  ControlSession(const ConnectionSettings& settings, const Options& options);
  ~ControlSession() override;

  ::tidemark::sql::Result execute(std::string_view statement) override;
  /// Sends all statements at once: one round trip. One result each; the first that fails ends it.
  std::vector<::tidemark::sql::Result> execute_all(const std::vector<std::string>& statements);
  std::uint64_t thread_id() const noexcept { return thread_id_; }
  bool mariadb() const noexcept { return mariadb_; }

 private:
  std::unique_ptr<::sql::Connection> connection_;
  std::uint64_t thread_id_ = 0;
  bool mariadb_ = true;
};

}  // namespace tidemark::mysql
