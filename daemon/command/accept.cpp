#include "daemon/command/command.h"
#include "daemon/command/execute.h"

namespace tidemark {
namespace {

class AcceptCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "Job")->required()->check(job_name_validator());
    auto* ways = app.add_option_group("ways", "What becomes of the old mark (one of)");
    ways->add_flag("--keep-mark", keep_mark_,
                   "Go on from it: what lies behind it is right as it is");
    ways->add_flag("--backfill", backfill_, "Go on from it, and read all behind it again");
    ways->add_flag("--resync", resync_, "Forget it and read all again");
    ways->require_option(1);
  }

  ExitStatus run(Console& console) override {
    using Accept = RunOptions::Accept;
    RunWish wish{.jobs = {job_}, .path = "/api/v1/accept", .json = json_.on};
    wish.options.accept = keep_mark_  ? Accept::keep_mark
                          : backfill_ ? Accept::backfill
                                      : Accept::resync;
    wish.body = {{"how", keep_mark_ ? "keep-mark" : backfill_ ? "backfill" : "resync"}};
    return execute(console, daemon_, wish);
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
  std::string job_;
  bool keep_mark_ = false;
  bool backfill_ = false;
  bool resync_ = false;
};

}  // namespace

CommandInfo accept_command() {
  return {.name = "accept",
          .summary = "Let a job go on whose definition has changed or whose promise broke",
          .details =
              "A checkpoint belongs to one definition of source, key, cursor and target. When\n"
              "that changes the job halts until somebody says what the old mark is worth.\n"
              "A job behind whose mark rows came late goes on with a lookback until somebody\n"
              "has found out why; this ends that too, and sets a raised lookback back.\n"
              "Example: tidemark accept orders --backfill",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<AcceptCommand>()); }};
}

}  // namespace tidemark
