#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "place.h"
#include "support/daemon.h"

namespace tidemark::test {

/// A daemon with one job between two places: what the resource tests take things away from.
class Scene {
 public:
  struct Setting {
    bool append = false;
    std::string more = {};       ///< further lines of `defaults:`
    std::string state_dir = {};  ///< elsewhere than in the daemon's folder
    std::vector<std::string> environment = {};
  };
  /// The table `name` must be there on the source.
  Scene(const Place& source, const Place& target, const std::string& name)
      : Scene(source, target, name, Setting{}) {}
  Scene(const Place& source, const Place& target, const std::string& name, const Setting& setting);

  Daemon& daemon() { return daemon_; }
  bool equal() const { return source_.rows(name_) == target_.rows(name_); }
  /// Waits until both sides are equal; throws when the daemon ends instead.
  void arrive(std::chrono::seconds limit = std::chrono::seconds(90));
  /// The job as the API tells it.
  std::string job() const { return daemon_.get("/api/v1/jobs/" + name_); }
  bool is(const std::string& state) const;
  /// A gauge or counter of the job; -1 while there is none.
  double metric(const std::string& series, const std::string& labels = "") const;

 private:
  const Place& source_;
  const Place& target_;
  std::string name_;
  Daemon daemon_;
};

/// A shell script that does something and then becomes the program, for Daemon::Life::program.
std::string program_after(const TempDir& folder, const std::string& commands);

/// A line "Name:  number kB" of /proc/PID/status, in bytes.
std::size_t memory_of(pid_t pid, const std::string& name);
/// A number of /proc/PID/status: Threads.
std::size_t status_of(pid_t pid, const std::string& name);
/// Processor time that it has used.
std::chrono::duration<double> processor_time_of(pid_t pid);
/// How many file descriptors it has open.
std::size_t descriptors_of(pid_t pid);

}  // namespace tidemark::test
