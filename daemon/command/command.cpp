#include "daemon/command/command.h"

#include <fmt/format.h>

#include <map>
#include <string>

#include "core/error.h"
#include "daemon/command/options.h"
#include "daemon/control_client.h"
#include "daemon/signals.h"

namespace tidemark {
namespace {

constexpr const char* description =
    "Keeps tables in step between databases, and proves it.\n"
    "Data goes to stdout, talk to stderr.";
constexpr const char* footer =
    "Exit status: 0 done; 1 a run failed; 3 unhealthy (status); 64 usage; 69 a database or the\n"
    "daemon can't be reached; 70 internal; 73 state can't be created; 75 held by another daemon;\n"
    "77 permission; 78 configuration.\n"
    "`tidemark VERB --help` tells more of each verb.";

ExitStatus run_guarded(Command& command, Console& console) {
  try {
    return command.run(console);
  } catch (const Error& error) {
    console.fail(error.what());
    return exit_status_of(error.kind());
  } catch (const NoDaemon& absent) {
    console.fail(absent.what());
    return absent.why() == NoDaemon::Why::forbidden ? ExitStatus::no_permission
                                                    : ExitStatus::unavailable;
  } catch (const WrongUsage& wrong) {
    console.fail(wrong.what());
    return ExitStatus::usage;
  } catch (const Cancelled&) {
    console.fail("cancelled");
    return ExitStatus::failed;
  }
}

/// CLI11 has exit codes of its own; ours say 64 for every wrong command line.
int leave(const CLI::App& app, const CLI::ParseError& error) {
  const int status = app.exit(error);
  return status == 0 ? 0 : static_cast<int>(ExitStatus::usage);
}

int parse_and_run(int argc, const char* const* argv) {
  Console console;
  CLI::App app(description, "tidemark");
  app.footer(footer);
  app.require_subcommand(1);
  app.fallthrough();
  app.failure_message(CLI::FailureMessage::simple);
  ColorChoice color = ColorChoice::automatic;
  const std::map<std::string, ColorChoice> colors{{"auto", ColorChoice::automatic},
                                                  {"always", ColorChoice::always},
                                                  {"never", ColorChoice::never}};
  app.add_option("--color", color, "auto, always or never")
      ->transform(CLI::CheckedTransformer(colors, CLI::ignore_case).description(""));
  app.set_version_flag("--version", [] { return version_text(); });
  std::map<CLI::App*, std::unique_ptr<Command>> verbs;
  for (const CommandInfo& info : commands()) {
    CLI::App* verb = app.add_subcommand(std::string(info.name), std::string(info.summary));
    verb->footer(std::string(info.details));
    auto command = info.make();
    command->declare(*verb);
    verbs[verb] = std::move(command);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return leave(app, error);
  }
  console.choose_color(color);
  return static_cast<int>(run_guarded(*verbs.at(app.get_subcommands().front()), console));
}

}  // namespace

int run_program(int argc, const char* const* argv) noexcept {
  Signals::ignore_broken_pipes();
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "error: internal: " << error.what() << '\n';
  } catch (...) {
    std::cerr << "error: internal\n";
  }
  return static_cast<int>(ExitStatus::internal);
}

}  // namespace tidemark
