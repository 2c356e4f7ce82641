#include "daemon/command/command.h"
#include "daemon/command/execute.h"

namespace tidemark {
namespace {

class RunCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", wish_.jobs, "Jobs to run")->required()->check(job_name_validator());
    app.add_flag("--full", wish_.options.resync,
                 "Forget the mark and read all again; the target's rows stay until overwritten");
    auto* dry_run = app.add_flag("--dry-run", wish_.options.dry_run,
                                 "Read and transform, write nothing, say what would be written");
    app.add_option("--limit", wish_.options.limit, "With --dry-run: stop after so many rows")
        ->needs(dry_run);
  }

  ExitStatus run(Console& console) override {
    wish_.path = "/api/v1/run";
    wish_.body = {{"resync", wish_.options.resync},
                  {"dry_run", wish_.options.dry_run},
                  {"limit", wish_.options.limit}};
    wish_.json = json_.on;
    return execute(console, daemon_, wish_);
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
  RunWish wish_;
};

}  // namespace

CommandInfo run_command() {
  return {.name = "run",
          .summary = "Run jobs once, now, and wait for the end",
          .details =
              "Through the daemon where one is running, else in this process.\n"
              "Exit status: 0 all rows arrived; 1 a run failed; 69 a database is away;\n"
              "75 held by another daemon; 77 privilege; 78 configuration.\n"
              "Example: tidemark run orders customers",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<RunCommand>()); }};
}

}  // namespace tidemark
