#include <fmt/format.h>

#include "core/error.h"
#include "daemon/command/command.h"
#include "daemon/command/options.h"
#include "daemon/program.h"
#include "runtime/system.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

/// Rewriting triggers and building an index of a large table takes its time.
constexpr Duration longest_statement = std::chrono::hours(1);

class PrepareCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    config_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "The job whose source table shall be prepared")
        ->required()
        ->check(job_name_validator());
    app.add_flag("--xid-column", xid_column_,
                 "A column that holds the id of the transaction which wrote the row last")
        ->required();
    app.add_option("--name", column_, "The column's name")->capture_default_str();
    app.add_flag("--execute", execute_, "Run the statements instead of printing them");
  }

  ExitStatus run(Console& console) override {
    const auto loaded = load_or_complain(console, config_.path, true);
    if (!loaded) return ExitStatus::config;
    const auto found = loaded->settings.jobs.find(JobName(job_));
    if (found == loaded->settings.jobs.end())
      throw WrongUsage("the configuration has no job " + job_);
    const JobSettings& job = found->second;
    if (!job.source_table)
      throw WrongUsage("job " + job_ + " reads a query: prepare its tables by hand");
    const runtime::SystemClock clock;
    const auto connections = make_connections(loaded->settings, clock);
    Connector& connector = *connections->connector(job.source_connection);
    const auto statements = connector.cursor_column(*job.source_table, column_);
    if (statements.empty())
      throw WrongUsage("the source of job " + job_ +
                       " has no such columns: only PostgreSQL does (docs/horizon.md)");
    if (execute_) execute(connector, statements);
    print(console, statements);
    return ExitStatus::done;
  }

 private:
  /// All or nothing: in one transaction.
  static void execute(Connector& connector, const std::vector<std::string>& statements) {
    std::string all;
    for (const std::string& statement : statements)
      all += statement + ";\n";
    connector.open_target()->run_hook(all, longest_statement);
  }

  void print(Console& console, const std::vector<std::string>& statements) const {
    if (json_.on) {
      console.print(Json{{"api", 1}, {"executed", execute_}, {"statements", statements}}.dump(2));
      return;
    }
    for (const std::string& statement : statements)
      console.print(statement + ";");
    console.print(fmt::format("-- {} In the job: cursor: {{column: {}}}",
                              execute_ ? "Done." : "As the table's owner.", column_));
  }

  ConfigOption config_;
  JsonOption json_;
  std::string job_;
  std::string column_ = "sync_xid";
  bool xid_column_ = false;
  bool execute_ = false;
};

}  // namespace

CommandInfo prepare_command() {
  return {.name = "prepare",
          .summary = "Print or run the statements that make a source table's cursor exact",
          .details = "Example: tidemark prepare orders --xid-column --execute",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<PrepareCommand>()); }};
}

}  // namespace tidemark
