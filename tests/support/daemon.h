#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace tidemark::test {

/// `tidemark daemon`, the real program, as often as a test starts it. Dies with the test.
class Daemon {
 public:
  struct Files {
    std::string config;
    std::string socket;  ///< as the configuration names it
    std::string log;     ///< gets stdout and stderr of every life, one after the other
  };

  /// In a folder of its own: `sections` is all of its configuration but `version` and `daemon`.
  /// `state_dir`: elsewhere than in that folder.
  explicit Daemon(const std::string& sections, std::vector<std::string> environment = {},
                  const std::string& state_dir = {});
  /// On files that belong to somebody else.
  explicit Daemon(Files files, std::vector<std::string> environment = {});

  /// What one life has of its own.
  struct Life {
    std::string program = {};                   ///< in place of the one that ships
    std::vector<std::string> environment = {};  ///< beside that of every life
  };
  /// Starts it without waiting for it.
  void start() { start({}); }
  void start(const Life& life);
  /// Waits until it is ready; throws std::runtime_error with its log when it ends instead.
  void wait_ready();
  /// SIGTERM; the exit status.
  int stop();
  /// SIGKILL.
  void kill();
  bool running() { return process_.running(); }
  pid_t pid() const { return process_.pid(); }
  void signal(int number) const { process_.signal(number); }
  /// As ChildProcess::wait.
  int wait(std::chrono::milliseconds limit = std::chrono::seconds(60)) {
    return process_.wait(limit);
  }

  const std::string& config() const { return files_.config; }  ///< its path
  const std::string& socket() const { return files_.socket; }
  std::string log() const { return read_file(files_.log); }
  /// The body of a 200 at the control socket; "" when there is none.
  std::string get(const std::string& path) const;
  /// Value of a series as the daemon exports it; "" while it does not answer.
  std::string metric(const std::string& series) const;

 private:
  std::unique_ptr<TempDir> own_folder_;
  Files files_;
  std::vector<std::string> environment_;
  ChildProcess process_;
};

}  // namespace tidemark::test
