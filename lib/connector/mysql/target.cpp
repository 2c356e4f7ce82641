#include "connector/mysql/target.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <condition_variable>
#include <thread>

#include "connector/mysql/source.h"

namespace tidemark::mysql {
namespace {

constexpr unsigned unknown_database = 1049;

bool is_innodb(const std::string& engine) {
  return engine.size() == 6 &&
         std::equal(engine.begin(), engine.end(), "innodb",
                    [](unsigned char a, char b) { return std::tolower(a) == b; });
}

/// Ends a session's statement when its time is over, unless it is gone before.
class Deadline {
 public:
  Deadline(Session& session, Duration timeout)
      : watcher_([this, &session, timeout] {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, timeout, [this] { return over_; })) return;
          expired_ = true;
          session.interrupt();
        }) {}
  ~Deadline() { over(); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  /// Stops watching; says whether the time was over before.
  bool over() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    if (watcher_.joinable()) watcher_.join();
    return expired_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  bool expired_ = false;
  std::thread watcher_;  // last: it uses the others
};

/// The choices are made by WritePlan, which a run makes.
std::string write_path(const WriteSpec& spec, const std::optional<CatalogueTable>& table,
                       bool bulk) {
  const std::string rows =
      bulk ? "bulk binds of " : "lists of VALUES, as this server needs them, of ";
  if (spec.write == WriteMode::append) return rows + "INSERT";
  if (spec.write == WriteMode::replace) return rows + "INSERT" + sql::into_staging_table;
  const std::string why = table ? WritePlan::why_staged(*table, spec.key) : "";
  if (why.empty()) return rows + "INSERT … ON DUPLICATE KEY UPDATE";
  return rows + "INSERT into a temporary table, then UPDATE and INSERT by key: " + why;
}

}  // namespace

bool same_write(const WriteSpec& left, const WriteSpec& right) {
  return left.table == right.table && left.key == right.key && left.write == right.write &&
         left.scope == right.scope &&
         std::equal(left.columns.begin(), left.columns.end(), right.columns.begin(),
                    right.columns.end(), [](const TargetColumn& a, const TargetColumn& b) {
                      return a.column.name == b.column.name && a.column.type == b.column.type &&
                             a.lossy == b.lossy;
                    });
}

MysqlTarget::MysqlTarget(const ConnectionSettings& settings, bool bulk)
    : session_(settings, Role::target),
      dialect_(session_.flavor()),
      bulk_(bulk && session_.flavor().mariadb) {}

std::optional<Target::TableDescription> MysqlTarget::describe(const TableName& table) {
  const auto found = find_table(session_, table);
  if (!found) return std::nullopt;
  return existing_table(*found).description;
}

MysqlTarget::Planned MysqlTarget::look(const WriteSpec& spec) {
  Planned planned;
  planned.table = find_table(session_, spec.table);
  const std::string place = "target " + spec.table.display();
  if (planned.table) {
    const MysqlDialect dialect(session_.flavor(), attributes_of(*planned.table));
    planned.plan = sql::plan_target(spec, existing_table(*planned.table), dialect);
  } else {
    planned.plan = sql::plan_target(spec, std::nullopt, dialect_);
  }
  if (spec.replace == ReplaceMethod::swap)
    planned.plan.problems.push_back(
        place +
        ": target.replace: swap needs DDL within transactions, which this server has not: a crash "
        "could leave the swap without its checkpoint. Use transaction");
  if (!planned.table) return planned;
  if (planned.table->view)
    planned.plan.problems.push_back(place + " is a view: name a table in target.table");
  else if (!is_innodb(planned.table->engine))
    planned.plan.problems.push_back(
        place + " has the engine " + planned.table->engine +
        ", which knows no transactions: rows and checkpoint could not commit together. ALTER TABLE "
        "… ENGINE=InnoDB");
  else
    note_side_effects(planned, spec);
  return planned;
}

void MysqlTarget::note_side_effects(Planned& planned, const WriteSpec& spec) {
  const CatalogueTable& table = *planned.table;
  const std::string place = "target " + spec.table.display();
  const auto literal = [&](const std::string& text) {
    return dialect_.literal(Value::of(text_type(), text));
  };
  std::string names;
  for (const auto& row : session_
                             .execute("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE "
                                      "EVENT_OBJECT_SCHEMA = " +
                                      literal(table.name.schema) + " AND EVENT_OBJECT_TABLE = " +
                                      literal(table.name.name) + " ORDER BY TRIGGER_NAME")
                             .rows)
    names += (names.empty() ? "" : ", ") + row[0].value_or("");
  if (!names.empty())
    planned.plan.notes.push_back(place + " has triggers (" + names +
                                 "): they fire for each row that is written and may change it");
  for (const CatalogueColumn& column : table.columns) {
    const bool written =
        std::any_of(spec.columns.begin(), spec.columns.end(),
                    [&](const TargetColumn& one) { return one.column.name == column.name; });
    // A value that is written wins over the column's own ON UPDATE.
    if (written || column.extra.find("on update") == std::string::npos) continue;
    planned.plan.notes.push_back(place + ", column " + column.name +
                                 ": the server sets it at each update, the job does not write it");
  }
}

TargetPlan MysqlTarget::plan(const WriteSpec& spec) {
  Planned planned = look(spec);
  if (planned.plan.problems.empty())
    planned.plan.write_path.usual = write_path(spec, planned.table, bulk_);
  return std::move(planned.plan);
}

std::string MysqlTarget::metadata_schema(const TableName& table) const {
  const std::string& configured = session_.settings().metadata_schema;
  return configured.empty() ? table.schema : configured;
}

sql::CheckpointStore MysqlTarget::store(const TableName& table) {
  return {session_, dialect_, metadata_schema(table)};
}

void MysqlTarget::make_metadata(const TableName& table) {
  try {
    store(table).ensure();
  } catch (const Error& error) {
    const std::string schema = metadata_schema(table);
    if (schema.empty() || error.fields().code != std::to_string(unknown_database)) throw;
    session_.execute("CREATE DATABASE IF NOT EXISTS " + dialect_.quote(schema) +
                     " CHARACTER SET utf8mb4");
    store(table).ensure();
  }
}

TargetPlan MysqlTarget::prepare(const WriteSpec& spec) {
  write_plan_.reset();
  Planned planned = look(spec);
  if (!planned.plan.problems.empty())
    throw Error({.kind = FailureKind::schema,
                 .message = planned.plan.problems.front(),
                 .operation = "prepare"});
  make_metadata(spec.table);
  for (const std::string& statement : planned.plan.statements)
    session_.execute(statement);
  if (!planned.plan.statements.empty()) planned.table = find_table(session_, spec.table);
  open_write_plan(spec, planned);
  return planned.plan;
}

void MysqlTarget::open_write_plan(const WriteSpec& spec, const Planned& planned) {
  if (!planned.table)
    throw Error({.kind = FailureKind::schema,
                 .message = "the table does not exist",
                 .operation = "write",
                 .table = spec.table.display(),
                 .hint = "Run the job again: a table that has gone is looked for at its start."});
  write_plan_ = std::make_unique<WritePlan>(session_, dialect_, spec, *planned.table,
                                            sql::written_columns(spec, planned.plan), bulk_);
}

std::unique_ptr<Load> MysqlTarget::begin(const LoadSpec& spec) {
  session_.limit_idle_transactions(spec.lease);
  if (!write_plan_ || !same_write(write_plan_->spec(), spec.write))
    open_write_plan(spec.write, look(spec.write));
  return std::make_unique<MysqlLoad>(session_, dialect_, *write_plan_, store(spec.write.table),
                                     spec, metadata_schema(spec.write.table));
}

// --- Who holds a job

std::string MysqlTarget::backend() {
  const auto uptime = session_.execute("SHOW GLOBAL STATUS LIKE 'Uptime'");
  const auto now = session_.execute("SELECT UNIX_TIMESTAMP()");
  const std::int64_t start =
      std::stoll(now.scalar().value_or("0")) - std::stoll(uptime.rows.at(0).at(1).value_or("0"));
  return std::to_string(session_.thread_id()) + "." + std::to_string(start);
}

void MysqlTarget::end_session(const std::string& backend) noexcept {
  try {
    const auto parts = [](const std::string& text) {
      std::uint64_t thread = 0;
      std::int64_t start = 0;
      const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), thread);
      if (error == std::errc{} && at != text.data() + text.size())
        std::from_chars(at + 1, text.data() + text.size(), start);
      return std::pair(thread, start);
    };
    const auto [thread, start] = parts(backend);
    const auto [own_thread, own_start] = parts(this->backend());
    // Only a session of this login on the same run of the server: numbers come again.
    if (thread == 0 || thread == own_thread || std::abs(start - own_start) > 4) return;
    const auto same = session_.execute(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = " + std::to_string(thread) +
        " AND USER = SUBSTRING_INDEX(USER(), '@', 1)");
    if (!same.rows.empty()) session_.execute("KILL " + std::to_string(thread));
  } catch (const std::exception&) {
    // Best effort: the lock on the job's row is what is waited for.
  }
}

Acquired MysqlTarget::acquire(const JobKey& job, const Holder& holder, const TableName& table,
                              Duration lease) {
  session_.limit_idle_transactions(lease);
  // MariaDB ends an idle writer by itself when its lease is over, MySQL has no such limit.
  sql::CheckpointStore::EndSession end;
  if (!session_.flavor().mariadb) end = [this](const std::string& other) { end_session(other); };
  return store(table).acquire(job, holder, lease, backend(), end);
}

bool MysqlTarget::keep(const JobKey& job, const Holder& holder, const LeftBehind& left,
                       const TableName& table, Duration lease) {
  session_.limit_idle_transactions(lease);
  return store(table).keep(job, holder, left, lease, backend());
}

Acquired MysqlTarget::recover(const JobKey& job, const Holder& holder, const TableName& table,
                              Duration lease) {
  session_.limit_idle_transactions(lease);
  return store(table).recover(job, holder, lease, backend(),
                              [this](const std::string& other) { end_session(other); });
}

void MysqlTarget::renew(const JobKey& job, std::int64_t fence, const TableName& table,
                        Duration lease) {
  store(table).renew(job, fence, lease);
}

void MysqlTarget::release(const JobKey& job, std::int64_t fence, const TableName& table) {
  store(table).release(job, fence);
}

std::optional<Acquired> MysqlTarget::peek(const JobKey& job, const TableName& table) {
  return store(table).peek(job);
}

std::vector<RangeRecord> MysqlTarget::ranges(const JobKey& job, const TableName& table) {
  return store(table).ranges(job);
}

void MysqlTarget::run_hook(const std::string& statement, Duration timeout) {
  const Session::Activity activity(session_);
  session_.execute("START TRANSACTION");
  Deadline deadline(session_, timeout);
  std::optional<Error> failure;
  try {
    session_.execute(statement);
  } catch (const Error& error) {
    failure = error;
  } catch (...) {
    deadline.over();
    session_.rollback();
    throw;
  }
  // Some functions end early without an error when they are interrupted.
  const bool late = deadline.over();
  if (!late && !failure) return session_.commit();
  session_.rollback();
  if (!late) throw Error(*failure);
  throw Error({.kind = FailureKind::timeout,
               .message = "the hook did not end in time",
               .operation = "run a hook",
               .hint = "Raise hooks.timeout of the job, or make the statement faster.",
               .driver_text = failure ? failure->fields().driver_text : ""});
}

WallTime MysqlTarget::now() {
  return clock_of(session_);
}

}  // namespace tidemark::mysql
