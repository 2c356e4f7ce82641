#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/console.h"
#include "daemon/exit_status.h"

namespace tidemark {

/// One verb of the program. Declares its options, then runs once, on the main thread. Throws Error
/// or NoDaemon; what they mean for the exit status is decided in one place.
class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(CLI::App& app) = 0;
  virtual ExitStatus run(Console& console) = 0;
};

struct CommandInfo {
  std::string_view name;
  std::string_view summary;
  std::string_view details = {};  ///< below the options in --help: examples
  std::unique_ptr<Command> (*make)() = nullptr;
};

/// Every verb, in the order of the help text.
const std::vector<CommandInfo>& commands();

/// "tidemark 0.1.0 (1a2b3c)".
std::string version_text();

/// The whole program behind main(): argv to exit status. Does not throw.
int run_program(int argc, const char* const* argv) noexcept;

// One function a verb, each in the file of its name.
CommandInfo accept_command();
CommandInfo backfill_command();
CommandInfo cancel_command();
CommandInfo check_command();
CommandInfo checkpoint_command();
CommandInfo cron_command();
CommandInfo daemon_command();
CommandInfo demo_command();
CommandInfo explain_command();
CommandInfo grants_command();
CommandInfo history_command();
CommandInfo list_command();
CommandInfo pause_command();
CommandInfo plan_command();
CommandInfo prepare_command();
CommandInfo reload_command();
CommandInfo resume_command();
CommandInfo resync_command();
CommandInfo run_command();
CommandInfo schema_command();
CommandInfo status_command();
CommandInfo version_command();
CommandInfo why_command();

}  // namespace tidemark
