#include <fmt/format.h>

#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/command/status_view.h"
#include "daemon/http/encode.h"
#include "state/state_store.h"

namespace tidemark {
namespace {

class HistoryCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "Job")->required()->check(job_name_validator());
    app.add_option("--limit", limit_, "How many runs, newest first")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000));
  }

  ExitStatus run(Console& console) override {
    Json body;
    try {
      const auto reply =
          daemon_.client().get(fmt::format("/api/v1/history?job={}&limit={}", job_, limit_));
      if (!reply.ok()) {
        console.fail(reply.problem());
        return ExitStatus::unavailable;
      }
      body = Json(reply.body);
    } catch (const NoDaemon& absent) {
      if (absent.why() != NoDaemon::Why::absent) throw;
      const auto loaded = load_or_complain(console, daemon_.config.path, false);
      if (!loaded) return ExitStatus::config;
      body = from_file(loaded->settings.daemon.state_dir);
    }
    if (json_.on)
      console.print(body.dump(2));
    else
      show_history(console, body);
    return ExitStatus::done;
  }

 private:
  /// Without a daemon the state file itself tells.
  Json from_file(const std::string& directory) const {
    const auto store = state::StateStore::open({.directory = directory, .read_only = true});
    Json runs = Json::array();
    for (const state::RunRecord& run : store->history(JobName(job_), limit_))
      runs.push_back(http::encode(run));
    return {{"api", 1}, {"job", job_}, {"runs", std::move(runs)}};
  }

  DaemonOption daemon_;
  JsonOption json_;
  std::string job_;
  std::size_t limit_ = 20;
};

}  // namespace

CommandInfo history_command() {
  return {.name = "history",
          .summary = "List the last runs of a job",
          .details =
              "Asks the daemon, or its state file where none is running.\n"
              "Example: tidemark history orders --limit 100",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<HistoryCommand>()); }};
}

}  // namespace tidemark
