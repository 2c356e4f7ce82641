#include "daemon/command/check_view.h"

#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "daemon/http/encode.h"
#include "daemon/program.h"
#include "runtime/system.h"
#include "schedule/zones.h"

namespace tidemark {
namespace {

std::string_view fidelity_text(Fidelity fidelity) {
  switch (fidelity) {
    case Fidelity::lossless:
      return "lossless";
    case Fidelity::lossy:
      return "lossy";
    case Fidelity::impossible:
      return "impossible";
  }
  return "impossible";
}

Json encode(const ColumnPath& column) {
  return {{"source_column", column.source_column},
          {"source_type", column.source_type},
          {"column", column.column},
          {"logical_type", column.logical_type},
          {"target_type", column.target_type},
          {"steps", column.steps},
          {"fidelity", fidelity_text(column.fidelity)},
          {"reason", http::text_or_null(column.reason)},
          {"note", http::text_or_null(column.note)}};
}

/// A job whose check broke off: was it a database that did not answer, or what it answered?
std::optional<FailureKind> why_unreachable(Connections& connections, const JobSettings& job) {
  for (const ConnectionName& name : {job.source_connection, job.target_connection}) {
    try {
      connections.connector(name)->probe();
    } catch (const Error& error) {
      return error.kind();
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<CheckedJob> check_jobs(Console& console, const Settings& settings,
                                   const std::vector<JobName>& jobs) {
  const runtime::SystemClock clock;
  const schedule::SystemZones zones;
  const auto connections = make_connections(settings, clock);
  ProgressLine progress(console);
  std::vector<CheckedJob> checked;
  for (const JobName& job : jobs) {
    progress.show(fmt::format("checking {} ({} of {})", job.text, checked.size() + 1, jobs.size()));
    const auto job_settings = std::make_shared<const JobSettings>(settings.jobs.at(job));
    CheckedJob& entry = checked.emplace_back();
    entry.report = check_job(
        job_settings,
        {.connections = *connections, .zones = zones, .instance = settings.daemon.instance});
    if (!entry.report.connected) entry.unreachable = why_unreachable(*connections, *job_settings);
  }
  return checked;
}

Json encode(const CheckReport& report) {
  Json columns = Json::array();
  for (const ColumnPath& column : report.columns)
    columns.push_back(encode(column));
  return {{"job", report.job.text},
          {"ok", report.problems.empty()},
          {"connected", report.connected},
          {"problems", report.problems},
          {"warnings", report.warnings},
          {"notes", report.notes},
          {"proof", http::text_or_null(report.proof_text)},
          {"definition_changed", report.definition_changed},
          {"checkpoint", report.checkpoint},
          {"columns", std::move(columns)},
          {"read_path", http::text_or_null(report.read_path)},
          {"write_path",
           {{"first_load", http::text_or_null(report.write_path.first_load)},
            {"usual", http::text_or_null(report.write_path.usual)}}},
          {"statements", report.statements},
          {"source_grants", report.source_grants},
          {"target_grants", report.target_grants}};
}

void show_check(Console& console, const CheckReport& report) {
  const bool good = report.problems.empty();
  console.print(fmt::format("{}: {}{}", report.job.text,
                            console.paint(good ? Tone::good : Tone::bad, good ? "ok" : "no"),
                            report.proof_text.empty() ? "" : ", proof: " + report.proof_text));
  for (const std::string& text : report.problems)
    console.print("  " + console.paint(Tone::bad, "problem") + "  " + text);
  for (const std::string& text : report.warnings)
    console.print("  " + console.paint(Tone::warning, "warning") + "  " + text);
  for (const std::string& text : report.notes)
    console.print("  note     " + text);
  if (report.definition_changed)
    console.print("  " + console.paint(Tone::warning, "warning") +
                  "  the stored checkpoint belongs to another definition: the job would halt; see "
                  "`tidemark accept`");
}

void show_plan(Console& console, const CheckReport& report) {
  Table table({{"SOURCE"}, {"TYPE"}, {"COLUMN"}, {"AS"}, {"TARGET TYPE"}, {"STEPS"}, {"FIDELITY"}});
  for (const ColumnPath& column : report.columns) {
    const Tone tone = column.fidelity == Fidelity::lossless ? Tone::good
                      : column.fidelity == Fidelity::lossy  ? Tone::warning
                                                            : Tone::bad;
    std::string fidelity = console.paint(tone, fidelity_text(column.fidelity));
    if (!column.reason.empty()) fidelity += ": " + column.reason;
    if (!column.note.empty()) fidelity += ", " + column.note;
    table.add({column.source_column, column.source_type, column.column, column.logical_type,
               column.target_type, fmt::format("{}", fmt::join(column.steps, ", ")), fidelity});
  }
  if (!table.empty()) console.print(table.text());
  const auto show = [&](std::string_view what, const std::string& path) {
    if (!path.empty()) console.print(fmt::format("{}: {}", what, path));
  };
  show("reads", report.read_path);
  show("first load", report.write_path.first_load);
  show("writes", report.write_path.usual);
  console.print(
      fmt::format("checkpoint: {}", report.checkpoint.empty() ? "unknown" : report.checkpoint));
  if (report.statements.empty()) return;
  console.print("the first run would execute:");
  for (const std::string& statement : report.statements)
    console.print("  " + statement + ";");
}

ExitStatus exit_status_of(const CheckedJob& job) noexcept {
  if (job.report.problems.empty()) return ExitStatus::done;
  return job.unreachable ? exit_status_of(*job.unreachable) : ExitStatus::config;
}

std::string systemd_drop_in(const Settings& settings) {
  std::set<std::string> writable, readable;
  for (const auto& [name, connection] : settings.connections) {
    if (connection.type != "sqlite") continue;
    std::error_code error;
    const auto path = std::filesystem::absolute(connection.path, error);
    // The directory, not the file: SQLite makes its journal beside it, for readers of WAL too.
    if (!error) writable.insert(path.parent_path().string());
  }
  if (writable.empty()) return {};
  std::string text = "[Service]\n";
  for (const std::string& path : writable) {
    text += "ReadWritePaths=" + path + "\n";
    if (path.rfind("/home/", 0) == 0 || path.rfind("/root", 0) == 0) readable.insert(path);
  }
  for (const std::string& path : readable)
    text += "BindPaths=" + path + "\n";
  if (!readable.empty()) text += "ProtectHome=tmpfs\n";
  return text;
}

}  // namespace tidemark
