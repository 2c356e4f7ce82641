#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/program.h"
#include "runtime/system.h"
#include "schedule/zones.h"
#include "sync/check.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

/// What a job asks of one of its connections, as far as the configuration alone can tell: `exact`
/// wants the proof that the source's own kind offers.
GrantNeeds needs_of(const JobSettings& job, const ConnectionName& connection) {
  const bool exact = job.cursor && job.cursor->safety == Safety::exact;
  return {.source = job.source_connection == connection,
          .target = job.target_connection == connection,
          .source_table = job.source_table,
          .target_table = job.target_table,
          .creates_table = job.create == CreatePolicy::automatic,
          .proof = exact ? ProofKind::transactions : ProofKind::lookback};
}

/// Statements by connection, each once, in the order of the jobs.
class Statements {
 public:
  void add(const ConnectionName& connection, const std::vector<std::string>& statements) {
    std::vector<std::string>& all = by_connection_[connection];
    for (const std::string& statement : statements)
      if (std::find(all.begin(), all.end(), statement) == all.end()) all.push_back(statement);
  }
  const std::vector<std::string>& of(const ConnectionName& connection) {
    return by_connection_[connection];
  }

 private:
  std::map<ConnectionName, std::vector<std::string>> by_connection_;
};

/// Finds out what jobs need: by the plan that their databases lead to, and where these can't be
/// asked by the configuration alone.
class Inquiry {
 public:
  Inquiry(const Settings& settings, bool connect)
      : settings_(settings), connect_(connect), connections_(make_connections(settings, clock_)) {}

  /// Why the job's databases were not asked; "" when they were.
  std::string ask(const std::shared_ptr<const JobSettings>& job, Statements& statements) {
    std::string why = connect_ ? reason_not_to_ask(*job) : "not asked to connect";
    if (why.empty()) {
      const CheckReport report = check_job(
          job,
          {.connections = *connections_, .zones = zones_, .instance = settings_.daemon.instance});
      if (report.connected) {
        statements.add(job->source_connection, report.source_grants);
        statements.add(job->target_connection, report.target_grants);
        return {};
      }
      why = report.problems.empty() ? "no plan could be made" : report.problems.front();
    }
    for (const ConnectionName& name : {job->source_connection, job->target_connection})
      statements.add(name, connections_->connector(name)->grants(needs_of(*job, name)));
    return why;
  }

 private:
  std::string reason_not_to_ask(const JobSettings& job) {
    for (const ConnectionName& name : {job.source_connection, job.target_connection})
      if (const std::string& why = reach(name); !why.empty()) return why;
    return {};
  }

  /// Each connection is tried once, however many jobs use it.
  const std::string& reach(const ConnectionName& name) {
    const auto [found, fresh] = failures_.try_emplace(name);
    if (!fresh) return found->second;
    try {
      connections_->connector(name)->probe();
    } catch (const Error& error) {
      found->second = error.what();
    }
    return found->second;
  }

  const Settings& settings_;
  const bool connect_;
  runtime::SystemClock clock_;
  schedule::SystemZones zones_;
  std::unique_ptr<Connections> connections_;
  std::map<ConnectionName, std::string> failures_;  ///< "" for one that answers
};

class GrantsCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    config_.declare(app);
    json_.declare(app);
    app.add_option("CONNECTION", connection_, "Only for this connection");
    app.add_flag("--no-connect", offline_, "Go by the configuration alone");
  }

  ExitStatus run(Console& console) override {
    const auto loaded = load_or_complain(console, config_.path, !offline_);
    if (!loaded) return ExitStatus::config;
    const Settings& settings = loaded->settings;
    if (!connection_.empty() && settings.connections.count(ConnectionName(connection_)) == 0)
      throw WrongUsage("the configuration has no connection " + connection_);
    Inquiry inquiry(settings, !offline_);
    Statements statements;
    Json guessed = Json::array();
    for (const auto& [name, job] : settings.jobs) {
      if (!concerns(job)) continue;
      const std::string why = inquiry.ask(std::make_shared<const JobSettings>(job), statements);
      if (why.empty()) continue;
      guessed.push_back({{"job", name.text}, {"why", why}});
      console.say(fmt::format("{}: by the configuration alone: {}", name.text, why));
    }
    show(console, settings, statements, guessed);
    return ExitStatus::done;
  }

 private:
  bool concerns(const JobSettings& job) const {
    return connection_.empty() || job.source_connection.text == connection_ ||
           job.target_connection.text == connection_;
  }

  void show(Console& console, const Settings& settings, Statements& statements,
            const Json& guessed) const {
    Json all = Json::array();
    for (const auto& [name, connection] : settings.connections) {
      if (!connection_.empty() && name.text != connection_) continue;
      all.push_back({{"connection", name.text}, {"statements", statements.of(name)}});
      if (json_.on) continue;
      console.print(fmt::format("-- {} ({}), as an administrator", name.text, connection.type));
      for (const std::string& statement : statements.of(name))
        console.print(statement);
    }
    if (json_.on)
      console.print(
          Json{{"api", 1}, {"grants", std::move(all)}, {"by_configuration_alone", guessed}}.dump(
              2));
  }

  ConfigOption config_;
  JsonOption json_;
  std::string connection_;
  bool offline_ = false;
};

}  // namespace

CommandInfo grants_command() {
  return {.name = "grants",
          .summary = "Print the privileges that the jobs need, as SQL for an administrator",
          .details =
              "Asks the databases which proof each job has; where one can't be asked, what the\n"
              "configuration tells. Example: tidemark grants erp | mysql -u root",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<GrantsCommand>()); }};
}

}  // namespace tidemark
