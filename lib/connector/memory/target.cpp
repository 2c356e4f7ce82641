#include "connector/memory/target.h"

#include <algorithm>

#include "connector/memory/load.h"

namespace tidemark::memory {
namespace {

bool same(const Holder& left, const Holder& right) {
  return left.host == right.host && left.pid == right.pid && left.id() == right.id();
}

bool unique_by(const TableShape& shape, std::vector<std::string> key) {
  std::vector<std::string> columns = shape.primary_key;
  std::sort(columns.begin(), columns.end());
  std::sort(key.begin(), key.end());
  return columns == key;
}

void judge_column(const WriteSpec& spec, const TargetColumn& wanted, const Column& there,
                  TargetPlan& plan) {
  ColumnVerdict verdict{.column = wanted.column.name,
                        .target_type = to_string(there.type),
                        .fidelity = fidelity(wanted.column.type, there.type)};
  if (verdict.fidelity != Fidelity::lossless)
    verdict.reason = to_string(wanted.column.type) + " into " + to_string(there.type);
  if (verdict.fidelity == Fidelity::impossible ||
      (verdict.fidelity == Fidelity::lossy && wanted.lossy == Lossy::error && !wanted.native_type))
    plan.problems.push_back("column " + there.name + " of " + spec.table.display() + ": " +
                            verdict.reason + " would lose values");
  plan.columns.push_back(std::move(verdict));
}

void judge_missing(const WriteSpec& spec, const TargetColumn& wanted, TargetPlan& plan) {
  const std::string& name = wanted.column.name;
  const std::string what = spec.table.display() + " has no column " + name;
  const bool in_key = std::find(spec.key.begin(), spec.key.end(), name) != spec.key.end();
  if (in_key || spec.schema_changes == SchemaChanges::fail) {
    plan.problems.push_back(what);
  } else if (spec.schema_changes == SchemaChanges::report) {
    plan.drift.push_back(what);
    plan.ignored_columns.push_back(name);
  } else {
    plan.statements.push_back("ALTER TABLE " + spec.table.display() + " ADD COLUMN " + name + " " +
                              to_string(wanted.column.type));
    plan.added_columns.push_back(name);
    plan.columns.push_back({.column = name, .target_type = to_string(wanted.column.type)});
  }
}

bool puts_key_off(const WriteSpec& spec) {
  return spec.key_last && spec.write == WriteMode::upsert;
}

template <class Tables>
TargetPlan plan_for(const Tables& tables, const WriteSpec& spec) {
  TargetPlan plan;
  plan.write_path = {.first_load = puts_key_off(spec) ? "memory, the key last" : "memory",
                     .usual = "memory"};
  const auto at = tables.find(spec.table);
  if (at == tables.end()) {
    if (spec.create == CreatePolicy::never)
      plan.problems.push_back("there is no table " + spec.table.display() +
                              ", and target.create is never");
    plan.statements.push_back("CREATE TABLE " + spec.table.display());
    plan.makes_table = true;
    plan.key_pending = puts_key_off(spec);
    for (const TargetColumn& column : spec.columns)
      plan.columns.push_back(
          {.column = column.column.name, .target_type = to_string(column.column.type)});
    return plan;
  }
  const TableShape& shape = at->second.shape();
  for (const TargetColumn& wanted : spec.columns) {
    const std::size_t index = find_column(shape.columns, wanted.column.name);
    if (index == npos)
      judge_missing(spec, wanted, plan);
    else
      judge_column(spec, wanted, shape.columns[index], plan);
  }
  plan.key_pending = !shape.pending_key.empty();
  if (!spec.key.empty() && !plan.key_pending && !unique_by(shape, spec.key))
    plan.problems.push_back("the job's key is not unique in " + spec.table.display());
  return plan;
}

}  // namespace

std::optional<Target::TableDescription> MemoryTarget::describe(const TableName& table) {
  const auto lock = access_.enter(Operation::describe);
  const auto at = access_.state().tables.find(table);
  if (at == access_.state().tables.end()) return std::nullopt;
  const TableShape& shape = at->second.shape();
  TableDescription description{.columns = shape.columns, .primary_key = shape.primary_key};
  // Rows are told apart by the primary key alone here.
  if (!shape.primary_key.empty()) description.unique_keys.push_back(shape.primary_key);
  return description;
}

TargetPlan MemoryTarget::plan(const WriteSpec& spec) {
  const auto lock = access_.enter(Operation::describe);
  return plan_for(access_.state().tables, spec);
}

TargetPlan MemoryTarget::prepare(const WriteSpec& spec) {
  const auto lock = access_.enter(Operation::prepare);
  auto& state = access_.state();
  ++state.counts.prepares;
  TargetPlan plan = plan_for(state.tables, spec);
  if (!plan.problems.empty())
    throw Error({.kind = FailureKind::schema,
                 .message = plan.problems.front(),
                 .operation = "prepare",
                 .table = spec.table.display()});
  const auto at = state.tables.find(spec.table);
  if (at == state.tables.end()) {
    TableShape shape{.columns = {}};
    (puts_key_off(spec) ? shape.pending_key : shape.primary_key) = spec.key;
    for (const TargetColumn& column : spec.columns)
      shape.columns.push_back(column.column);
    state.tables.emplace(spec.table, Table(std::move(shape)));
    return plan;
  }
  for (const TargetColumn& column : spec.columns) {
    if (std::find(plan.added_columns.begin(), plan.added_columns.end(), column.column.name) ==
        plan.added_columns.end())
      continue;
    Column added = column.column;
    added.nullable = true;
    at->second.add_column(added);
  }
  return plan;
}

Acquired MemoryTarget::take(const JobKey& job, const Holder& holder, Duration lease, bool raise) {
  auto& state = access_.state();
  // A commit under way holds the job's row.
  state.land([&](const JobKey& one) { return one == job; });
  JobRow& row = state.jobs[job];
  const bool mine = row.holder && same(*row.holder, holder);
  const bool inherited = row.holder && holder.succeeds(row.holder->id());
  if (row.holder && !mine && !inherited && row.lease_until > state.now())
    return {.held_by = row.holder->display(), .lease_left = row.lease_until - state.now()};
  Acquired acquired{.granted = true, .took_over = row.holder && !mine && !inherited};
  // Also above what a restore has undone, like sql::CheckpointStore's.
  if (!mine || raise)
    row.fence = std::max<std::int64_t>(row.fence + 1, state.now().time_since_epoch().count());
  acquired.fence = row.fence;
  acquired.checkpoint = row.checkpoint;
  row.holder = holder;
  row.lease_until = state.now() + lease;
  return acquired;
}

Acquired MemoryTarget::acquire(const JobKey& job, const Holder& holder, const TableName&,
                               Duration lease) {
  const auto lock = access_.enter(Operation::acquire);
  return take(job, holder, lease, false);
}

bool MemoryTarget::keep(const JobKey& job, const Holder& holder, const LeftBehind& left,
                        const TableName&, Duration lease) {
  const auto lock = access_.enter(Operation::keep);
  auto& state = access_.state();
  state.land([&](const JobKey& one) { return one == job; });
  const auto at = state.jobs.find(job);
  if (at == state.jobs.end()) return false;
  JobRow& row = at->second;
  if (!row.holder || !same(*row.holder, holder) || row.fence != left.fence || !row.checkpoint ||
      row.checkpoint->epoch != left.epoch || row.checkpoint->revision != left.revision)
    return false;
  row.lease_until = state.now() + lease;
  return true;
}

Acquired MemoryTarget::recover(const JobKey& job, const Holder& holder, const TableName&,
                               Duration lease) {
  const auto lock = access_.enter(Operation::recover);
  return take(job, holder, lease, true);
}

void MemoryTarget::renew(const JobKey& job, std::int64_t fence, const TableName&, Duration lease) {
  const auto lock = access_.enter(Operation::renew);
  auto& state = access_.state();
  state.land([&](const JobKey& one) { return one == job; });
  JobRow& row = state.jobs[job];
  if (row.fence != fence) throw_fenced(job);
  row.lease_until = state.now() + lease;
  ++state.counts.renewals;
}

void MemoryTarget::release(const JobKey& job, std::int64_t fence, const TableName&) {
  const auto lock = access_.enter(Operation::renew);
  JobRow& row = access_.state().jobs[job];
  if (row.fence == fence) row.holder.reset();
}

std::optional<Acquired> MemoryTarget::peek(const JobKey& job, const TableName&) {
  const auto lock = access_.enter(Operation::describe);
  auto& state = access_.state();
  const auto at = state.jobs.find(job);
  if (at == state.jobs.end()) return std::nullopt;
  const JobRow& row = at->second;
  Acquired seen{.fence = row.fence, .checkpoint = row.checkpoint};
  if (row.holder) seen.held_by = row.holder->display();
  if (row.holder && row.lease_until > state.now()) seen.lease_left = row.lease_until - state.now();
  return seen;
}

std::vector<RangeRecord> MemoryTarget::ranges(const JobKey& job, const TableName&) {
  const auto lock = access_.enter(Operation::describe);
  return access_.state().jobs[job].ranges;
}

std::unique_ptr<Load> MemoryTarget::begin(const LoadSpec& spec) {
  return std::make_unique<MemoryLoad>(access_, spec);
}

void MemoryTarget::run_hook(const std::string& statement, Duration) {
  const auto lock = access_.enter(Operation::hook);
  access_.state().hooks.push_back(statement);
}

WallTime MemoryTarget::now() {
  const auto lock = access_.enter(Operation::describe);
  return access_.state().now();
}

}  // namespace tidemark::memory
