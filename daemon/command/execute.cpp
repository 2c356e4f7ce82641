#include "daemon/command/execute.h"

#include <fmt/format.h>

#include "daemon/command/run_view.h"
#include "daemon/http/encode.h"
#include "daemon/local_engine.h"
#include "runtime/system.h"

namespace tidemark {
namespace {

/// How long the daemon may keep back its answer to whether the runs have ended: until there is
/// something to draw, or long where nobody watches.
constexpr int watched_wait = 1;
constexpr int unwatched_wait = 30;
constexpr auto answer_time = std::chrono::seconds(10);

/// The end of both ways: every job's outcome, and the exit status that follows.
ExitStatus conclude(Console& console, const Json& jobs, bool json) {
  ExitStatus status = ExitStatus::done;
  for (const Json& job : jobs) {
    const std::string name = job["job"].get<std::string>();
    if (job["refused"].is_string()) {
      console.fail(fmt::format("{}: {}", name, job["refused"].get<std::string>()));
      status = worse(status, ExitStatus::failed);
      continue;
    }
    const Json& outcome = job["outcome"];
    if (!json) show_outcome(console, name, outcome);
    status = worse(status, static_cast<ExitStatus>(outcome["exit_status"].get<int>()));
  }
  if (json) console.print(Json{{"api", 1}, {"jobs", jobs}}.dump(2));
  return status;
}

std::string progress_of(const Json& jobs) {
  std::string line;
  for (const Json& job : jobs) {
    if (job["done"].get<bool>() || !job["status"].is_object()) continue;
    line += (line.empty() ? "" : "; ") + run_progress_line(job["status"]);
  }
  return line;
}

ExitStatus through_daemon(Console& console, const ControlClient& client, const RunWish& wish,
                          const ControlClient::Reply& accepted) {
  if (!accepted.body.contains("jobs")) {
    console.fail(accepted.problem());
    return accepted.status == 503 ? ExitStatus::unavailable : ExitStatus::usage;
  }
  Json request = Json(accepted.body);
  {
    ProgressLine progress(console);
    const int wait = console.progress_redraws() ? watched_wait : unwatched_wait;
    const std::string target =
        fmt::format("/api/v1/requests/{}?wait={}", request["request"].get<std::string>(), wait);
    while (!request["done"].get<bool>()) {
      const auto reply = client.get(target, std::chrono::seconds(wait) + answer_time);
      if (!reply.ok()) throw NoDaemon(reply.problem(), NoDaemon::Why::lost);
      request = Json(reply.body);
      progress.show(progress_of(request["jobs"]));
    }
  }
  const ExitStatus status = conclude(console, request["jobs"], wish.json);
  return accepted.status == 404 ? ExitStatus::usage : status;
}

ExitStatus here(Console& console, const Settings& settings, const RunWish& wish) {
  std::vector<JobName> jobs;
  for (const std::string& job : wish.jobs) {
    if (settings.jobs.count(JobName(job)) == 0) {
      console.fail(fmt::format("the configuration has no job {}", job));
      return ExitStatus::usage;
    }
    jobs.emplace_back(job);
  }
  ProgressLine progress(console);
  const auto show = [&](const std::vector<JobStatus>& statuses) {
    std::string line;
    const WallTime now = runtime::SystemClock().now();
    for (const JobStatus& status : statuses)
      if (!status.run_id.empty())
        line += (line.empty() ? "" : "; ") + run_progress_line(http::encode(status, now));
    if (!line.empty()) progress.show(line);
  };
  LocalEngine engine(
      settings, {.progress = show, .talk = [&](const std::string& text) { console.say(text); }});
  Json results = Json::array();
  for (const LocalEngine::Result& result : engine.run(jobs, wish.options)) {
    Json outcome = nullptr;
    if (result.finished) {
      outcome = http::encode(result.finished->outcome);
      outcome["run"] = result.finished->run_id;
      outcome["seconds"] = std::chrono::duration<double>(result.finished->took).count();
    }
    results.push_back({{"job", result.job.text},
                       {"refused", result.refusal ? Json(result.refusal->message) : Json(nullptr)},
                       {"outcome", std::move(outcome)}});
  }
  return conclude(console, results, wish.json);
}

}  // namespace

ExitStatus execute(Console& console, const DaemonOption& daemon, const RunWish& wish) {
  const ControlClient client = daemon.client();
  try {
    nlohmann::json body = wish.body.is_object() ? wish.body : nlohmann::json::object();
    body["jobs"] = wish.jobs;
    return through_daemon(console, client, wish, client.post(wish.path, body));
  } catch (const NoDaemon& absent) {
    if (absent.why() != NoDaemon::Why::absent) throw;
  }
  const auto loaded = load_or_complain(console, daemon.config.path, true);
  if (!loaded) return ExitStatus::config;
  return here(console, loaded->settings, wish);
}

}  // namespace tidemark
