#include <fmt/format.h>

#include "daemon/command/check_view.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/command/run_view.h"
#include "daemon/http/encode.h"

namespace tidemark {
namespace {

class CheckCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    config_.declare(app);
    json_.declare(app);
    app.add_flag("--connect", connect_,
                 "Also ask the databases: logins, privileges, schemas, proof, each column");
    app.add_flag(
        "--diff", diff_,
        "Say which jobs a reload would halt, as their checkpoint is of another definition");
  }

  ExitStatus run(Console& console) override {
    const bool ask = connect_ || diff_;
    const config::LoadResult loaded = load_config(config_.path, ask);
    std::vector<CheckedJob> reports;
    ExitStatus status = ExitStatus::config;
    if (loaded.ok()) {
      status = ExitStatus::done;
      std::vector<JobName> jobs;
      for (const auto& [name, job] : loaded.settings.jobs)
        jobs.push_back(name);
      if (ask) reports = check_jobs(console, loaded.settings, jobs);
    }
    for (const CheckedJob& job : reports)
      status = worse(status, judged(job));
    if (json_.on)
      print_json(console, loaded, reports);
    else
      print_text(console, loaded, reports);
    return status;
  }

 private:
  ExitStatus judged(const CheckedJob& job) const {
    // For a changed definition --diff asks: that is a difference, not a fault.
    if (diff_ && job.report.definition_changed) return ExitStatus::failed;
    return exit_status_of(job);
  }

  static Json encode(const std::vector<config::Problem>& problems) {
    Json list = Json::array();
    for (const config::Problem& problem : problems)
      list.push_back({{"file", problem.file},
                      {"line", problem.line},
                      {"column", problem.column},
                      {"path", problem.path},
                      {"message", problem.message},
                      {"hint", http::text_or_null(problem.hint)}});
    return list;
  }

  static void print_json(Console& console, const config::LoadResult& loaded,
                         const std::vector<CheckedJob>& reports) {
    Json jobs = Json::array();
    for (const CheckedJob& job : reports)
      jobs.push_back(tidemark::encode(job.report));
    Json body{{"api", 1},
              {"ok", loaded.ok()},
              {"errors", encode(loaded.errors)},
              {"warnings", encode(loaded.warnings)},
              {"jobs", std::move(jobs)}};
    body["systemd_drop_in"] = loaded.ok() ? Json(systemd_drop_in(loaded.settings)) : Json(nullptr);
    console.print(body.dump(2));
  }

  void print_text(Console& console, const config::LoadResult& loaded,
                  const std::vector<CheckedJob>& reports) const {
    show_problems(console, loaded);
    if (!loaded.ok()) return;
    if (diff_)
      for (const CheckedJob& job : reports)
        console.print(fmt::format("{}: {}", job.report.job.text,
                                  !job.report.connected           ? "can't be asked"
                                  : job.report.definition_changed ? "would halt: another definition"
                                                                  : "goes on"));
    if (connect_ || !diff_)
      for (const CheckedJob& job : reports)
        show_check(console, job.report);
    console.print(fmt::format("{}: ok, {} connection(s), {} job(s)", config_.path,
                              loaded.settings.connections.size(), loaded.settings.jobs.size()));
    if (const std::string text = systemd_drop_in(loaded.settings); !text.empty())
      console.say(
          "note: under systemd the SQLite files need this drop-in\n"
          "(systemctl edit tidemark), and the user tidemark must own or share them:\n" +
          text);
  }

  ConfigOption config_;
  JsonOption json_;
  bool connect_ = false;
  bool diff_ = false;
};

}  // namespace

CommandInfo check_command() {
  return {.name = "check",
          .summary = "Check the configuration, and with --connect everything behind it",
          .details =
              "Prints every problem as file:line:column. Exit status: 0 good; 1 (--diff) a job\n"
              "would halt; 69 a database is away; 78 something is wrong.\n"
              "Example: tidemark check --connect -c tidemark.yaml",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<CheckCommand>()); }};
}

}  // namespace tidemark
