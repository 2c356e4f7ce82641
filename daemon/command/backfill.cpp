#include "daemon/command/command.h"
#include "daemon/command/execute.h"

namespace tidemark {
namespace {

class BackfillCommand final : public Command {
 public:
  void declare(CLI::App& app) override {
    daemon_.declare(app);
    json_.declare(app);
    app.add_option("JOB", job_, "Job")->required()->check(job_name_validator());
    app.add_option("--from", from_, "First cursor value to read, inclusive");
    app.add_option("--to", to_, "Cursor value to stop at, exclusive");
    app.add_option("--where", where_, "A predicate on the source");
  }

  ExitStatus run(Console& console) override {
    if (from_.empty() && to_.empty() && where_.empty())
      throw WrongUsage("say what to read again: --from, --to or --where");
    RunOptions::Backfill range;
    RunWish wish{.jobs = {job_}, .path = "/api/v1/backfill", .json = json_.on};
    wish.body = nlohmann::json::object();
    if (!from_.empty()) wish.body["from"] = *(range.from = from_);
    if (!to_.empty()) wish.body["to"] = *(range.to = to_);
    if (!where_.empty()) wish.body["where"] = range.where = where_;
    wish.options.backfill = std::move(range);
    return execute(console, daemon_, wish);
  }

 private:
  DaemonOption daemon_;
  JsonOption json_;
  std::string job_;
  std::string from_;
  std::string to_;
  std::string where_;
};

}  // namespace

CommandInfo backfill_command() {
  return {.name = "backfill",
          .summary = "Read a range of a job's source again; the mark does not move",
          .details = "Example: tidemark backfill orders --from 2026-01-01 --to 2026-02-01",
          .make = [] { return std::unique_ptr<Command>(std::make_unique<BackfillCommand>()); }};
}

}  // namespace tidemark
