#include <algorithm>
#include <set>
#include <utility>

#include "config/build.h"

namespace tidemark::config {
namespace {

SchemaChanges schema_changes(std::string_view text) {
  if (text == "fail") return SchemaChanges::fail;
  if (text == "add") return SchemaChanges::add;
  if (text == "evolve") return SchemaChanges::evolve;
  return SchemaChanges::report;
}

std::optional<TableName> build_table(const Item& item, const Building& building) {
  if (!item.usable()) return std::nullopt;
  std::optional<TableName> table = parse_table(item.text);
  if (!table)
    building.error(item, "is not \"name\" or \"schema.name\"",
                   "a part that holds a dot or a quote stands in double quotes");
  return table;
}

void build_source(const Item& item, JobSettings& job, const Building& building) {
  const Item& table = item["table"];
  const Item& query = item["query"];
  const Item& where = item["where"];
  job.source_connection = ConnectionName(item["connection"].text);
  job.source_table = build_table(table, building);
  if (query.usable()) job.source_query = query.text;
  if (where.usable()) job.source_where = where.text;
  if (!table.given() && !query.given()) building.error(item, "needs a table or a query");
  if (where.given() && query.given() && !table.given())
    building.error(where, "goes with a table, not with a query", "write it into the query");
}

void build_target(Item& item, JobSettings& job, const Building& building) {
  Item& write = item["write"];
  if (write.state == Item::State::absent) write.fill(job.mode == Mode::full ? "replace" : "upsert");
  job.write = write.text == "append"    ? WriteMode::append
              : write.text == "replace" ? WriteMode::replace
                                        : WriteMode::upsert;
  if (job.write == WriteMode::replace && job.mode == Mode::incremental)
    building.error(write, "replace needs mode full: a run of an incremental job reads only a part");
  if (job.write == WriteMode::append && job.mode == Mode::full)
    building.warning(write, "each run of a full job appends every row again");
  job.target_connection = ConnectionName(item["connection"].text);
  if (const auto table = build_table(item["table"], building)) job.target_table = *table;
  job.create = item["create"].text == "never" ? CreatePolicy::never : CreatePolicy::automatic;
  job.schema_changes = schema_changes(item["schema_changes"].text);
  for (auto& [column, constant] : item["scope"].dictionary())
    job.scope.emplace(column, constant);
  job.replace = item["replace"].text == "swap" ? ReplaceMethod::swap : ReplaceMethod::transaction;
  if (job.replace == ReplaceMethod::swap && !job.scope.empty())
    building.error(item["replace"], "swap changes the whole table, so it can't keep to a scope");
}

const ColumnRule* rule_of(const JobSettings& job, std::string_view column) {
  const auto found = std::find_if(job.columns.begin(), job.columns.end(),
                                  [&](const ColumnRule& rule) { return rule.column == column; });
  return found == job.columns.end() ? nullptr : &*found;
}

/// The source column that fills an output column.
std::string source_of(const JobSettings& job, const std::string& column) {
  const ColumnRule* rule = rule_of(job, column);
  return rule != nullptr && rule->from ? *rule->from : column;
}

void build_key(const Item& item, JobSettings& job, const Building& building) {
  std::set<std::string> seen;
  for (const Item& part : item.children) {
    if (!part.usable()) continue;
    const bool listed = part.name.empty();
    const std::string column = listed ? part.text : part.name;
    if (!seen.insert(column).second)
      building.error(part, "\"" + column + "\" stands twice in the key");
    job.key.push_back({.column = column, .source = listed ? source_of(job, column) : part.text});
  }
  if (item.usable() && item.children.empty())
    building.error(item, "the key has no columns", "leave it out for the table's primary key");
  const bool keyless = job.write == WriteMode::append || job.write == WriteMode::replace;
  if (!item.given() && job.source_query && !keyless)
    building.error(item, "required for a query: what makes a row one row?", "for example [id]");
}

void build_types(const Item& item, JobSettings& job, const Building& building) {
  for (const Item& entry : item.children) {
    if (!entry.usable()) continue;
    if (!names_database_type(entry.name))
      building.error(entry, "\"" + entry.name + "\" names no type of a database",
                     "\"mysql:tinyint(1)\": the connection's type, a colon, the type there");
    else
      job.types.emplace(entry.name, parse_type(entry.text));
  }
}

std::optional<FreshnessSettings> build_freshness(const Item& item, const Building& building) {
  if (!item.usable()) return std::nullopt;
  const Item& warn = item["warn"];
  FreshnessSettings freshness{.error = item["error"].duration()};
  if (warn.usable()) freshness.warn = warn.duration();
  if (freshness.warn && item["error"].usable() && *freshness.warn >= freshness.error)
    building.error(warn, "must be shorter than error, which is " + item["error"].text);
  return freshness;
}

RetrySettings build_retry(const Item& item, const Building& building) {
  RetrySettings retry;
  retry.initial = item["initial"].duration();
  retry.max = item["max"].duration();
  retry.multiplier = item["multiplier"].number();
  retry.jitter = item["jitter"].number();
  retry.attempts = static_cast<std::uint32_t>(item["attempts"].integer());
  const Item& probe = item["probe_halted"];
  retry.probe_halted =
      probe.text == "never" ? std::nullopt : std::optional<Duration>(probe.duration());
  if (item["initial"].usable() && item["max"].usable() && retry.initial > retry.max)
    building.error(item["initial"].given() ? item["initial"] : item["max"],
                   "the first delay is longer than the longest, " + item["initial"].text + " > " +
                       item["max"].text);
  return retry;
}

HookSettings build_hooks(const Item& item) {
  HookSettings hooks;
  hooks.before = item["before"].list();
  hooks.after = item["after"].list();
  const std::string& when = item["when"].text;
  hooks.when = when == "always"    ? HookWhen::always
               : when == "initial" ? HookWhen::initial
                                   : HookWhen::changed;
  hooks.timeout = item["timeout"].duration();
  hooks.on_error = item["on_error"].text == "warn" ? HookError::warn : HookError::fail;
  return hooks;
}

bool is_label(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name.front()) && !name.starts_with("__") &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void build_labels(const Item& item, JobSettings& job, const Building& building) {
  // What job_info and Prometheus themselves put on a series.
  static const std::set<std::string_view> taken{"name",   "job",    "instance", "mode",
                                                "source", "target", "write"};
  for (const Item& label : item.children) {
    if (!is_label(label.name))
      building.error(label, "\"" + label.name + "\" is no name for a label",
                     "letters, digits and _, no digit first");
    else if (taken.contains(label.name))
      building.error(label, "the label \"" + label.name + "\" is taken by the program");
    else if (label.usable())
      job.labels.emplace(label.name, label.text);
  }
}

void build_columns(const Item& item, JobSettings& job, const Building& building) {
  for (const Item& child : item.children)
    job.columns.push_back(build_column(child, building));
}

void build_cursor_of(Item& item, JobSettings& job, const Building& building) {
  Item& cursor = item["cursor"];
  if (job.mode == Mode::incremental) {
    if (!cursor.usable()) {
      if (!cursor.given() && item["mode"].usable())
        building.error(cursor, "required for mode incremental, and missing",
                       "for example {column: updated_at}");
      return;
    }
    const bool has_source = cursor["source"].usable();
    job.cursor = build_cursor(cursor, building);
    if (!has_source && cursor["column"].usable()) {
      job.cursor->source = source_of(job, job.cursor->column);
      cursor["source"].fill(job.cursor->source);
    }
    return;
  }
  // One that `defaults` gives to all jobs is meant for the incremental ones.
  const bool own = std::any_of(cursor.children.begin(), cursor.children.end(),
                               [](const Item& child) { return child.own(); });
  if (own && item["mode"].usable())
    building.error(cursor, "mode full has no cursor", "mode incremental, or take it out");
  cursor.state = Item::State::absent;
}

void check_columns(const Item& item, const JobSettings& job, const Building& building) {
  const auto gone = [&](const std::string& column) {
    return !keeps_column(job, source_of(job, column));
  };
  if (job.cursor && gone(job.cursor->column) && item["cursor"]["column"].usable())
    building.error(item["cursor"]["column"],
                   "the column \"" + job.cursor->column + "\" is left out by include or exclude");
  for (const Item& part : item["key"].children) {
    const std::string& column = part.name.empty() ? part.text : part.name;
    if (part.usable() && gone(column))
      building.error(part, "the column \"" + column + "\" is left out by include or exclude");
  }
  for (const Item& rule : item["columns"].children)
    if (gone(rule.name))
      building.error(rule, "the source column \"" + source_of(job, rule.name) +
                               "\" is left out by include or exclude");
}

void build_running(Item& item, JobSettings& job, const Building& building) {
  job.schedule = build_schedule(item["schedule"], building);
  Item& zone = item["schedule"]["timezone"];
  if (!zone.given() && !item["schedule"]["cron"].given()) zone.state = Item::State::absent;
  job.freshness = build_freshness(item["freshness"], building);
  job.batch_rows = static_cast<std::size_t>(item["batch"]["rows"].integer());
  job.batch_bytes = item["batch"]["bytes"].size();
  job.parallel = static_cast<std::uint32_t>(item["parallel"].integer());
  job.retry = build_retry(item["retry"], building);
  job.stall_timeout = item["stall_timeout"].duration();
  job.hooks = build_hooks(item["hooks"]);
  job.priority = static_cast<std::int32_t>(item["priority"].integer());
  build_labels(item["labels"], job, building);
  job.enabled = !item["enabled"].usable() || item["enabled"].boolean();
}

}  // namespace

JobSettings build_job(Item& item, const Building& building) {
  if (!is_name(item.name))
    building.error(item, "is no name for a job",
                   "up to 64 of a-z, 0-9, _, . and -, a letter or digit first");
  JobSettings job;
  job.name = JobName(item.name);
  job.mode = item["mode"].text == "full" ? Mode::full : Mode::incremental;
  job.initial = item["initial"].text == "skip" ? Initial::skip : Initial::load;
  job.include = item["include"].list();
  job.exclude = item["exclude"].list();
  build_columns(item["columns"], job, building);
  build_types(item["types"], job, building);
  build_source(item["source"], job, building);
  build_target(item["target"], job, building);
  build_key(item["key"], job, building);
  build_cursor_of(item, job, building);
  check_columns(item, job, building);
  build_running(item, job, building);
  return job;
}

}  // namespace tidemark::config
