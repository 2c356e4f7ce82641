#include "daemon/command/command.h"
#include "daemon/command/options.h"

namespace tidemark {
namespace {

class ExplainCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    config_.declare(app);
    json_.declare(app);
    app.add_flag("--origin", origin_, "Say of each value where it came from");
    app.add_option("PATH", under_, "Only this part, as in jobs.orders.retry");
  }

  ExitStatus run(Console& console) override {
    const auto loaded = load_or_complain(console, config_.path, false);
    if (!loaded) return ExitStatus::config;
    if (!under_.empty() && loaded->effective.find(under_) == nullptr) {
      console.fail("the configuration has no " + under_);
      return ExitStatus::usage;
    }
    console.print(
        config::explain(loaded->effective, {.origin = origin_, .json = json_.on, .under = under_}));
    return ExitStatus::done;
  }

 private:
  ConfigOption config_;
  JsonOption json_;
  bool origin_ = false;
  std::string under_;
};

}  // namespace

CommandInfo explain_command() {
  return {.name = "explain",
          .summary = "Print the effective configuration, defaults filled in, secrets masked",
          .details = "Example: tidemark explain jobs.orders --origin",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<ExplainCommand>()); }};
}

}  // namespace tidemark
