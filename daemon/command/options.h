#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/config_file.h"
#include "daemon/control_client.h"

// Options that several verbs share, each declared in one place.
namespace tidemark {

struct ConfigOption {
  std::string path = default_config;
  void declare(CLI::App& app);
};

struct JsonOption {
  bool on = false;
  void declare(CLI::App& app);
};

/// How to reach the daemon: the socket that the configuration names, another one, or an address.
struct DaemonOption {
  ConfigOption config;
  std::string socket = {};
  std::string url = {};
  std::string token_file = {};
  void declare(CLI::App& app);
  ControlClient client() const;
};

/// Which jobs: by name, connection, label, or all. Exactly one way.
struct JobsOption {
  std::vector<std::string> jobs = {};
  std::string connection = {};
  std::string label = {};
  bool all = false;
  void declare(CLI::App& app);
  /// As the API wants it. Throws WrongUsage where it is not exactly one way.
  nlohmann::json body() const;
};

/// A job's name; what can't be one is a wrong command line.
CLI::Validator job_name_validator();

/// A duration on the command line: "90s", "2h".
CLI::Validator duration_validator();

/// Ready, checked settings, or the problems on stderr and nullopt (exit 78).
std::optional<config::LoadResult> load_or_complain(Console& console, const std::string& path,
                                                   bool resolve_secrets);

/// A command line that parsed but can't be: thrown by commands, exit 64.
class WrongUsage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tidemark
