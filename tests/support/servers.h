#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/settings.h"
#include "support/process.h"

namespace tidemark::test {

/// A real server in a temporary folder, on a loopback port and a unix socket, stopped at the end.
/// One that can't start throws: the test fails, it is never skipped.
class Server {
 public:
  virtual ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// NAME=value, for the server from its next start on.
  void set_environment(std::vector<std::string> variables) { environment_ = std::move(variables); }
  /// Returns once it answers; the first time it also makes the database `test`.
  void start();
  void stop();   ///< clean, fast
  void crash();  ///< as a power cut: nothing is flushed, no session is told
  void restart() {
    stop();
    start();
  }
  bool running() { return process_.running(); }
  /// A connection as the administrator, over TCP without TLS, to the database `test`.
  ConnectionSettings settings() const;
  /// Runs SQL (several statements allowed) with the server's own client; returns what it printed,
  /// one row a line, fields by tab.
  std::string sql(const std::string& statements);
  std::uint16_t port() const { return port_; }
  /// The server's first process.
  pid_t pid() const { return process_.pid(); }

 protected:
  /// What the servers of one vendor have in common.
  struct Vendor {
    std::string name;         ///< for people
    std::string type;         ///< of a connection, in a configuration
    std::string system_user;  ///< the server runs as this one when we are root
    int stop_signal;
    int crash_signal;
  };
  explicit Server(Vendor vendor);

  virtual std::vector<std::string> command() const = 0;
  /// The server's own client on its unix socket, reading `statements` in the database `test`.
  virtual std::vector<std::string> client(const std::string& statements) const = 0;
  virtual bool answers() const = 0;
  /// Database `test` and the user tidemark.
  virtual void create_database() = 0;
  std::string data_directory() const { return dir_ / "data"; }

  TempDir dir_;
  std::uint16_t port_ = free_port();

 private:
  Vendor vendor_;
  ChildProcess process_;
  std::vector<std::string> environment_;
  bool created_ = false;
};

class PostgresServer final : public Server {
 public:
  /// `configuration`: lines for postgresql.conf.
  explicit PostgresServer(std::vector<std::string> configuration = {});
  /// A hot standby of a server that is running: a copy of it that replays what it writes.
  struct StandbyOf {
    const PostgresServer& primary;
  };
  explicit PostgresServer(StandbyOf of, std::vector<std::string> configuration = {});
  using Server::data_directory;
  std::string socket_directory() const { return dir_.path().string(); }

 private:
  static Vendor vendor();
  std::vector<std::string> command() const override;
  std::vector<std::string> client(const std::string& statements) const override;
  bool answers() const override;
  void create_database() override;
  /// One of the programs that come with the server, connecting as the administrator.
  std::vector<std::string> tool(const std::string& name) const;
  std::vector<std::string> configuration_;
  bool has_database_ = false;  ///< came with the copy
};

class MariaDbServer final : public Server {
 public:
  /// `options`: command line options, "--name=value".
  explicit MariaDbServer(std::vector<std::string> options = {});
  std::string socket() const { return dir_ / "mysqld.sock"; }

 private:
  std::vector<std::string> command() const override;
  std::vector<std::string> client(const std::string& statements) const override;
  bool answers() const override;
  void create_database() override;
  std::vector<std::string> tool(const std::string& name) const;
  std::vector<std::string> options_;
};

/// One server of each kind for the whole test program, started at first use.
PostgresServer& shared_postgres();
MariaDbServer& shared_mariadb();

}  // namespace tidemark::test
