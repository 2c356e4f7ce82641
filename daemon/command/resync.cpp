#include <fmt/format.h>

#include "daemon/command/command.h"
#include "daemon/command/execute.h"

namespace tidemark {
namespace {

class ResyncCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", wish_.jobs, "Jobs to read again from the beginning")
        ->required()
        ->check(job_name_validator());
    app.add_flag("--yes", yes_, "Do not ask");
  }

  ExitStatus run(Console& console) override {
    const std::string plan = fmt::format(
        "the mark of {} is forgotten and every row is read again; the target's rows stay until "
        "they are overwritten",
        fmt::join(wish_.jobs, ", "));
    if (!yes_ && !console.interactive()) throw WrongUsage(plan + "; give --yes to mean it");
    if (!yes_ && !console.confirm(plan + ". Go on?")) return ExitStatus::failed;
    wish_.options.resync = true;
    wish_.path = "/api/v1/run";
    wish_.body = {{"resync", true}};
    wish_.json = json_.on;
    return execute(console, daemon_, wish_);
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
  RunWish wish_;
  bool yes_ = false;
};

}  // namespace

CommandInfo resync_command() {
  return {.name = "resync",
          .summary = "Forget a job's mark and read everything again",
          .details =
              "Asks before it starts; without a terminal it wants --yes.\n"
              "Example: tidemark resync orders --yes",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<ResyncCommand>()); }};
}

}  // namespace tidemark
