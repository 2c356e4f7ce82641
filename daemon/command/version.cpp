#include <fmt/format.h>

#include "core/connector.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/program.h"

namespace tidemark {
namespace {

class VersionCommand final : public Command {
 public:
  void declare(CLI::App& app) override { json_.declare(app); }

  ExitStatus run(Console& console) override {
    std::vector<std::string> types;
    for (const ConnectorInfo& info : connectors())
      types.emplace_back(info.type);
    if (json_.on) {
      const nlohmann::ordered_json body{{"api", 1},
                                        {"version", program_version()},
                                        {"revision", program_revision()},
                                        {"compiler", __VERSION__},
                                        {"connectors", types}};
      console.print(body.dump(2));
    } else {
      console.print(fmt::format("{}\nconnectors: {}", version_text(), fmt::join(types, ", ")));
    }
    return ExitStatus::done;
  }

 private:
  JsonOption json_;
};

}  // namespace

std::string version_text() {
  return fmt::format("tidemark {} ({})", program_version(), program_revision());
}

CommandInfo version_command() {
  return {.name = "version", .summary = "Print version and connectors", .details = "", .make = [] {
            return std::unique_ptr<Command>(std::make_unique<VersionCommand>());
          }};
}

}  // namespace tidemark
