#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/command/status_view.h"

namespace tidemark {
namespace {

class WhyCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "Job")->required()->check(job_name_validator());
  }

  ExitStatus run(Console& console) override {
    const auto reply = daemon_.client().get("/api/v1/jobs/" + job_);
    if (!reply.ok()) {
      console.fail(reply.problem());
      return reply.status == 404 ? ExitStatus::usage : ExitStatus::internal;
    }
    const Json job(reply.body);
    if (json_.on)
      console.print(job.dump(2));
    else
      show_why(console, job);
    return ExitStatus::done;
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
  std::string job_;
};

}  // namespace

CommandInfo why_command() {
  return {.name = "why",
          .summary = "Say why a job is in the state it is in, and what to do about it",
          .details = "Example: tidemark why orders",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<WhyCommand>()); }};
}

}  // namespace tidemark
