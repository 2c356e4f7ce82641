#include "daemon/command/status_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "daemon/command/run_view.h"
#include "daemon/text.h"

namespace tidemark {
namespace {

std::string text_at(const Json& value, const char* name) {
  const auto found = value.find(name);
  return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string seconds_text(const Json& value, const char* name) {
  const auto found = value.find(name);
  if (found == value.end() || !found->is_number()) return "-";
  return span_text(Duration(static_cast<std::int64_t>(found->get<double>() * 1e6)));
}

/// "3m 20s ago", "in 12s".
std::string relative(const Json& value, const char* name, const std::optional<WallTime>& now) {
  const auto time = parse_time_text(text_at(value, name));
  if (!time || !now) return "-";
  return *time > *now ? "in " + span_text(*time - *now) : span_text(*now - *time) + " ago";
}

std::string state_text(const Console& console, const Json& job) {
  const std::string state = text_at(job, "state");
  const bool stale = job.value("stale", false);
  const bool bad = !job.value("healthy", true);
  const bool slow = state == "backoff" || state == "paused" || job.value("late", false) ||
                    job.value("degraded", false);
  std::string text = state;
  if (stale) text += ", stale";
  if (job.value("degraded", false)) text += ", degraded";
  return console.paint(bad ? Tone::bad : slow ? Tone::warning : Tone::good, text);
}

void print_fact(Console& console, std::string_view name, const std::string& value) {
  if (!value.empty() && value != "-") console.print(fmt::format("  {:<14}{}", name, value));
}

std::string endpoint(const Json& side) {
  const std::string table = text_at(side, "table");
  return text_at(side, "connection") + ":" + (table.empty() ? "(query)" : table);
}

void show_failure(Console& console, const Json& failure) {
  if (!failure.is_object()) return;
  print_fact(console, "failure", text_at(failure, "message"));
  print_fact(console, "kind",
             fmt::format("{} ({})", text_at(failure, "kind"), text_at(failure, "class")));
}

std::string remedy_of(const Json& job) {
  const std::string state = text_at(job, "state"), name = text_at(job, "name");
  const Json& failure = job["failure"];
  if (failure.is_object() && failure["hint"].is_string()) return text_at(failure, "hint");
  if (state == "halted") return fmt::format("Remove the cause, then `tidemark resume {}`.", name);
  if (state == "paused") return fmt::format("`tidemark resume {}` ends the pause.", name);
  if (state == "disabled") return "Set enabled: true in its configuration and reload.";
  if (state == "backoff") return "None needed: it is tried again by itself.";
  if (job.value("stale", false)) return fmt::format("See `tidemark history {}`.", name);
  return {};
}

}  // namespace

void show_status(Console& console, const Json& status) {
  const auto now = parse_time_text(text_at(status, "now"));
  console.print(
      fmt::format("tidemark {}, instance {}, pid {}, started {}, configuration generation {}",
                  text_at(status, "version"), text_at(status, "instance"), status.value("pid", 0),
                  relative(status, "started", now), status.value("generation", 0)));
  if (const Json& reload = status["last_reload"];
      reload.is_object() && text_at(reload, "result") == "rejected")
    console.warn("the last reload was refused: the configuration in force is older than the file");
  Table jobs({{"JOB"},
              {"STATE"},
              {"LAG", true},
              {"LAST SUCCESS", true},
              {"NEXT", true},
              {"ROWS", true},
              {"WHY"}});
  for (const Json& job : status["jobs"]) {
    const Json& last = job["last"];
    jobs.add({text_at(job, "name"), state_text(console, job),
              seconds_text(job["progress"], "lag_seconds"), relative(last, "success", now),
              job["run"].is_object() ? "now" : relative(job, "next_run", now),
              count_text(last["counts"].value("rows_read", std::uint64_t{0})),
              text_at(job, "reason")});
  }
  if (!jobs.empty()) console.print(jobs.text());
  Table connections({{"CONNECTION"}, {"UP"}, {"SERVER"}, {"TLS"}, {"BUSY", true}, {"IDLE", true}});
  for (const Json& connection : status["connections"]) {
    const Json& up = connection["up"];
    connections.add(
        {text_at(connection, "name"),
         !up.is_boolean() ? "-"
         : up.get<bool>() ? console.paint(Tone::good, "yes")
                          : console.paint(Tone::bad, "no"),
         or_dash(text_at(connection, "server_version")), or_dash(text_at(connection, "tls")),
         std::to_string(connection.value("busy", 0)), std::to_string(connection.value("idle", 0))});
  }
  if (!connections.empty()) console.print("\n" + connections.text());
}

void show_job(Console& console, const Json& job) {
  const Json &progress = job["progress"], &last = job["last"];
  console.print(fmt::format("{}: {}", text_at(job, "name"), state_text(console, job)));
  print_fact(console, "why", text_at(job, "reason"));
  print_fact(console, "path", endpoint(job["source"]) + " -> " + endpoint(job["target"]));
  print_fact(console, "mode", text_at(job, "mode") + ", " + text_at(job, "write"));
  print_fact(console, "proof", text_at(progress, "proof"));
  print_fact(console, "lag", seconds_text(progress, "lag_seconds"));
  print_fact(console, "reached", text_at(progress, "reached"));
  print_fact(console, "settled", text_at(progress, "settled"));
  print_fact(console, "blocked since", text_at(progress, "blocked_since"));
  for (const Json& blocker : progress["blockers"])
    print_fact(
        console, "blocked by",
        fmt::format("{} {} of {}, {} old", text_at(blocker, "kind"), text_at(blocker, "id"),
                    or_dash(text_at(blocker, "user")), seconds_text(blocker, "age_seconds")));
  print_fact(console, "lookback", text_at(progress, "lookback"));
  print_fact(console, "broken", text_at(progress, "broken"));
  for (const Json& drift : progress["drift"])
    print_fact(console, "drift", drift.get<std::string>());
  if (job["run"].is_object()) print_fact(console, "running", run_progress_line(job));
  print_fact(console, "next run", text_at(job, "next_run"));
  print_fact(console, "last success", text_at(last, "success"));
  if (!text_at(last, "result").empty())
    print_fact(console, "last run",
               fmt::format("{} in {}: {}", text_at(last, "result"), seconds_text(last, "seconds"),
                           changes_text(last["counts"])));
  print_fact(console, "deadline", text_at(job, "deadline"));
  print_fact(console, "held by", text_at(job, "held_by"));
  if (const Json& pause = job["pause"]; pause.is_object())
    print_fact(console, "paused",
               fmt::format("by {} until {}: {}", or_dash(text_at(pause, "by")),
                           text_at(pause, "until").empty() ? std::string("resumed")
                                                           : text_at(pause, "until"),
                           or_dash(text_at(pause, "reason"))));
  show_failure(console, job["failure"]);
}

void show_list(Console& console, const Json& status) {
  const auto now = parse_time_text(text_at(status, "now"));
  std::vector<Json> jobs(status["jobs"].begin(), status["jobs"].end());
  // As text these times sort as they follow each other; jobs without one come last.
  std::stable_sort(jobs.begin(), jobs.end(), [](const Json& left, const Json& right) {
    const std::string one = text_at(left, "next_run"), other = text_at(right, "next_run");
    return !one.empty() && (other.empty() || one < other);
  });
  Table table({{"NEXT"}, {"LEFT", true}, {"LAST"}, {"PASSED", true}, {"STATE"}, {"JOB"}});
  for (const Json& job : jobs)
    table.add({or_dash(text_at(job, "next_run")), relative(job, "next_run", now),
               or_dash(text_at(job["last"], "started")), relative(job["last"], "started", now),
               state_text(console, job), text_at(job, "name")});
  console.print(table.text());
}

void show_why(Console& console, const Json& job) {
  console.print(
      fmt::format("{} is {}{}", text_at(job, "name"), state_text(console, job),
                  text_at(job, "since").empty() ? "" : " since " + text_at(job, "since")));
  print_fact(console, "cause", text_at(job, "reason"));
  print_fact(console, "broken", text_at(job["progress"], "broken"));
  for (const Json& drift : job["progress"]["drift"])
    print_fact(console, "drift", drift.get<std::string>());
  show_failure(console, job["failure"]);
  for (const Json& name : job["waits_for"])
    print_fact(console, "waits for", name.get<std::string>());
  print_fact(console, "held by", text_at(job, "held_by"));
  print_fact(console, "next try", text_at(job, "next_run"));
  print_fact(console, "remedy", remedy_of(job));
}

void show_history(Console& console, const Json& history) {
  Table table(
      {{"STARTED"}, {"TOOK", true}, {"RESULT"}, {"BY"}, {"READ", true}, {"CHANGES"}, {"FAILURE"}});
  for (const Json& run : history["runs"]) {
    const Json& failure = run["failure"];
    table.add(
        {text_at(run, "started"), seconds_text(run, "seconds"), text_at(run, "result"),
         text_at(run, "trigger"), count_text(run["counts"].value("rows_read", std::uint64_t{0})),
         changes_text(run["counts"]), failure.is_object() ? text_at(failure, "message") : ""});
  }
  if (table.empty())
    console.say("no run of this job is remembered");
  else
    console.print(table.text());
}

}  // namespace tidemark
