#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/connector.h"
#include "core/error.h"
#include "support/servers.h"

namespace tidemark {
ConnectorInfo mysql_connector();
}

namespace tidemark::test {

/// A connector to the shared MariaDB, or to `settings`.
std::unique_ptr<Connector> connect_to(const ConnectionSettings& settings,
                                      const ConnectorContext& context = {});
std::unique_ptr<Connector> connect_to_shared();

/// Drops the table and runs the statements on the shared server as root.
void remake(const std::string& table, const std::string& statements);

/// Rows of a table in key order: canonical text joined by "|", "∅" for NULL.
std::vector<std::string> rows_of(Source& source, const std::string& table,
                                 const std::vector<std::string>& key);
/// A plan that reads all supported columns of a table in key order.
ReadPlan whole_table(Source& source, const std::string& table, const std::vector<std::string>& key);

/// Rows given as canonical text; nullptr is NULL.
Batch batch_from(const Schema& schema, const std::vector<std::vector<const char*>>& rows);
WriteSpec upsert_into(const std::string& table, const Schema& schema, std::vector<std::string> key,
                      WriteMode write = WriteMode::upsert);
/// prepare, acquire, write one batch, save, commit.
WriteCounts write_once(Target& target, const WriteSpec& spec, const Batch& batch);
LoadSpec load_spec(Target& target, const WriteSpec& spec);

/// The server's own client on a connection that stays open: for transactions that others see.
class OpenSession {
 public:
  OpenSession();
  ~OpenSession();
  OpenSession(const OpenSession&) = delete;
  OpenSession& operator=(const OpenSession&) = delete;
  void run(const std::string& statement);
  /// Sends a statement and does not wait for its end; `finish` does.
  void start(const std::string& statement);
  void finish();
  std::string id();

 private:
  struct Native;
  std::unique_ptr<Native> native_;
};

/// Runs `action`, which must throw an Error, and returns it.
Error thrown_by(const std::function<void()>& action);

}  // namespace tidemark::test
