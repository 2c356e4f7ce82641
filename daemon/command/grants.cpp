#include <fmt/format.h>

#include <algorithm>

#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/program.h"
#include "runtime/system.h"

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

class GrantsCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    config_.declare(app);
    json_.declare(app);
    app.add_option("CONNECTION", connection_, "Only for this connection");
  }

  ExitStatus run(Console& console) override {
    const auto loaded = load_or_complain(console, config_.path, false);
    if (!loaded) return ExitStatus::config;
    const Settings& settings = loaded->settings;
    if (!connection_.empty() && settings.connections.count(ConnectionName(connection_)) == 0)
      throw WrongUsage("the configuration has no connection " + connection_);
    const runtime::SystemClock clock;
    const auto connections = make_connections(settings, clock);
    Json all = Json::array();
    for (const auto& [name, connection] : settings.connections) {
      if (!connection_.empty() && name.text != connection_) continue;
      const auto statements = statements_for(settings, name, *connections->connector(name));
      all.push_back({{"connection", name.text}, {"statements", statements}});
      if (json_.on) continue;
      console.print(fmt::format("-- {} ({}), as an administrator", name.text, connection.type));
      for (const std::string& statement : statements)
        console.print(statement);
    }
    if (json_.on) console.print(Json{{"api", 1}, {"grants", std::move(all)}}.dump(2));
    return ExitStatus::done;
  }

 private:
  /// Each once, in the order of the jobs.
  static std::vector<std::string> statements_for(const Settings& settings,
                                                 const ConnectionName& name,
                                                 const Connector& connector) {
    std::vector<std::string> all;
    for (const auto& [job_name, job] : settings.jobs) {
      if (job.source_connection != name && job.target_connection != name) continue;
      for (std::string& statement : connector.grants(needs_of(job, name)))
        if (std::find(all.begin(), all.end(), statement) == all.end())
          all.push_back(std::move(statement));
    }
    return all;
  }

  ConfigOption config_;
  JsonOption json_;
  std::string connection_;
};

}  // namespace

CommandInfo grants_command() {
  return {.name = "grants",
          .summary = "Print the privileges that the jobs need, as SQL for an administrator",
          .details = "Example: tidemark grants erp | mysql -u root",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<GrantsCommand>()); }};
}

}  // namespace tidemark
