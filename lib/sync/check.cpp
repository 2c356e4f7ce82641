#include "sync/check.h"

#include "core/error.h"
#include "sync/audit.h"
#include "sync/checkpoint.h"
#include "sync/job_plan.h"
#include "sync/range_plan.h"

namespace tidemark {
namespace {

std::vector<ColumnPath> paths_of(const JobPlan& plan) {
  std::vector<ColumnPath> paths;
  for (const ColumnOrigin& origin : plan.pipeline->origins()) {
    ColumnPath path;
    path.source_column = origin.source_column;
    path.column = origin.column;
    path.steps = origin.steps;
    if (const std::size_t at = find_column(plan.source.columns, origin.source_column); at != npos) {
      const Column& column = plan.source.columns[at];
      path.source_type = column.native_type.empty() ? to_string(column.type) : column.native_type;
    }
    if (const std::size_t at = find_column(*plan.pipeline->output(), origin.column); at != npos)
      path.logical_type = to_string((*plan.pipeline->output())[at].type);
    for (const ColumnVerdict& verdict : plan.target.columns) {
      if (verdict.column != origin.column) continue;
      path.target_type = verdict.target_type;
      path.fidelity = verdict.fidelity;
      path.reason = verdict.reason;
      path.note = verdict.note;
    }
    paths.push_back(std::move(path));
  }
  return paths;
}

void look_at_checkpoint(CheckReport& report, const JobPlan& plan, Target& target,
                        const std::string& instance) {
  const auto stored = target.peek({instance, plan.job->name}, plan.job->target_table);
  report.checkpoint = "none";
  if (!stored) return;
  if (!stored->held_by.empty() && stored->lease_left > Duration::zero())
    report.notes.push_back("the job is held by " + stored->held_by);
  if (!stored->checkpoint) return;
  report.definition_changed = stored->checkpoint->definition != plan.definition;
  if (report.definition_changed)
    report.problems.push_back(
        "checkpoint of another definition: what the job means has changed. "
        "Answer with `tidemark accept " +
        plan.job->name.text + " --keep-mark | --backfill | --resync`");
  try {
    const Checkpoint checkpoint = decode(*stored->checkpoint);
    report.checkpoint = checkpoint.settled ? "settled at " + checkpoint.settled->text
                        : checkpoint.reached
                            ? "reached " + checkpoint.reached->cursor.text + ", nothing settled"
                        : checkpoint.initial_done ? "loaded"
                                                  : "begun";
    if (!plan.cursor) return;
    report.proof_text = promise_text(checkpoint, plan);
    if (const std::string broken = broken_text(checkpoint, plan); !broken.empty())
      report.warnings.push_back(broken);
  } catch (const Error& error) {
    report.checkpoint = "unreadable";
    report.problems.push_back(error.what());
  }
}

/// Asks for what a login may lack, without letting a failure there hide the rest.
void ask_grants(CheckReport& report, const JobPlan& plan, Connections& connections) {
  const JobSettings& job = *plan.job;
  const bool creates = !plan.target.statements.empty();
  report.source_grants =
      connections.connector(job.source_connection)
          ->grants({.source = true, .source_table = job.source_table, .proof = plan.proof});
  report.target_grants = connections.connector(job.target_connection)
                             ->grants({.target = true,
                                       .target_table = job.target_table,
                                       .creates_table = creates,
                                       .proof = plan.proof});
}

}  // namespace

CheckReport check_job(const std::shared_ptr<const JobSettings>& job, const CheckPorts& ports,
                      const std::stop_token& stop) {
  CheckReport report{.job = job->name};
  try {
    Connections::Sessions sessions = ports.connections.acquire(
        {.source = job->source_connection, .target = job->target_connection}, stop);
    const auto source = ports.connections.settings(job->source_connection);
    const auto target = ports.connections.settings(job->target_connection);
    const JobPlan plan =
        plan_job(job, {.source = *sessions.source,
                       .target = &*sessions.target,
                       .zones = ports.zones,
                       .source_type = source ? source->type : "",
                       .source_timezone = source ? source->timezone : "UTC",
                       .target_timezone = target ? target->timezone : "UTC",
                       .same_database = source && target && is_same_database(*source, *target)});
    report.connected = true;
    report.problems = plan.problems;
    report.warnings = plan.warnings;
    report.notes = plan.notes;
    if (plan.incremental()) report.proof = plan.proof;
    report.proof_text = plan.proof_text;
    report.columns = paths_of(plan);
    report.read_path = sessions.source->read_path();
    report.write_path = plan.target.write_path;
    if (!plan.problems.empty() || !may_load_ranges(plan)) report.write_path.first_load.clear();
    report.statements = plan.target.statements;
    look_at_checkpoint(report, plan, *sessions.target, ports.instance);
    ask_grants(report, plan, ports.connections);
  } catch (const Error& error) {
    report.problems.push_back(error.what());
  }
  return report;
}

}  // namespace tidemark
