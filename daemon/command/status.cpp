#include <fmt/format.h>

#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/command/status_view.h"

namespace tidemark {
namespace {

class StatusCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "Only this job")->check(job_name_validator());
  }

  ExitStatus run(Console& console) override {
    const ControlClient client = daemon_.client();
    const auto reply = client.get(job_.empty() ? "/api/v1/status" : "/api/v1/jobs/" + job_);
    if (!reply.ok()) {
      console.fail(reply.problem());
      return reply.status == 404 ? ExitStatus::usage : ExitStatus::internal;
    }
    const Json body(reply.body);
    if (json_.on)
      console.print(body.dump(2));
    else if (job_.empty())
      show_status(console, body);
    else
      show_job(console, body);
    return body.value("healthy", false) ? ExitStatus::done : ExitStatus::unhealthy;
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
  std::string job_;
};

}  // namespace

CommandInfo status_command() {
  return {.name = "status",
          .summary = "Say how the daemon and its jobs are; exit 3 where one is halted or stale",
          .details = "Example: tidemark status --json",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<StatusCommand>()); }};
}

}  // namespace tidemark
