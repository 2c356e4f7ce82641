#include "sync/reading.h"

#include <algorithm>
#include <utility>

#include "core/guard_switch.h"
#include "sync/cursor_value.h"
#include "sync/row_error.h"
#include "sync/stopwatch.h"

namespace tidemark {

Reading::Reading(const Ports& ports, const Pass& pass, const std::optional<Position>& reached)
    : ports_(ports),
      pass_(pass),
      reached_(reached),
      schema_(ports.plan.pipeline->input()),
      filter_(ports.plan.output_key_at, ports.digest_key,
              pass.read.order == ReadOrder::cursor || pass.kind == Pass::Kind::range
                  ? KeyFilter::Reach::batch
                  : KeyFilter::Reach::whole_read),
      in_cursor_order_(pass.read.order == ReadOrder::cursor) {}

void Reading::run(BatchQueue& queue) noexcept {
  try {
    while (std::optional<ReadBatch> batch = next()) {
      const Stopwatch watch(ports_.clock, times_.blocked_read);
      if (!queue.push(std::move(*batch))) break;
    }
    queue.close();
  } catch (...) {
    queue.close(std::current_exception());
  }
}

void Reading::open() {
  const Stopwatch watch(ports_.clock, times_.read);
  reader_ = ports_.source.read(pass_.read);
}

std::optional<ReadBatch> Reading::next() {
  if (!reader_ && !ended_) open();
  while (!ended_) {
    if (ports_.guard.stopping()) throw Cancelled();
    MemoryBudget::Room room;
    if (!ports_.memory.try_take(std::min(pass_.read.batch_bytes, ports_.memory.limit()), room)) {
      if (held_) return std::exchange(held_, std::nullopt);
      room = ports_.memory.take(pass_.read.batch_bytes, ports_.guard.token());
    }
    std::optional<ReadBatch> item = fetch(std::move(room));
    if (!item) break;
    pace(item->rows);
    held_.swap(item);
    if (item) return item;
  }
  ended_ = true;
  reader_.reset();
  if (held_) held_->ends_pass = true;
  return std::exchange(held_, std::nullopt);
}

std::optional<ReadBatch> Reading::fetch(MemoryBudget::Room room) {
  Batch batch(schema_);
  {
    const Stopwatch watch(ports_.clock, times_.read);
    if (!reader_->next(batch)) return std::nullopt;
  }
  return prepare(std::move(batch), std::move(room));
}

void Reading::pace(std::size_t rows) {
  const Duration wait = std::max(ports_.source_rate.take(rows), ports_.target_rate.take(rows));
  if (wait > Duration::zero() && !ports_.guard.sleep(wait)) throw Cancelled();
}

ReadBatch Reading::prepare(Batch batch, MemoryBudget::Room room) {
  room.resize(batch.bytes());
  check_size(batch);
  if (!ports_.plan.key_at.empty()) check_source_keys(batch);
  const std::size_t rows = batch.rows();
  const std::size_t bytes = batch.bytes();
  ReadBatch item{.batch = Batch(schema_), .rows = rows, .bytes = bytes};
  locate(item, batch);
  {
    const Stopwatch watch(ports_.clock, times_.transform);
    transform(batch);
    check_output_keys(batch);
  }
  room.resize(std::max<Bytes>(batch.bytes(), 1));
  room.set_rows(rows);
  item.batch = std::move(batch);
  item.room = std::move(room);
  return item;
}

Position Reading::position_of(const Batch& batch, std::size_t row) const {
  Position position;  // in key order without a cursor
  if (in_cursor_order_) position.cursor = value_at(batch.column(ports_.plan.cursor_at), row);
  if (in_cursor_order_ && off(Guard::position_has_key)) return position;
  for (const std::size_t at : ports_.plan.key_at)
    position.key.push_back(value_at(batch.column(at), row));
  return position;
}

void Reading::locate(ReadBatch& item, const Batch& batch) {
  item.final_rows = item.rows;
  if (pass_.kind == Pass::Kind::nulls || pass_.kind == Pass::Kind::fresh) item.final_rows = 0;
  if (!in_cursor_order_ && pass_.kind != Pass::Kind::range) return;
  item.first = position_of(batch, 0);
  item.last = position_of(batch, item.rows - 1);
  check_neighbours(item, batch);
  if (!in_cursor_order_) return;
  const ColumnData& cursor = batch.column(ports_.plan.cursor_at);
  if (pass_.kind == Pass::Kind::settle)
    item.final_rows = pass_.has_mark() ? count_below(cursor, pass_.token->mark, false) : 0;
  if (pass_.late_before) item.late = late_slices(cursor, *pass_.late_before);
  if (reached_ && pass_.kind != Pass::Kind::fresh && pass_.kind != Pass::Kind::margin)
    item.second_looks = count_below(cursor, reached_->cursor, true);
}

/// Rows that share a position across the edge of two batches; within one the filter finds them.
void Reading::check_neighbours(const ReadBatch& item, const Batch& batch) {
  const bool keyed = !ports_.plan.key.empty() && ports_.plan.apply != Apply::append;
  if (keyed && !ports_.plan.key_is_unique && previous_ == item.first)
    refuse_row({.kind = FailureKind::constraint,
                .message = "the key is not unique in the query's result",
                .operation = "read"},
               batch, 0, ports_.plan.key_at);
  previous_ = item.last;
}

void Reading::check_size(const Batch& batch) {
  if (batch.rows() != 1 || batch.bytes() <= ports_.memory.limit() / 2) return;
  refuse_row({.kind = FailureKind::conversion,
              .message = "a row is larger than half of daemon.memory",
              .operation = "read",
              .hint = "Raise daemon.memory, or exclude the large column."},
             batch, 0, ports_.plan.key_at);
}

void Reading::check_source_keys(const Batch& batch) {
  for (const std::size_t at : ports_.plan.key_at) {
    const ColumnData& column = batch.column(at);
    if (column.null_count() == 0) continue;
    std::size_t row = 0;
    while (!column.is_null(row))
      ++row;
    refuse_row({.kind = FailureKind::constraint,
                .message = "a row has NULL in a key column",
                .operation = "read",
                .column = (*schema_)[at].name,
                .hint = "Choose a key that is never NULL, or leave such rows out of the source."},
               batch, row, ports_.plan.key_at);
  }
}

void Reading::check_output_keys(const Batch& batch) {
  const JobPlan& plan = ports_.plan;
  if (plan.key.empty() || plan.apply == Apply::append) return;
  if (const auto null = filter_.find_null(batch))
    refuse_row({.kind = FailureKind::constraint,
                .message = "a transform has made a key column NULL",
                .operation = "transform",
                .column = batch.schema()[null->second].name,
                .hint = "Give the column a default, or use `unmapped: error` to see which values "
                        "are missing."},
               batch, null->first, plan.output_key_at);
  if (plan.key_is_unique) return;
  if (const auto row = filter_.find_repeated(batch))
    refuse_row({.kind = FailureKind::constraint,
                .message = "the key is not unique in the query's result",
                .operation = "read",
                .hint = "Add the columns to `key` that tell the rows apart, or make the query give "
                        "one row for each key."},
               batch, *row, plan.output_key_at);
}

void Reading::transform(Batch& batch) {
  const Pipeline& pipeline = *ports_.plan.pipeline;
  if (pipeline.identity()) return;
  // A failed transform leaves no batch to look the key up in.
  Schema key_schema;
  std::vector<ColumnData> key_columns;
  for (const std::size_t at : ports_.plan.key_at) {
    key_schema.push_back((*schema_)[at]);
    key_columns.push_back(batch.column(at));
  }
  try {
    pipeline.apply(batch);
  } catch (const Error& error) {
    if (!error.fields().row || key_columns.empty()) throw;
    Batch keys(std::make_shared<const Schema>());
    std::vector<std::size_t> all;
    for (std::size_t index = 0; index < key_columns.size(); ++index)
      all.push_back(index);
    keys.replace(std::make_shared<const Schema>(key_schema), std::move(key_columns));
    refuse_row(error.fields(), keys, *error.fields().row, all);
  }
}

void Reading::refuse_row(Error::Fields fields, const Batch& batch, std::size_t row,
                         const std::vector<std::size_t>& key) const {
  if (fields.table.empty())
    fields.table = ports_.plan.relation.table ? ports_.plan.relation.table->display()
                                              : "the query of " + ports_.plan.job->name.text;
  fields.row = row;
  throw RowError(Error(std::move(fields)), key_hash_of(batch, row, key, ports_.key_secret));
}

}  // namespace tidemark
