#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/settings.h"

namespace tidemark::test {

/// A directory of its own under the system's temporary folder, removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A child process that dies with us, whatever happens to us (PR_SET_PDEATHSIG).
class ChildProcess {
 public:
  struct Options {
    std::string user = {};                      ///< switch to this system user
    std::string output = {};                    ///< file for stdout and stderr; "" = ours
    std::vector<std::string> environment = {};  ///< NAME=value, added to ours
    std::string directory = {};
  };
  ChildProcess() = default;
  ChildProcess(const std::vector<std::string>& command, const Options& options);
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;

  bool running();
  pid_t pid() const { return pid_; }
  void signal(int number) const;
  /// Waits; exit status, or 128 + signal. Throws std::runtime_error after `limit`.
  int wait(std::chrono::milliseconds limit = std::chrono::seconds(60));

 private:
  pid_t pid_ = -1;
  int status_ = 0;
};

/// Runs a command to its end; throws std::runtime_error with its output unless it exits 0.
std::string run_command(const std::vector<std::string>& command, const std::string& user = {},
                        const std::string& directory = {});
/// A TCP port on loopback that nothing listened on a moment ago.
std::uint16_t free_port();

/// A real server in a temporary folder, on a loopback port and a unix socket, stopped at the end.
/// One that can't start throws: the test fails, it is never skipped.
class Server {
 public:
  virtual ~Server() = default;
  virtual void start() = 0;
  virtual void stop() = 0;   ///< clean, fast
  virtual void crash() = 0;  ///< SIGKILL, as a power cut
  virtual bool running() = 0;
  void restart() {
    stop();
    start();
  }
  /// A connection as the administrator, over TCP without TLS, to the database `test`.
  virtual ConnectionSettings settings() const = 0;
  /// Runs SQL (several statements allowed) with the server's own client; returns what it printed,
  /// one row a line, fields by tab.
  virtual std::string sql(const std::string& statements) = 0;
  std::uint16_t port() const { return port_; }

 protected:
  TempDir dir_;
  std::uint16_t port_ = free_port();
};

class PostgresServer final : public Server {
 public:
  /// `configuration`: lines for postgresql.conf.
  explicit PostgresServer(std::vector<std::string> configuration = {});
  ~PostgresServer() override;
  void start() override;
  void stop() override;
  void crash() override;
  bool running() override { return process_.running(); }
  ConnectionSettings settings() const override;
  std::string sql(const std::string& statements) override;
  std::string data_directory() const { return dir_ / "data"; }
  std::string socket_directory() const { return dir_.path().string(); }

 private:
  ChildProcess process_;
  std::vector<std::string> configuration_;
  bool created_ = false;
};

class MariaDbServer final : public Server {
 public:
  /// `options`: command line options, "--name=value".
  explicit MariaDbServer(std::vector<std::string> options = {});
  ~MariaDbServer() override;
  void start() override;
  void stop() override;
  void crash() override;
  bool running() override { return process_.running(); }
  ConnectionSettings settings() const override;
  std::string sql(const std::string& statements) override;
  std::string socket() const { return dir_ / "mysqld.sock"; }

 private:
  ChildProcess process_;
  std::vector<std::string> options_;
  bool created_ = false;
};

/// One server of each kind for the whole test program, started at first use.
PostgresServer& shared_postgres();
MariaDbServer& shared_mariadb();

/// Calls `condition` until it is true; throws std::runtime_error naming `what` after `limit`.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(30));

}  // namespace tidemark::test
