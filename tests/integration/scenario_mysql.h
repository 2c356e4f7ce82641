#pragma once

#include <mysql.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/servers.h"

namespace tidemark::test::scenario {

/// A session that stays open on a MariaDB server: a transaction that others have to wait for.
class Session {
 public:
  explicit Session(const MariaDbServer& server);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  /// Throws std::runtime_error with the server's text.
  void run(const std::string& statement);
  /// Sends a statement and does not wait; `finish` does, and throws what it threw.
  void start(const std::string& statement);
  void finish();
  std::string id() const;

 private:
  MYSQL* mysql_;
  std::thread running_;
  std::string failure_;
};

std::string yaml_of(const MariaDbServer& server, const std::string& more = "",
                    const std::string& user = "tidemark");
std::string yaml_of(const PostgresServer& server);

/// One job from a MariaDB server, run by the real program as often as a test asks; what it knows
/// lies in the target, as always.
class Job {
 public:
  struct Parts {
    std::string from;              ///< a connection's YAML
    std::string to;                ///< a connection's YAML
    std::string job;               ///< the job's lines, each with four blanks before it
    std::string connections = {};  ///< more connections: whole lines
  };
  explicit Job(const Parts& parts);

  /// `tidemark run`; the exit status.
  int run();
  /// As `run`, and fails the test with the program's words unless all rows arrived.
  void must_run();
  /// `tidemark check --connect`; the exit status.
  int check();
  /// What the last command printed.
  const std::string& output() const { return output_; }
  bool said(const std::string& text) const { return output_.find(text) != std::string::npos; }

 private:
  int execute(const std::vector<std::string>& words);
  TempDir dir_;
  std::string output_;
};

/// Lines of a SELECT, sorted by the server.
std::string rows_of(Server& server, const std::string& select);

/// Runs the job until `select` gives the same on both sides, which must come to pass without
/// anything more being written; a mark settles a moment after what it waited for has ended.
void must_arrive(Job& job, Server& source, Server& target, const std::string& select,
                 const std::string& target_select = "");

}  // namespace tidemark::test::scenario
