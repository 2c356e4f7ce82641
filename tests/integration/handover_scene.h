#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "support/daemon.h"
#include "support/servers.h"
#include "support/tcp_gate.h"

namespace tidemark::test {

/// A source database of handover scenarios, reached through its own client: a table `big` (id,
/// note) with an exact cursor that the server assigns, and a table `events` (id, what) numbered by
/// it.
class SourceSide {
 public:
  virtual ~SourceSide() = default;
  virtual std::string connection(std::uint16_t port) const = 0;  ///< as YAML
  virtual std::string schema() const = 0;  ///< in front of a table; with a dot
  virtual void make_tables() = 0;
  virtual void fill(int rows) = 0;
  /// Statements of one transaction or more. Throws where one fails.
  virtual std::string sql(const std::string& statements) = 0;
  virtual std::uint16_t port() const { return 0; }
  virtual std::string pause() const { return {}; }  ///< a statement that takes 0.2 s
};

std::unique_ptr<SourceSide> postgres_source(PostgresServer& server);
std::unique_ptr<SourceSide> mariadb_source(MariaDbServer& server);
std::unique_ptr<SourceSide> sqlite_source();

/// Rows as a map from the first column to the rest of the line.
std::map<std::string, std::string> rows_of(const std::string& table);

/// A source, a target server behind a gate each, and a daemon with the jobs `big` (upsert) and
/// `events` (append) between them.
class Scene {
 public:
  struct Options {
    std::string limits = {};  ///< YAML of the source connection: "limits: {rows: 9000/s}"
    std::string job = {};     ///< more YAML of the job `big`, each line with its indentation
    bool replace = false;     ///< `big` is a full job that replaces
    std::string every = "200ms";
  };
  Scene(SourceSide& source, Server& target) : Scene(source, target, Options()) {}
  Scene(SourceSide& source, Server& target, const Options& options);
  ~Scene();

  /// What the target has of a table of the source; empty where it has no such table.
  std::string target_rows(const std::string& table);
  std::string source_rows(const std::string& table);
  /// Both tables equal on both sides but for rows of `big` with these ids, which the source has no
  /// more.
  bool equal(const std::set<std::string>& gone = {});
  void await_equal(const std::set<std::string>& gone = {});
  std::string target_value(const std::string& select);  ///< "" where a table is missing
  std::string job_state(const std::string& job) const;
  /// The configuration's sections: for a second daemon.
  const std::string& sections() const { return sections_; }

  SourceSide& source;
  Server& target;
  TcpGate source_gate;
  TcpGate target_gate;
  std::unique_ptr<Daemon> daemon;

 private:
  bool target_has(const std::string& table);
  std::string sections_;
};

inline const std::vector<std::string> scene_environment{"SCENE_PASSWORD=tidemark"};

}  // namespace tidemark::test
