#include "connector/sqlite/target.h"

#include <algorithm>
#include <filesystem>

#include "connector/sqlite/catalog.h"
#include "connector/sqlite/load.h"
#include "core/error.h"

namespace tidemark::sqlite {
namespace {

constexpr Duration longest_lock_wait = std::chrono::seconds(30);

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

TargetPlan checked(TargetPlan plan) {
  if (plan.problems.empty()) return plan;
  throw Error(
      {.kind = FailureKind::schema, .message = plan.problems.front(), .operation = "prepare"});
}

std::string write_path(const WriteSpec& spec) {
  switch (spec.write) {
    case WriteMode::upsert:
      return "prepared INSERT … ON CONFLICT of each row";
    case WriteMode::append:
      return "prepared INSERT of each row";
    case WriteMode::replace:
      return std::string("prepared INSERT of each row") + sql::into_staging_table;
  }
  return {};
}

}  // namespace

Duration lock_wait(const ConnectionSettings& settings) {
  return std::min(settings.stall_timeout, longest_lock_wait);
}

void pin_session(Connection& connection, const ConnectionSettings& settings, bool target) {
  if (target) {
    connection.execute("PRAGMA foreign_keys = ON");
    connection.execute("PRAGMA cache_size = -16000");
    // In WAL mode a power cut may take back the last commits, but rows and checkpoint go together,
    // and they are read again. Any other mode keeps the safe default.
    if (connection.execute("PRAGMA journal_mode").scalar() == "wal") {
      connection.execute("PRAGMA synchronous = NORMAL");
      connection.execute("PRAGMA wal_autocheckpoint = 50000");
    }
  }
  for (const std::string& statement : settings.init_sql)
    connection.execute(statement);
}

SqliteTarget::SqliteTarget(const ConnectionSettings& settings) : settings_(settings) {
  stands_in_ = !exists(settings_.path);
  open(stands_in_ ? Connection::Opening::memory : Connection::Opening::read_write);
}

void SqliteTarget::open(Connection::Opening opening) {
  auto opened = std::make_unique<Connection>(settings_.path, opening, lock_wait(settings_));
  pin_session(*opened, settings_, true);
  checkpoints_.reset();
  const std::lock_guard guard(replacing_);
  connection_ = std::move(opened);
  checkpoints_.emplace(*connection_, dialect_, "");
}

Connection& SqliteTarget::reading() {
  if (stands_in_ && exists(settings_.path)) return writing();
  connection_->start_work();
  return *connection_;
}

Connection& SqliteTarget::writing() {
  if (stands_in_) {
    open(Connection::Opening::create);
    stands_in_ = false;
  }
  connection_->start_work();
  return *connection_;
}

std::optional<sql::ExistingTable> SqliteTarget::existing(const TableName& table) {
  return describe_target(reading(), table);
}

std::optional<Target::TableDescription> SqliteTarget::describe(const TableName& table) {
  auto found = existing(table);
  if (!found) return std::nullopt;
  return std::move(found->description);
}

TargetPlan SqliteTarget::plan(const WriteSpec& spec) {
  TargetPlan plan = sql::plan_target(spec, existing(spec.table), dialect_);
  if (spec.replace == ReplaceMethod::swap)
    plan.problems.push_back(
        "target " + spec.table.display() +
        ": target.replace: swap gains nothing in SQLite, where a replacement locks "
        "the whole file either way: use transaction");
  if (plan.problems.empty()) plan.write_path.usual = write_path(spec);
  return plan;
}

TargetPlan SqliteTarget::prepare(const WriteSpec& spec) {
  writing();
  checkpoints_->ensure();
  TargetPlan planned = checked(plan(spec));
  if (planned.statements.empty()) return planned;
  // Looked at and changed under one lock, or two sessions would both make the table.
  WriteTransaction transaction(*connection_);
  planned = checked(plan(spec));
  for (const std::string& statement : planned.statements)
    connection_->execute(statement);
  transaction.commit();
  return planned;
}

Acquired SqliteTarget::acquire(const JobKey& job, const Holder& holder, const TableName&,
                               Duration lease) {
  writing();
  checkpoints_->ensure();
  return checkpoints_->acquire(job, holder, lease, "");
}

bool SqliteTarget::keep(const JobKey& job, const Holder& holder, const LeftBehind& left,
                        const TableName&, Duration lease) {
  writing();
  return checkpoints_->keep(job, holder, left, lease, "");
}

Acquired SqliteTarget::recover(const JobKey& job, const Holder& holder, const TableName&,
                               Duration lease) {
  writing();
  checkpoints_->ensure();
  return checkpoints_->recover(job, holder, lease, "");
}

void SqliteTarget::renew(const JobKey& job, std::int64_t fence, const TableName&, Duration lease) {
  writing();
  checkpoints_->renew(job, fence, lease);
}

void SqliteTarget::release(const JobKey& job, std::int64_t fence, const TableName&) {
  writing();
  checkpoints_->release(job, fence);
}

std::optional<Acquired> SqliteTarget::peek(const JobKey& job, const TableName&) {
  reading();
  return checkpoints_->peek(job);
}

std::vector<RangeRecord> SqliteTarget::ranges(const JobKey& job, const TableName&) {
  reading();
  return checkpoints_->ranges(job);
}

std::unique_ptr<Load> SqliteTarget::begin(const LoadSpec& spec) {
  Connection& connection = writing();
  auto found = describe_target(connection, spec.write.table);
  if (!found)
    throw Error({.kind = FailureKind::schema,
                 .message = "the table does not exist",
                 .operation = "write",
                 .table = spec.write.table.display(),
                 .hint = "Create it, or set target.create: auto."});
  return std::make_unique<SqliteLoad>(connection, *checkpoints_, spec, std::move(*found));
}

void SqliteTarget::run_hook(const std::string& statement, Duration timeout) {
  Connection& connection = writing();
  struct Limit {
    Connection& connection;
    ~Limit() { connection.no_limit(); }
  } limit{connection};
  connection.limit_until(std::chrono::steady_clock::now() + timeout);
  WriteTransaction transaction(connection);
  connection.execute(statement);
  transaction.commit();
}

WallTime SqliteTarget::now() {
  return WallTime(Duration(reading().now_micros()));
}

void SqliteTarget::cancel() noexcept {
  const std::lock_guard guard(replacing_);
  connection_->cancel();
}

}  // namespace tidemark::sqlite
