#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/connector.h"
#include "core/value.h"
#include "support/servers.h"

namespace tidemark {
ConnectorInfo postgres_connector();
}

namespace tidemark::test {

inline std::unique_ptr<Connector> connect(const ConnectionSettings& settings,
                                          const ConnectorContext& context = {}) {
  return postgres_connector().make(settings, context);
}

/// A database session that stays open between statements: an application at work. The commands go
/// to psql's standard input; `run` returns when the server has answered.
class Application {
 public:
  explicit Application(const PostgresServer& server);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  /// Runs a statement and returns what it printed, without the last line break.
  std::string run(const std::string& statement);

 private:
  FILE* to_ = nullptr;
  FILE* from_ = nullptr;
  pid_t pid_ = -1;
};

/// Reads all of a relation, a row a line, cells by "|", "∅" for NULL.
std::vector<std::string> read_rows(Source& source, ReadPlan plan);
ReadPlan table_plan(Source& source, const TableName& table, const std::string& cursor = {});
Batch make_batch(const Schema& schema, const std::vector<std::vector<const char*>>& rows);
WriteSpec make_spec(const TableName& table, const Schema& schema, std::vector<std::string> key,
                    WriteMode write = WriteMode::upsert);
/// Acquires, writes one batch, saves a checkpoint, commits.
WriteCounts write_batch(Target& target, const WriteSpec& spec, const Batch& batch);
std::unique_ptr<Load> begin_load(Target& target, const WriteSpec& spec);
/// A checkpoint that follows the one that the target has.
CheckpointRecord next_checkpoint(Target& target, const WriteSpec& spec);
JobKey job_of(const WriteSpec& spec);
Holder this_process();

}  // namespace tidemark::test
