#include <fmt/format.h>

#include "daemon/command/command.h"
#include "daemon/command/options.h"

namespace tidemark {
namespace {

class ReloadCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("--wait", wait_, "How long to wait for the answer")
        ->capture_default_str()
        ->check(duration_validator());
  }

  ExitStatus run(Console& console) override {
    const auto reply = daemon_.client().post("/api/v1/reload", nlohmann::json::object(),
                                             *config::parse_duration(wait_));
    const bool understood = reply.body.is_object() && reply.body.contains("result");
    if (!understood) {
      console.fail(reply.problem());
      return reply.status == 503 ? ExitStatus::unavailable : ExitStatus::internal;
    }
    if (json_.on)
      console.print(reply.body.dump(2));
    else
      show(console, reply.body);
    return reply.ok() ? ExitStatus::done : ExitStatus::config;
  }

 private:
  static void show(Console& console, const nlohmann::json& result) {
    for (const auto& error : result["errors"])
      console.fail(error.get<std::string>());
    if (result["result"] == "rejected") {
      console.fail("nothing was changed: the daemon goes on with the configuration it has");
      return;
    }
    for (const char* what : {"added", "removed", "changed"})
      for (const auto& job : result[what])
        console.print(fmt::format("{} {}", what, job.get<std::string>()));
    for (const auto& key : result["restart_required"])
      console.warn(fmt::format("{} keeps its old value until a restart", key.get<std::string>()));
    if (result["result"] == "unchanged") console.print("nothing changed");
  }

  DaemonOption daemon_;
  JsonOption json_;
  std::string wait_ = "60s";
};

}  // namespace

CommandInfo reload_command() {
  return {.name = "reload",
          .summary = "Have the daemon read its configuration again, all or nothing",
          .details =
              "Exits 78 and prints file:line:column where the new file is wrong; the daemon\n"
              "then goes on as it was.",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<ReloadCommand>()); }};
}

}  // namespace tidemark
