#pragma once

#include <string>

#include "daemon/command/options.h"
#include "daemon/exit_status.h"

namespace tidemark {

/// What a person wants of some jobs of the running daemon: the common part of pause, resume and
/// cancel.
class Wish {
 public:
  void declare(CLI::App& app);
  /// Exit 0 when every job did it, 1 when one refused, 64 when one is unknown.
  ExitStatus send(Console& console, const std::string& action,
                  const nlohmann::json& more = nlohmann::json::object()) const;

 private:
  DaemonOption daemon_;
  JsonOption json_;
  JobsOption jobs_;
};

}  // namespace tidemark
