#include <fmt/format.h>

#include "daemon/command/check_view.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"

namespace tidemark {
namespace {

class PlanCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    config_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "Job")->required()->check(job_name_validator());
  }

  ExitStatus run(Console& console) override {
    const auto loaded = load_or_complain(console, config_.path, true);
    if (!loaded) return ExitStatus::config;
    if (loaded->settings.jobs.count(JobName(job_)) == 0)
      throw WrongUsage("the configuration has no job " + job_);
    const CheckedJob checked = check_jobs(console, loaded->settings, {JobName(job_)}).front();
    const CheckReport& report = checked.report;
    if (json_.on) {
      Json body{{"api", 1}};
      body.update(encode(report));
      console.print(body.dump(2));
    } else {
      show_check(console, report);
      show_plan(console, report);
    }
    return exit_status_of(checked);
  }

 private:
  ConfigOption config_;
  JsonOption json_;
  std::string job_;
};

}  // namespace

CommandInfo plan_command() {
  return {.name = "plan",
          .summary = "Say what a job would do to each column and table, without doing it",
          .details = "Example: tidemark plan orders",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<PlanCommand>()); }};
}

}  // namespace tidemark
