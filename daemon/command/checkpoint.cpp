#include <fmt/format.h>

#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/http/encode.h"
#include "daemon/program.h"
#include "daemon/text.h"
#include "runtime/system.h"
#include "sync/checkpoint.h"
#include "sync/definition.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

/// `checkpoint show JOB`: reads what the target holds, takes nothing.
class CheckpointCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    auto* show = app.add_subcommand("show", "Print where a job stands, from its target");
    config_.declare(*show);
    json_.declare(*show);
    show->add_option("JOB", job_, "Job")->required()->check(job_name_validator());
    app.require_subcommand(1);
  }

  ExitStatus run(Console& console) override {
    const auto loaded = load_or_complain(console, config_.path, true);
    if (!loaded) return ExitStatus::config;
    const Settings& settings = loaded->settings;
    const auto found = settings.jobs.find(JobName(job_));
    if (found == settings.jobs.end()) throw WrongUsage("the configuration has no job " + job_);
    const JobSettings& job = found->second;
    const runtime::SystemClock clock;
    const auto connections = make_connections(settings, clock);
    const auto target = connections->connector(job.target_connection)->open_target();
    const auto stored = target->peek({settings.daemon.instance, job.name}, job.target_table);
    if (!stored || !stored->checkpoint) {
      console.say("the target holds no checkpoint of this job");
      if (json_.on) console.print(Json{{"api", 1}, {"job", job_}, {"checkpoint", nullptr}}.dump(2));
      return ExitStatus::done;
    }
    show(console, job, *stored);
    return ExitStatus::done;
  }

 private:
  void show(Console& console, const JobSettings& job, const Acquired& stored) const {
    const Checkpoint checkpoint = decode(*stored.checkpoint);
    const auto time = [](const std::optional<WallTime>& at) {
      return at ? Json(time_text(*at)) : Json(nullptr);
    };
    Json body{{"api", 1},
              {"job", job_},
              {"same_definition", checkpoint.definition == definition_hash(job)},
              {"definition", checkpoint.definition},
              {"epoch", checkpoint.epoch},
              {"revision", checkpoint.revision},
              {"initial_done", checkpoint.initial_done},
              {"proof", to_string(checkpoint.proof)}};
    body["reached"] =
        checkpoint.reached ? Json::parse(encode_position(*checkpoint.reached)) : Json(nullptr);
    body["settled"] = checkpoint.settled ? Json(checkpoint.settled->text) : Json(nullptr);
    body["open_tokens"] = checkpoint.tokens.size();
    body["fresh_as_of"] = time(checkpoint.fresh_as_of);
    body["read_as_of"] = time(checkpoint.read_as_of);
    body["fence"] = stored.fence;
    body["held_by"] = http::text_or_null(stored.held_by);
    body["lease_left_seconds"] = std::chrono::duration<double>(stored.lease_left).count();
    if (json_.on) {
      console.print(body.dump(2));
      return;
    }
    for (const auto& item : body.items()) {
      if (item.key() == "api" || item.value().is_null()) continue;
      console.print(fmt::format(
          "{:<20}{}", item.key(),
          item.value().is_string() ? item.value().get<std::string>() : item.value().dump()));
    }
  }

  ConfigOption config_;
  JsonOption json_;
  std::string job_;
};

}  // namespace

CommandInfo checkpoint_command() {
  return {.name = "checkpoint",
          .summary = "Look at the checkpoint that a job's target holds",
          .details = "Example: tidemark checkpoint show orders",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<CheckpointCommand>()); }};
}

}  // namespace tidemark
