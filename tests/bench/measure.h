#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tidemark::bench {

/// What one command took.
struct Cost {
  double seconds = 0;
  double client_cpu = 0;       ///< user and system seconds, of its children too
  double server_cpu = 0;       ///< filled in by the caller, who knows the servers
  std::uint64_t peak_rss = 0;  ///< bytes of its largest process
  std::string output;          ///< stdout and stderr
};

struct Command {
  std::vector<std::string> words;
  std::vector<std::string> environment = {};
  std::string directory = {};
  std::chrono::minutes limit = std::chrono::minutes(120);
};

/// Runs it to its end. Throws std::runtime_error with its output unless it exits 0.
Cost measure(const Command& command);

/// User and system seconds so far of a process, of its children and of those that it waited for.
double cpu_of_tree(pid_t root);
/// Resident bytes of a process now; 0 when it is gone.
std::uint64_t rss_of(pid_t process);

/// The programs beside this one, and the scripts of tests/bench/limits.
std::string tidemark_program();
std::string limits_program();
std::string limits_script(const std::string& name);

}  // namespace tidemark::bench
