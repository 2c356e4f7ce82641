#include "state/records.h"

#include <initializer_list>
#include <nlohmann/json.hpp>

namespace tidemark::state {
namespace {

using nlohmann::json;

std::int64_t micros(WallTime time) {
  return time.time_since_epoch().count();
}
WallTime wall_time(std::int64_t micros) {
  return WallTime(Duration(micros));
}

/// The enumerator of this name; `fallback` for a name of another version.
template <class Enum>
Enum parse(std::string_view name, Enum last, Enum fallback) {
  for (int value = 0; value <= static_cast<int>(last); ++value)
    if (to_string(static_cast<Enum>(value)) == name) return static_cast<Enum>(value);
  return fallback;
}

json to_json(const Failure& failure) {
  return {{"kind", to_string(failure.kind)},
          {"message", failure.message},
          {"code", failure.code},
          {"table", failure.table},
          {"column", failure.column},
          {"hint", failure.hint},
          {"key_hash", failure.key_hash},
          {"needs_person", failure.needs_person},
          {"remedy", failure.remedy}};
}

Failure failure_from(const json& from) {
  Failure failure;
  failure.kind = parse(from.value("kind", ""), FailureKind::internal, FailureKind::internal);
  failure.message = from.value("message", "");
  failure.code = from.value("code", "");
  failure.table = from.value("table", "");
  failure.column = from.value("column", "");
  failure.hint = from.value("hint", "");
  failure.key_hash = from.value("key_hash", "");
  failure.needs_person = from.value("needs_person", false);
  failure.remedy = from.value("remedy", "");
  return failure;
}

template <class Number>
struct Member {
  const char* name;
  Number value;
};

/// Members that are not 0: most are, in most runs.
template <class Number>
json without_zeros(std::initializer_list<Member<Number>> members) {
  json object = json::object();
  for (const auto& [name, value] : members)
    if (value != 0) object.emplace(name, value);
  return object;
}

json to_json(const RunCounts& counts) {
  return without_zeros<std::uint64_t>({{"rows_read", counts.rows_read},
                                       {"bytes_read", counts.bytes_read},
                                       {"rows_settle_read", counts.rows_settle_read},
                                       {"rows_filtered", counts.rows_filtered},
                                       {"rows_rejected", counts.rows_rejected},
                                       {"inserted", counts.written.inserted},
                                       {"updated", counts.written.updated},
                                       {"deleted", counts.written.deleted},
                                       {"unchanged", counts.written.unchanged},
                                       {"bytes_written", counts.bytes_written},
                                       {"batches", counts.batches},
                                       {"late_rows", counts.late_rows},
                                       {"retries", counts.retries}});
}

RunCounts counts_from(const json& from) {
  const auto number = [&](const char* name) { return from.value(name, std::uint64_t{0}); };
  RunCounts counts;
  counts.rows_read = number("rows_read");
  counts.bytes_read = number("bytes_read");
  counts.rows_settle_read = number("rows_settle_read");
  counts.rows_filtered = number("rows_filtered");
  counts.rows_rejected = number("rows_rejected");
  counts.written = {.inserted = number("inserted"),
                    .updated = number("updated"),
                    .deleted = number("deleted"),
                    .unchanged = number("unchanged")};
  counts.bytes_written = number("bytes_written");
  counts.batches = number("batches");
  counts.late_rows = number("late_rows");
  counts.retries = number("retries");
  return counts;
}

json to_json(const PhaseTimes& phases) {
  return without_zeros<std::int64_t>({{"connect", phases.connect.count()},
                                      {"read", phases.read.count()},
                                      {"transform", phases.transform.count()},
                                      {"write", phases.write.count()},
                                      {"commit", phases.commit.count()},
                                      {"wait", phases.wait.count()}});
}

PhaseTimes phases_from(const json& from) {
  const auto span = [&](const char* name) { return Duration(from.value(name, std::int64_t{0})); };
  return {.connect = span("connect"),
          .read = span("read"),
          .transform = span("transform"),
          .write = span("write"),
          .commit = span("commit"),
          .wait = span("wait")};
}

std::string details_of(const RunRecord& record) {
  json details{{"counts", to_json(record.counts)},
               {"phases", to_json(record.phases)},
               {"took", record.took.count()},
               {"clock_skew", record.clock_skew.count()}};
  if (record.failure) details["failure"] = to_json(*record.failure);
  if (!record.held_by.empty()) details["held_by"] = record.held_by;
  if (record.lag) details["lag"] = record.lag->count();
  if (record.fresh_as_of) details["fresh_as_of"] = micros(*record.fresh_as_of);
  if (record.read_as_of) details["read_as_of"] = micros(*record.read_as_of);
  return details.dump(-1, ' ', false, json::error_handler_t::replace);
}

void read_details(const json& details, RunRecord& record) {
  const auto number = [&](const char* name) -> std::optional<std::int64_t> {
    const auto found = details.find(name);
    if (found == details.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  };
  if (const auto found = details.find("failure"); found != details.end())
    record.failure = failure_from(*found);
  record.counts = counts_from(details.value("counts", json::object()));
  record.phases = phases_from(details.value("phases", json::object()));
  record.held_by = details.value("held_by", "");
  record.took = Duration(number("took").value_or(0));
  record.clock_skew = Duration(number("clock_skew").value_or(0));
  if (const auto lag = number("lag")) record.lag = Duration(*lag);
  if (const auto time = number("fresh_as_of")) record.fresh_as_of = wall_time(*time);
  if (const auto time = number("read_as_of")) record.read_as_of = wall_time(*time);
}

constexpr std::string_view run_columns =
    "run.id, run_id, run.job, trigger, started, ended, result, details";

RunRecord run_from(const Statement& row) {
  RunRecord record;
  record.id = row.integer(0);
  record.run_id = row.text(1);
  record.job = JobName(std::string(row.text(2)));
  record.trigger = parse(row.text(3), Trigger::resume, Trigger::schedule);
  record.started = wall_time(row.integer(4));
  record.ended = wall_time(row.integer(5));
  record.result = parse(row.text(6), RunResult::held, RunResult::failed);
  try {
    read_details(json::parse(row.text(7)), record);
  } catch (const json::exception&) {
    // A row that another version wrote: its times and its result still count.
  }
  return record;
}

std::string sql(std::string_view before, std::string_view columns, std::string_view after) {
  return std::string(before).append(columns).append(after);
}

}  // namespace

void insert_run(Database& database, const RunRecord& record) {
  database
      .prepare_once(
          "INSERT INTO run (run_id, job, trigger, started, ended, result, details)"
          " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(0, record.run_id)
      .bind(1, record.job.text)
      .bind(2, to_string(record.trigger))
      .bind(3, micros(record.started))
      .bind(4, micros(record.ended))
      .bind(5, to_string(record.result))
      .bind(6, details_of(record))
      .run();
}

void prune_runs(Database& database, const JobName& job, std::size_t keep) {
  // The newest success stays, however many failures came after it.
  database
      .prepare_once(
          "DELETE FROM run WHERE job = ?1"
          " AND id <= (SELECT id FROM run WHERE job = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"
          " AND id IS NOT (SELECT max(id) FROM run"
          "                WHERE job = ?1 AND result IN ('success', 'partial'))")
      .bind(0, job.text)
      .bind(1, static_cast<std::int64_t>(keep))
      .run();
}

std::vector<RunRecord> select_history(Database& database, const JobName& job, std::size_t limit,
                                      std::optional<std::int64_t> before) {
  Statement rows =
      database.prepare(sql("SELECT ", run_columns,
                           " FROM run WHERE job = ? AND id < coalesce(?, 9223372036854775807)"
                           " ORDER BY id DESC LIMIT ?"));
  rows.bind(0, job.text).bind(1, before).bind(2, static_cast<std::int64_t>(limit));
  std::vector<RunRecord> records;
  while (rows.step())
    records.push_back(run_from(rows));
  return records;
}

namespace {

enum class Newest { any, succeeded };

std::map<JobName, RunRecord> select_newest(Database& database, Newest which) {
  Statement rows = database.prepare(
      sql("SELECT ", run_columns,
          which == Newest::succeeded ? " FROM run JOIN (SELECT job, max(id) AS id FROM run"
                                       " WHERE result IN ('success', 'partial') GROUP BY job)"
                                       " AS newest ON newest.id = run.id"
                                     : " FROM run JOIN (SELECT job, max(id) AS id FROM run"
                                       " GROUP BY job) AS newest ON newest.id = run.id"));
  std::map<JobName, RunRecord> records;
  while (rows.step()) {
    RunRecord record = run_from(rows);
    JobName job = record.job;
    records.emplace(std::move(job), std::move(record));
  }
  return records;
}

}  // namespace

std::map<JobName, JobHistory> select_job_history(Database& database) {
  std::map<JobName, JobHistory> all;
  for (const auto& [job, run] : select_newest(database, Newest::any)) {
    JobHistory& history = all[job];
    history.last_start = run.started;
    history.last_end = run.ended;
    history.last_result = run.result;
    history.last_took = run.took;
    if (!run.failure) continue;
    history.last_failure_kind = run.failure->kind;
    history.last_failure = run.failure->message;
  }
  for (const auto& [job, run] : select_newest(database, Newest::succeeded))
    all[job].last_success = run.ended;
  Statement failures = database.prepare(
      "SELECT run.job, count(*) FROM run"
      " LEFT JOIN (SELECT job, max(id) AS id FROM run WHERE result IN ('success', 'partial')"
      "            GROUP BY job) AS good ON good.job = run.job"
      " WHERE run.result = 'failed' AND run.id > coalesce(good.id, 0) GROUP BY run.job");
  while (failures.step())
    all[JobName(std::string(failures.text(0)))].consecutive_failures =
        static_cast<std::uint32_t>(failures.integer(1));
  return all;
}

std::map<JobName, Progress> select_progress(Database& database) {
  std::map<JobName, Progress> all;
  for (const Newest which : {Newest::any, Newest::succeeded})
    for (const auto& [job, run] : select_newest(database, which)) {
      if (!run.fresh_as_of && !run.read_as_of) continue;
      Progress progress;
      progress.fresh_as_of = run.fresh_as_of;
      progress.read_as_of = run.read_as_of;
      progress.clock_skew = run.clock_skew;
      all.emplace(job, std::move(progress));  // the newer one, which came first, stays
    }
  return all;
}

void delete_job(Database& database, const JobName& job) {
  database.prepare("DELETE FROM run WHERE job = ?").bind(0, job.text).run();
  delete_pause(database, job);
}

void upsert_pause(Database& database, const Pause& pause) {
  std::optional<std::int64_t> until;
  if (pause.until) until = micros(*pause.until);
  database
      .prepare(
          "INSERT OR REPLACE INTO pause (job, since, until, reason, paused_by)"
          " VALUES (?, ?, ?, ?, ?)")
      .bind(0, pause.job.text)
      .bind(1, micros(pause.since))
      .bind(2, until)
      .bind(3, pause.reason)
      .bind(4, pause.by)
      .run();
}

void delete_pause(Database& database, const JobName& job) {
  database.prepare("DELETE FROM pause WHERE job = ?").bind(0, job.text).run();
}

std::map<JobName, Pause> select_pauses(Database& database) {
  Statement rows = database.prepare("SELECT job, since, until, reason, paused_by FROM pause");
  std::map<JobName, Pause> pauses;
  while (rows.step()) {
    Pause pause{.job = JobName(std::string(rows.text(0))), .since = wall_time(rows.integer(1))};
    if (!rows.is_null(2)) pause.until = wall_time(rows.integer(2));
    pause.reason = rows.text(3);
    pause.by = rows.text(4);
    pauses.emplace(pause.job, pause);
  }
  return pauses;
}

void insert_audit(Database& database, const AuditRecord& record, std::size_t keep) {
  database.prepare("INSERT INTO audit (at, actor, action, object, result) VALUES (?, ?, ?, ?, ?)")
      .bind(0, micros(record.at))
      .bind(1, record.actor)
      .bind(2, record.action)
      .bind(3, record.object)
      .bind(4, record.result)
      .run();
  database.prepare("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?")
      .bind(0, static_cast<std::int64_t>(keep))
      .run();
}

std::vector<AuditRecord> select_audit(Database& database, std::size_t limit,
                                      std::optional<std::int64_t> before) {
  Statement rows = database.prepare(
      "SELECT id, at, actor, action, object, result FROM audit"
      " WHERE id < coalesce(?, 9223372036854775807) ORDER BY id DESC LIMIT ?");
  rows.bind(0, before).bind(1, static_cast<std::int64_t>(limit));
  std::vector<AuditRecord> records;
  while (rows.step()) {
    AuditRecord record;
    record.id = rows.integer(0);
    record.at = wall_time(rows.integer(1));
    record.actor = rows.text(2);
    record.action = rows.text(3);
    record.object = rows.text(4);
    record.result = rows.text(5);
    records.push_back(std::move(record));
  }
  return records;
}

Secret select_key(Database& database) {
  Statement row = database.prepare("SELECT value FROM meta WHERE name = 'hmac_key'");
  return row.step() ? Secret(std::string(row.text(0))) : Secret();
}

void insert_key(Database& database, const Secret& key) {
  database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('hmac_key', ?)")
      .bind_blob(0, key.reveal().data(), key.reveal().size())
      .run();
}

}  // namespace tidemark::state
