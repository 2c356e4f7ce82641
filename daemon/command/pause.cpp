#include "daemon/command/command.h"
#include "daemon/command/wish.h"

namespace tidemark {
namespace {

class PauseCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    wish_.declare(app);
    app.add_option("--for", length_, "How long")->check(duration_validator());
    app.add_option("--reason", reason_, "Why, for the others");
  }

  ExitStatus run(Console& console) override {
    nlohmann::json more = nlohmann::json::object();
    if (!length_.empty())
      more["for_seconds"] =
          std::chrono::ceil<std::chrono::seconds>(*config::parse_duration(length_)).count();
    if (!reason_.empty()) more["reason"] = reason_;
    return wish_.send(console, "pause", more);
  }

 private:
  Wish wish_;
  std::string length_;
  std::string reason_;
};

}  // namespace

CommandInfo pause_command() {
  return {.name = "pause",
          .summary = "Let jobs rest: a run under way ends after its batch",
          .details =
              "Lasts until resumed, also over restarts, unless --for says how long.\n"
              "Example: tidemark pause --connection erp --for 2h --reason \"ERP upgrade\"",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<PauseCommand>()); }};
}

}  // namespace tidemark
