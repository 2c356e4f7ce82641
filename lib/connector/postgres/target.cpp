#include "connector/postgres/target.h"

#include <algorithm>

#include "connector/postgres/dialect.h"
#include "connector/postgres/horizon.h"
#include "connector/postgres/late_key.h"
#include "connector/postgres/natives.h"
#include "connector/postgres/surroundings.h"
#include "connector/postgres/swap.h"
#include "connector/sql/target_planner.h"

namespace tidemark::postgres {
namespace {

bool same_columns(const WriteSpec& left, const WriteSpec& right) {
  return std::equal(left.columns.begin(), left.columns.end(), right.columns.begin(),
                    right.columns.end(), [](const TargetColumn& a, const TargetColumn& b) {
                      return a.column.name == b.column.name && a.column.type == b.column.type &&
                             a.lossy == b.lossy && a.native_type == b.native_type;
                    });
}

bool same(const WriteSpec& left, const WriteSpec& right) {
  return left.table == right.table && left.key == right.key && left.write == right.write &&
         left.scope == right.scope && left.schema_changes == right.schema_changes &&
         same_columns(left, right);
}

template <class Work>
auto in_context(std::string_view operation, const std::string& table, Work&& work) {
  try {
    return work();
  } catch (Error& error) {
    throw Error(error.with_context(operation, table));
  }
}

/// The choices are made in load.cpp.
WritePath write_path(const WriteSpec& spec, bool key_pending) {
  std::string as_text;
  for (const TargetColumn& column : spec.columns)
    if (column.column.type.kind == TypeKind::native)
      as_text += (as_text.empty() ? "" : ", ") + column.column.name;
  const std::string staged = "binary COPY into a temporary table, ";
  const std::string why = as_text.empty() ? "" : " (the server reads " + as_text + " as text)";
  switch (spec.write) {
    case WriteMode::upsert:
      return {.first_load =
                  !as_text.empty() ? ""
                  : key_pending
                      ? "binary COPY of key ranges into the new table, whose key is built last"
                      : "binary COPY of key ranges into the table, until a row is there already",
              .usual = staged + "then INSERT … ON CONFLICT in key order" + why};
    case WriteMode::append:
      return {.usual =
                  as_text.empty() ? "binary COPY into the table" : staged + "then INSERT" + why};
    case WriteMode::replace:
      if (spec.replace == ReplaceMethod::swap)
        return {.usual = "binary COPY into a table that takes the other's place" + why};
      return {.usual = std::string("binary COPY") + sql::into_staging_table + why};
  }
  return {};
}

}  // namespace

PostgresTarget::PostgresTarget(const ConnectionSettings& settings, std::shared_ptr<Shared> shared)
    : settings_(settings),
      shared_(std::move(shared)),
      connection_(settings, Role::target, shared_->watchdog) {}

std::optional<Target::TableDescription> PostgresTarget::describe(const TableName& table) {
  return in_context("describe", table.display(), [&]() -> std::optional<Target::TableDescription> {
    const auto facts = find_table(connection_, table);
    if (!facts) return std::nullopt;
    return describe_table(*facts);
  });
}

/// Knows which of the job's native types this database lacks.
PostgresDialect PostgresTarget::dialect_for(const WriteSpec& spec) {
  std::string names;
  for (const TargetColumn& column : spec.columns) {
    const std::string_view own = own_name(column.column.type);
    if (own.empty() || !held_as_text(own).empty()) continue;
    names += (names.empty() ? "" : ", ") + PostgresDialect::quote_text(own);
  }
  std::set<std::string> absent;
  if (!names.empty())
    for (const Row row : connection_.query("SELECT name FROM unnest(ARRAY[" + names +
                                           "]) AS name WHERE to_regtype(name) IS NULL"))
      absent.insert(row[0].c_str());
  return PostgresDialect(std::move(absent));
}

TargetPlan PostgresTarget::plan_of(const WriteSpec& spec, const std::optional<TableFacts>& facts) {
  const PostgresDialect dialect = dialect_for(spec);
  std::optional<sql::ExistingTable> existing;
  if (facts) existing = existing_table(*facts, spec);
  const bool pending = existing && facts->key_pending && !sql::is_unique_key(*existing, spec.key);
  if (pending) existing->unique_indexes.push_back(spec.key);
  TargetPlan plan = sql::plan_target(spec, existing, dialect);
  plan.key_pending = facts && facts->key_pending;
  if (!facts && spec.key_last && spec.write == WriteMode::upsert && !plan.statements.empty()) {
    plan.statements = make_without_key(spec, dialect);
    plan.key_pending = true;
  }
  const std::string name = "target " + spec.table.display();
  if (pending)
    plan.notes.push_back(name +
                         ": a first load is under way, or was cut short; its key comes at the end");
  if (facts && facts->kind != 'r' && facts->kind != 'p')
    plan.problems.push_back(name + ": it is a view or a foreign table: name the table behind it");
  if (facts) {
    const Surroundings around = look_around(connection_, *facts, spec);
    plan.problems.insert(plan.problems.end(), around.problems.begin(), around.problems.end());
    plan.notes.insert(plan.notes.end(), around.notes.begin(), around.notes.end());
  }
  if (plan.problems.empty()) plan.write_path = write_path(spec, plan.key_pending);
  if (spec.write != WriteMode::replace) return plan;
  if (!facts && !plan.statements.empty()) plan.statements.push_back(mark_as_made(spec.table));
  if (facts && spec.replace == ReplaceMethod::swap) {
    const std::string obstacle = swap_obstacle(connection_, spec.table);
    if (!obstacle.empty())
      plan.problems.push_back(name + ": target.replace: swap is not possible: " + obstacle +
                              "; use transaction");
  }
  return plan;
}

TargetPlan PostgresTarget::plan(const WriteSpec& spec) {
  return in_context("plan", spec.table.display(),
                    [&] { return plan_of(spec, find_table(connection_, spec.table)); });
}

TargetPlan PostgresTarget::prepare(const WriteSpec& spec) {
  return in_context("prepare", spec.table.display(), [&] {
    TargetPlan plan = plan_of(spec, find_table(connection_, spec.table));
    if (!plan.problems.empty())
      throw Error({.kind = FailureKind::schema, .message = plan.problems.front()});
    make_metadata(spec.table);
    if (!plan.statements.empty()) {
      connection_.execute(dialect().begin());
      try {
        for (const std::string& statement : plan.statements)
          connection_.execute_for(statement, spec.table.display());
        connection_.commit();
      } catch (...) {
        connection_.rollback();
        throw;
      }
    }
    written_.reset();
    return plan;
  });
}

std::string PostgresTarget::metadata_schema(const TableName& table) const {
  return settings_.metadata_schema.empty() ? table.schema : settings_.metadata_schema;
}

void PostgresTarget::make_metadata(const TableName& table) {
  const std::string schema = metadata_schema(table);
  // Asked first: CREATE SCHEMA IF NOT EXISTS wants the right to create even where it does nothing.
  const auto missing = [&] {
    return connection_
        .query("SELECT 1 FROM pg_namespace WHERE nspname = " + PostgresDialect::quote_text(schema))
        .empty();
  };
  if (!schema.empty() && schema == settings_.metadata_schema && missing()) {
    try {
      connection_.execute("CREATE SCHEMA IF NOT EXISTS " + dialect().quote(schema));
    } catch (const Error&) {
      // Jobs that start together make it together, and IF NOT EXISTS does not cover that.
      if (missing()) throw;
    }
  }
  store(table).ensure();
}

sql::CheckpointStore& PostgresTarget::store(const TableName& table) {
  const std::string schema = metadata_schema(table);
  return stores_.try_emplace(schema, connection_, dialect(), schema).first->second;
}

void PostgresTarget::end_session(const std::string& session) {
  const std::size_t colon = session.find(':');
  if (colon == std::string::npos) return;
  try {
    // The start tells the session from a later one with the same pid. Waiting up to a second spares
    // whoever locks the row next the wait for the rollback.
    connection_.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE pid::text = " +
        PostgresDialect::quote_text(session.substr(0, colon)) + " AND " + micros("backend_start") +
        "::text = " + PostgresDialect::quote_text(session.substr(colon + 1)));
  } catch (const Error&) {
    // Best effort: without the right to end it, its transaction is waited for.
    if (!connection_.usable()) throw;
  }
}

Acquired PostgresTarget::acquire(const JobKey& job, const Holder& holder, const TableName& table,
                                 Duration lease) {
  return in_context("acquire", table.display(), [&] {
    // A holder whose lease ran out is not ended: its idle transactions end by themselves after the
    // lease, and what it still writes fails at the fence.
    return store(table).acquire(job, holder, lease, connection_.session_id());
  });
}

bool PostgresTarget::keep(const JobKey& job, const Holder& holder, const LeftBehind& left,
                          const TableName& table, Duration lease) {
  return in_context("keep", table.display(), [&] {
    return store(table).keep(job, holder, left, lease, connection_.session_id());
  });
}

Acquired PostgresTarget::recover(const JobKey& job, const Holder& holder, const TableName& table,
                                 Duration lease) {
  return in_context("recover", table.display(), [&] {
    return store(table).recover(job, holder, lease, connection_.session_id(),
                                [&](const std::string& session) { end_session(session); });
  });
}

void PostgresTarget::renew(const JobKey& job, std::int64_t fence, const TableName& table,
                           Duration lease) {
  in_context("renew the lease of", table.display(), [&] { store(table).renew(job, fence, lease); });
}

void PostgresTarget::release(const JobKey& job, std::int64_t fence, const TableName& table) {
  in_context("release", table.display(), [&] { store(table).release(job, fence); });
}

std::optional<Acquired> PostgresTarget::peek(const JobKey& job, const TableName& table) {
  return in_context("read the checkpoint of", table.display(),
                    [&] { return store(table).peek(job); });
}

std::vector<RangeRecord> PostgresTarget::ranges(const JobKey& job, const TableName& table) {
  return in_context("read the key ranges of", table.display(),
                    [&] { return store(table).ranges(job); });
}

WrittenTable& PostgresTarget::written(const WriteSpec& spec) {
  if (written_ && same(written_->spec, spec)) return *written_;
  written_.reset();
  const TableFacts facts = require_table(connection_, spec.table);
  const sql::ExistingTable existing = existing_table(facts, spec);
  const TargetPlan plan = plan_of(spec, facts);
  if (!plan.problems.empty())
    throw Error({.kind = FailureKind::schema, .message = plan.problems.front()});
  const Surroundings around = look_around(connection_, facts, spec);
  WrittenTable table{.spec = spec, .columns = {}, .not_null = {}, .replace_key = {}};
  table.partitioned = facts.kind == 'p';
  table.key_pending = facts.key_pending && !sql::is_unique_key(existing, spec.key);
  table.deferrable = around.deferrable;
  table.acts_on_delete = around.acts_on_delete;
  if (sql::is_unique_key(existing, spec.key)) table.replace_key = spec.key;
  for (const auto& index : facts.unique_indexes)
    if (!std::is_permutation(index.begin(), index.end(), spec.key.begin(), spec.key.end()))
      table.other_unique.push_back(index);
  const std::size_t of_key = facts.unique_indexes.size() - table.other_unique.size();
  table.meets_elsewhere = !spec.key.empty() && facts.immediate_indexes > of_key;
  for (const TableColumn& column : facts.columns)
    if (column.generated == '\0') table.all_columns.push_back(column.name);
  for (const TargetColumn& column : sql::written_columns(spec, plan)) {
    const TableColumn* there = facts.column(column.column.name);
    if (there == nullptr)
      throw Error({.kind = FailureKind::schema,
                   .message = "the target has no such column (any more)",
                   .column = column.column.name});
    const auto at = std::find_if(spec.columns.begin(), spec.columns.end(), [&](const auto& one) {
      return one.column.name == column.column.name;
    });
    EncodedColumn written{.name = there->name,
                          .index = static_cast<std::size_t>(at - spec.columns.begin()),
                          .wire = there->wire,
                          .lossy = column.lossy};
    const bool text = column.column.type.kind == TypeKind::native && !is_text(there->wire);
    if (text || !logical_type(there->wire)) {
      written.native = there->base_name;
      if (there->native_name != there->base_name) written.domain = there->native_name;
      written.wire = {oid::text, -1};
    }
    table.columns.push_back(std::move(written));
    if (there->not_null) table.not_null.push_back(there->name);
  }
  written_ = std::move(table);
  return *written_;
}

void PostgresTarget::set_lease(Duration lease) {
  if (lease == lease_) return;
  const auto milliseconds = std::max<std::int64_t>(
      1000, std::chrono::duration_cast<std::chrono::milliseconds>(lease).count());
  connection_.execute("SET idle_in_transaction_session_timeout = " + std::to_string(milliseconds));
  lease_ = lease;
}

std::unique_ptr<Load> PostgresTarget::begin(const LoadSpec& spec) {
  return in_context("begin", spec.write.table.display(), [&]() -> std::unique_ptr<Load> {
    set_lease(spec.lease);
    LoadSession session{.connection = connection_,
                        .table = written(spec.write),
                        .checkpoints = store(spec.write.table),
                        .spec = spec,
                        .staging_schema = metadata_schema(spec.write.table),
                        .doubt = [this] { written_.reset(); }};
    if (spec.write.write == WriteMode::replace)
      return std::make_unique<ReplaceLoad>(std::move(session));
    return std::make_unique<TransactionLoad>(std::move(session));
  });
}

void PostgresTarget::run_hook(const std::string& statement, Duration timeout) {
  in_context("hook", "", [&] {
    const auto milliseconds = std::max<std::int64_t>(
        1, std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count());
    connection_.execute("SET statement_timeout = " + std::to_string(milliseconds));
    try {
      // BEGIN and COMMIT around it, so that a hook of several statements is all or nothing.
      connection_.execute(dialect().begin());
      connection_.execute(statement);
      connection_.commit();
    } catch (...) {
      connection_.rollback();
      if (connection_.usable()) connection_.execute("SET statement_timeout = 0");
      throw;
    }
    connection_.execute("SET statement_timeout = 0");
  });
}

WallTime PostgresTarget::now() {
  return clock_of(connection_);
}

}  // namespace tidemark::postgres
