#include "daemon/command/wish.h"

#include <fmt/format.h>

namespace tidemark {

void Wish::declare(CLI::App& app) {
  daemon_.declare(app);
  json_.declare(app);
  jobs_.declare(app);
}

ExitStatus Wish::send(Console& console, const std::string& action,
                      const nlohmann::json& more) const {
  nlohmann::json body = jobs_.body();
  body.update(more);
  const auto reply = daemon_.client().post("/api/v1/" + action, body);
  if (!reply.body.is_object() || !reply.body.contains("jobs")) {
    console.fail(reply.problem());
    return reply.status == 503 ? ExitStatus::unavailable : ExitStatus::usage;
  }
  if (json_.on) console.print(reply.body.dump(2));
  if (reply.body["jobs"].empty()) console.say("no job was concerned");
  bool refused = false;
  for (const auto& job : reply.body["jobs"]) {
    const std::string name = job["job"].get<std::string>();
    if (job["ok"].get<bool>()) {
      if (!json_.on) console.print(fmt::format("{}: {} asked for", name, action));
      continue;
    }
    refused = true;
    console.fail(fmt::format("{}: {}", name, job["refused"].get<std::string>()));
  }
  if (reply.status == 404) return ExitStatus::usage;
  return refused ? ExitStatus::failed : ExitStatus::done;
}

}  // namespace tidemark
