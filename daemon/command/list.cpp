#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/command/status_view.h"

namespace tidemark {
namespace {

class ListCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
  }

  ExitStatus run(Console& console) override {
    const auto reply = daemon_.client().get("/api/v1/status");
    if (!reply.ok()) {
      console.fail(reply.problem());
      return ExitStatus::internal;
    }
    const Json body(reply.body);
    if (json_.on)
      console.print(Json{{"api", 1}, {"jobs", body["jobs"]}}.dump(2));
    else
      show_list(console, body);
    return ExitStatus::done;
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
};

}  // namespace

CommandInfo list_command() {
  return {
      .name = "list", .summary = "List the jobs by when they run next", .details = "", .make = [] {
        return std::unique_ptr<Command>(std::make_unique<ListCommand>());
      }};
}

}  // namespace tidemark
