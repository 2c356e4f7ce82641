#include "connector/memory/load.h"

#include "core/guard_switch.h"

namespace tidemark::memory {

namespace {

[[noreturn]] void throw_moved(const JobKey& job) {
  throw Error({.kind = FailureKind::conflict,
               .message = "the stored checkpoint of job " + job.job.text +
                          " is not the one that this run went on from",
               .code = "moved",
               .operation = "save"});
}

}  // namespace

void throw_fenced(const JobKey& job) {
  throw Error({.kind = FailureKind::conflict,
               .message = "another holder has taken over job " + job.job.text,
               .code = "fenced",
               .operation = "save"});
}

MemoryLoad::MemoryLoad(Access& access, LoadSpec spec) : access_(access), spec_(std::move(spec)) {
  access_.busy(true);
}

MemoryLoad::~MemoryLoad() {
  access_.busy(false);
}

std::vector<std::size_t> MemoryLoad::columns_of(const Table& table, const Batch& batch) const {
  std::vector<std::size_t> from;
  for (const Column& column : table.shape().columns)
    from.push_back(find_column(batch.schema(), column.name));
  return from;
}

Row MemoryLoad::row_of(const Table& table, const std::vector<std::size_t>& from, const Batch& batch,
                       std::size_t row) const {
  Row cells(from.size());
  for (std::size_t index = 0; index < from.size(); ++index) {
    const Column& column = table.shape().columns[index];
    if (from[index] != npos && !batch.column(from[index]).is_null(row)) {
      cells[index] = text_of(batch.column(from[index]), row);
      require_fit(column.type, *cells[index], column, row);
    } else if (from[index] != npos && !column.nullable) {
      throw Error({.kind = FailureKind::constraint,
                   .message = "NULL in a column that must not be NULL",
                   .operation = "write",
                   .table = spec_.write.table.display(),
                   .column = column.name,
                   .row = row});
    }
  }
  return cells;
}

template <class Write>
void MemoryLoad::each_row(const Batch& batch, const Write& write) {
  const auto lock = access_.enter(Operation::write);
  access_.check_cancelled(lock);
  Table& table = written_table();
  const auto from = columns_of(table, batch);
  for (std::size_t at = 0; at < batch.rows(); ++at)
    write(table, from, row_of(table, from, batch, at), at);
}

void MemoryLoad::put(Table& table, const RowKey& key, Row row, std::size_t at) {
  const auto pending = changes_->find(key);
  RowPtr there;
  if (pending != changes_->end())
    there = pending->second;
  else if (const auto stored = table.rows().find(key); stored != table.rows().end())
    there = stored->second;
  if (there && *there == row) {
    ++counts_.unchanged;
    return;
  }
  if (table.clashes(key, row, *changes_))
    throw Error({.kind = FailureKind::constraint,
                 .message = "another row has the same value in a unique column",
                 .operation = "write",
                 .table = spec_.write.table.display(),
                 .row = at});
  ++(there ? counts_.updated : counts_.inserted);
  changes_->insert_or_assign(key, std::make_shared<const Row>(std::move(row)));
}

Table& MemoryLoad::written_table() {
  Table& table = access_.state().table(spec_.write.table);
  if (!table.shape().pending_key.empty() && spec_.stage != LoadStage::filling)
    throw Error({.kind = FailureKind::internal,
                 .message = "rows came by a key that the table has not got yet",
                 .operation = "write",
                 .table = spec_.write.table.display()});
  if (!changes_) changes_.emplace(table.less());
  return table;
}

bool MemoryLoad::has(const Table& table, const RowKey& key) const {
  return table.rows().contains(key) || changes_->contains(key);
}

void MemoryLoad::upsert(const Batch& batch) {
  each_row(batch, [&](Table& table, const std::vector<std::size_t>& from, Row row, std::size_t at) {
    const RowKey key = table.key_of(row);
    // Columns that the batch does not bring keep what stands there.
    if (const auto stored = table.rows().find(key); stored != table.rows().end())
      for (std::size_t index = 0; index < from.size(); ++index)
        if (from[index] == npos) row[index] = (*stored->second)[index];
    put(table, key, std::move(row), at);
  });
}

void MemoryLoad::append(const Batch& batch) {
  each_row(batch, [&](Table& table, const std::vector<std::size_t>&, Row row, std::size_t at) {
    if (spec_.write.write == WriteMode::replace) {
      staged_.push_back(std::move(row));
      return;
    }
    const RowKey key = table.key_of(row);
    if (has(table, key))
      throw Error({.kind = FailureKind::constraint,
                   .message = "a row with this key is there already",
                   .operation = "write",
                   .table = spec_.write.table.display(),
                   .row = at});
    put(table, key, std::move(row), at);
  });
}

void MemoryLoad::insert_missing(const Batch& batch) {
  each_row(batch, [&](Table& table, const std::vector<std::size_t>&, Row row, std::size_t at) {
    const RowKey key = table.key_of(row);
    if (has(table, key))
      ++counts_.unchanged;
    else
      put(table, key, std::move(row), at);
  });
}

void MemoryLoad::erase(const Batch& keys) {
  const auto lock = access_.enter(Operation::write);
  access_.check_cancelled(lock);
  Table& table = written_table();
  for (std::size_t at = 0; at < keys.rows(); ++at) {
    Row cells;
    for (const std::string& name : table.shape().primary_key)
      cells.push_back(text_of(keys.column(find_column(keys.schema(), name)), at));
    const RowKey key = table.key_from(std::move(cells));
    const auto pending = changes_->find(key);
    const bool there =
        pending != changes_->end() ? pending->second != nullptr : table.rows().contains(key);
    if (there) ++counts_.deleted;
    if (there) changes_->insert_or_assign(key, nullptr);
  }
}

void MemoryLoad::save(const CheckpointRecord& checkpoint) {
  const auto lock = access_.enter(Operation::save);
  const JobRow& job = access_.state().jobs[spec_.job];
  if (job.fence != spec_.fence && !off(Guard::heed_fence)) throw_fenced(spec_.job);
  const std::int64_t stored = job.checkpoint ? job.checkpoint->revision : 0;
  if (checkpoint.revision != stored + 1 && !off(Guard::save_on_top)) throw_moved(spec_.job);
  checkpoint_ = checkpoint;
}

void MemoryLoad::save_ranges(const std::vector<RangeRecord>& ranges) {
  ranges_ = ranges;
}

void MemoryLoad::save_range(const RangeRecord& range) {
  const auto lock = access_.enter(Operation::save);
  if (access_.state().jobs[spec_.job].fence != spec_.fence) throw_fenced(spec_.job);
  range_ = range;
}

void MemoryLoad::require_range(const JobRow& job) const {
  for (const RangeRecord& one : job.ranges)
    if (one.part == range_->part) return;
  throw Error({.kind = FailureKind::conflict,
               .message = "the key range of the first load is gone",
               .operation = "save the key range"});
}

bool MemoryLoad::in_scope(const Table& table, const Row& row) const {
  for (const auto& [name, value] : spec_.write.scope) {
    const std::size_t at = find_column(table.shape().columns, name);
    if (at == npos || row[at] != value) return false;
  }
  return true;
}

void MemoryLoad::replace(Table& table) {
  if (!changes_) changes_.emplace(table.less());
  std::map<RowKey, Row, RowKeyLess> wanted(table.less());
  for (Row& row : staged_) {
    const RowKey key = table.key_of(row);
    if (!wanted.emplace(key, std::move(row)).second)
      throw Error({.kind = FailureKind::constraint,
                   .message = "two rows have the same key",
                   .operation = "write",
                   .table = spec_.write.table.display()});
  }
  for (const auto& [key, row] : table.rows()) {
    if (!in_scope(table, *row) || wanted.contains(key)) continue;
    changes_->insert_or_assign(key, nullptr);
    ++counts_.deleted;
  }
  for (auto& [key, row] : wanted)
    put(table, key, std::move(row), 0);
}

WriteCounts MemoryLoad::commit() {
  std::optional<Fault> lost_answer;
  const auto lock = access_.enter_commit(lost_answer);
  auto& state = access_.state();
  // The row lock that `save` takes in a real database would make a take-over wait until here.
  const JobRow& holds = state.jobs[spec_.job];
  if ((checkpoint_ || range_) && holds.fence != spec_.fence && !off(Guard::heed_fence))
    throw_fenced(spec_.job);
  if (range_) require_range(holds);
  if (spec_.write.write == WriteMode::replace) replace(state.table(spec_.write.table));
  const auto arrive = [spec = spec_, changes = changes_, checkpoint = checkpoint_, ranges = ranges_,
                       range = range_, counts = counts_](auto& to) {
    if (changes) to.table(spec.write.table).apply(*changes);
    if (spec.stage == LoadStage::finishing) to.table(spec.write.table).add_late_key();
    ++to.counts.commits;
    to.counts.row_changes += counts.inserted + counts.updated + counts.deleted;
    JobRow& job = to.jobs[spec.job];
    for (RangeRecord& stored : job.ranges) {
      if (!range || stored.part != range->part) continue;
      stored.position = range->position;
      stored.finished = range->finished;
    }
    if (!checkpoint) return;
    ++to.counts.saves;
    if (ranges) job.ranges = *ranges;
    job.checkpoint = checkpoint;
    job.lease_until = to.now() + spec.lease;
  };
  if (lost_answer && lost_answer->landing == Landing::later)
    state.landing.push_back({spec_.job, arrive});
  else
    arrive(state);
  if (lost_answer) throw Error(lost_answer->error);
  return counts_;
}

}  // namespace tidemark::memory
