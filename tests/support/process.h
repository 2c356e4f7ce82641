#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

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
  /// What it used, with its own children that it waited for; zeros until it has ended.
  const rusage& usage() const { return usage_; }

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  rusage usage_{};
};

/// Runs a command to its end; throws std::runtime_error with its output unless it exits 0.
std::string run_command(const std::vector<std::string>& command, const std::string& user = {},
                        const std::string& directory = {});
/// A TCP port on loopback that nothing listened on a moment ago.
std::uint16_t free_port();
/// The whole file; "" where there is none.
std::string read_file(const std::string& path);

/// Calls `condition` until it is true; throws std::runtime_error naming `what` after `limit`.
void wait_until(const std::string& what, const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(30));

}  // namespace tidemark::test
