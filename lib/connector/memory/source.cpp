#include "connector/memory/source.h"

#include <algorithm>
#include <charconv>

#include "core/temporal.h"

namespace tidemark::memory {
namespace {

/// A relation as it stands at one moment: rows are shared, never copied.
struct Snapshot {
  Schema columns;
  std::vector<std::string> primary_key;
  std::vector<RowPtr> rows;
  bool endless = false;
  std::function<std::vector<Row>()> view;
};

const View* find_query(const std::map<std::string, View>& queries, const std::string& text) {
  const auto at = queries.find(text);
  return at == queries.end() ? nullptr : &at->second;
}

[[noreturn]] void refuse_text(const char* what) {
  throw Error({.kind = FailureKind::schema,
               .message = std::string("the memory database does not understand this ") + what,
               .hint = "Define it with Database::define_query or define_predicate."});
}

std::int64_t micros_since_2000(WallTime time) {
  return time.time_since_epoch().count() - unix_to_2000_seconds * micros_per_second;
}

std::size_t column_at(const Schema& columns, const std::string& name) {
  const std::size_t at = find_column(columns, name);
  if (at != npos) return at;
  throw Error({.kind = FailureKind::schema,
               .message = "there is no column of this name",
               .column = name,
               .hint = "Check the column names in the configuration."});
}

/// Everything that a plan wants of the rows, with column positions worked out.
class Filter {
 public:
  Filter(const ReadPlan& plan, const Schema& columns) : plan_(plan), columns_(columns) {
    if (plan.cursor) cursor_at_ = column_at(columns, plan.cursor->column);
    for (const KeyPart& part : plan.key)
      key_at_.push_back(column_at(columns, part.column));
  }

  bool wants(const Row& row) const {
    if (plan_.cursor) {
      const Cell& cursor = row[cursor_at_];
      if (cursor.has_value() == (plan_.null_cursor == NullCursor::only)) return false;
      if (plan_.from && compare(cursor_at_, cursor, *plan_.from) < 0) return false;
      if (plan_.below && compare(cursor_at_, cursor, *plan_.below) >= 0) return false;
    }
    if (plan_.after && !behind(row, *plan_.after)) return false;
    if (!plan_.range) return true;
    return (plan_.range->lower.empty() || compare_key(row, plan_.range->lower) >= 0) &&
           (plan_.range->upper.empty() || compare_key(row, plan_.range->upper) < 0);
  }

  bool before(const Row& left, const Row& right) const {
    if (plan_.order == ReadOrder::cursor) {
      const auto order =
          compare_cells(columns_[cursor_at_].type, left[cursor_at_], right[cursor_at_]);
      if (order != 0) return order < 0;
    }
    for (const std::size_t at : key_at_) {
      const auto order = compare_cells(columns_[at].type, left[at], right[at]);
      if (order != 0) return order < 0;
    }
    return false;
  }

 private:
  std::strong_ordering compare(std::size_t at, const Cell& cell, const Value& value) const {
    return compare_cells(columns_[at].type, cell, value.null ? Cell() : Cell(value.text));
  }
  std::strong_ordering compare_key(const Row& row, const std::vector<Value>& key) const {
    for (std::size_t index = 0; index < key.size() && index < key_at_.size(); ++index) {
      const auto order = compare(key_at_[index], row[key_at_[index]], key[index]);
      if (order != 0) return order;
    }
    return std::strong_ordering::equal;
  }
  bool behind(const Row& row, const Position& position) const {
    if (plan_.order == ReadOrder::cursor) {
      const auto order = compare(cursor_at_, row[cursor_at_], position.cursor);
      if (order != 0) return order > 0;
      if (position.key.empty()) return false;
    }
    return compare_key(row, position.key) > 0;
  }

  const ReadPlan& plan_;
  const Schema& columns_;
  std::size_t cursor_at_ = npos;
  std::vector<std::size_t> key_at_;
};

class MemoryReader final : public BatchReader {
 public:
  MemoryReader(Access& access, ReadPlan plan, Schema columns, std::vector<RowPtr> rows,
               bool endless)
      : access_(access), plan_(std::move(plan)), rows_(std::move(rows)), endless_(endless) {
    for (const Column& column : plan_.columns)
      cells_.push_back(column_at(columns, column.name));
    access_.busy(true);
  }
  ~MemoryReader() override { access_.busy(false); }

  bool next(Batch& batch) override {
    batch.clear();
    if (endless_) access_.wait_for_cancel();
    {
      const auto lock = access_.enter(Operation::fetch);
      access_.check_cancelled(lock);
    }
    while (at_ < rows_.size() && batch.rows() < plan_.batch_rows) {
      push(batch, *rows_[at_]);
      if (batch.bytes() > plan_.batch_bytes && batch.rows() > 1) {
        for (std::size_t index = 0; index < batch.column_count(); ++index)
          batch.column(index).pop();
        break;
      }
      ++at_;
    }
    const auto lock = std::lock_guard(access_.state().mutex);
    access_.state().counts.rows_read += batch.rows();
    return !batch.empty();
  }

 private:
  void push(Batch& batch, const Row& row) const {
    for (std::size_t index = 0; index < cells_.size(); ++index) {
      const Cell& cell = row[cells_[index]];
      if (cell)
        push_text(batch.column(index), *cell);
      else
        batch.column(index).push_null();
    }
  }

  Access& access_;
  ReadPlan plan_;
  std::vector<RowPtr> rows_;
  std::vector<std::size_t> cells_;
  std::size_t at_ = 0;
  bool endless_;
};

/// The relation's shape, and its rows if they are wanted. Under the lock, but for a view's rows,
/// which the caller asks for without it.
template <class State>
Snapshot snapshot_of(State& state, const Relation& relation, bool with_rows) {
  Snapshot snapshot;
  if (!relation.table) {
    const View* view = find_query(state.queries, relation.query);
    if (view == nullptr) refuse_text("query");
    snapshot.columns = view->columns;
    snapshot.view = view->rows;
    snapshot.endless = !view->rows;
    return snapshot;
  }
  const Table& table = state.table(*relation.table);
  snapshot.columns = table.shape().columns;
  snapshot.primary_key = table.shape().primary_key;
  if (with_rows)
    for (const auto& [key, row] : table.rows())
      snapshot.rows.push_back(row);
  return snapshot;
}

template <class Lock>
void load_view(Snapshot& snapshot, Lock& lock) {
  if (!snapshot.view) return;
  lock.unlock();
  for (Row& row : snapshot.view())
    snapshot.rows.push_back(std::make_shared<const Row>(std::move(row)));
  lock.lock();
}

template <class State>
void keep_where(State& state, Snapshot& snapshot, const std::string& where) {
  if (where.empty()) return;
  const auto at = state.predicates.find(where);
  if (at == state.predicates.end()) refuse_text("predicate");
  std::erase_if(snapshot.rows,
                [&](const RowPtr& row) { return !at->second(snapshot.columns, *row); });
}

Value time_mark(const Type& type, WallTime now) {
  const std::int64_t micros = micros_since_2000(now);
  if (type.kind == TypeKind::date) {
    const std::int64_t days =
        floor_to_precision(micros, 6) / micros_per_day - (micros % micros_per_day < 0 ? 1 : 0);
    return Value::of(type, format_date(static_cast<std::int32_t>(days)));
  }
  const std::int64_t cut = floor_to_precision(micros, type.precision);
  return Value::of(type,
                   type.kind == TypeKind::instant ? format_instant(cut) : format_timestamp(cut));
}

/// One behind the highest visible value; NULL where there is no row.
Value number_mark(const Type& type, const std::vector<RowPtr>& rows, std::size_t at) {
  Cell highest;
  for (const RowPtr& row : rows)
    if (compare_cells(type, (*row)[at], highest) > 0) highest = (*row)[at];
  if (!highest) return Value::null_of(type);
  std::int64_t number = 0;
  std::from_chars(highest->data(), highest->data() + highest->size(), number);
  return Value::of(type, std::to_string(number + 1));
}

}  // namespace

SourceDescription MemorySource::describe(const Relation& relation) {
  const auto lock = access_.enter(Operation::describe);
  Snapshot snapshot = snapshot_of(access_.state(), relation, false);
  SourceDescription description{.columns = std::move(snapshot.columns),
                                .primary_key = std::move(snapshot.primary_key)};
  for (Column& column : description.columns)
    if (column.native_type.empty()) column.native_type = to_string(column.type);
  if (relation.table)
    for (const auto& [name, type] : access_.state().table(*relation.table).unsupported)
      description.unsupported.push_back({name, type});
  return description;
}

CursorEvidence MemorySource::inspect(const Relation& relation, const CursorRef& cursor) {
  const auto lock = access_.enter(Operation::inspect);
  const Snapshot snapshot = snapshot_of(access_.state(), relation, false);
  const Column& column = snapshot.columns[column_at(snapshot.columns, cursor.column)];
  if (relation.table) {
    const Table& table = access_.state().table(*relation.table);
    if (table.evidence) return *table.evidence;
  }
  return {.proof = ProofKind::transactions,
          .method = "memory",
          .server_assigned = true,
          .moves_on_write = true,
          .inserts_only = !is_temporal(column.type.kind),
          .not_null = !column.nullable};
}

HorizonToken MemorySource::horizon(const Relation& relation, const CursorRef& cursor,
                                   ProofKind proof) {
  auto lock = access_.enter(Operation::horizon);
  auto& state = access_.state();
  Snapshot snapshot = snapshot_of(state, relation, true);
  load_view(snapshot, lock);
  const std::size_t at = column_at(snapshot.columns, cursor.column);
  const Type& type = snapshot.columns[at].type;
  HorizonToken token;
  token.proof = proof;
  token.mark =
      is_temporal(type.kind) ? time_mark(type, state.now()) : number_mark(type, snapshot.rows, at);
  token.server = state.identity + "/" + std::to_string(state.boot);
  token.sampled = state.now();
  if (proof == ProofKind::transactions || proof == ProofKind::snapshot)
    for (const auto& [id, transaction] : state.open)
      token.state += (token.state.empty() ? "" : ",") + std::to_string(id);
  if (state.stale) token.state += "?";
  return token;
}

Settlement MemorySource::settled(const HorizonToken& token) {
  const auto lock = access_.enter(Operation::settled);
  auto& state = access_.state();
  if (token.server != state.identity + "/" + std::to_string(state.boot)) return {.lost = true};
  if (state.stale) return {.stale = true};
  Settlement settlement;
  const char* at = token.state.data();
  const char* const end = at + token.state.size();
  while (at < end) {
    std::uint64_t id = 0;
    at = std::from_chars(at, end, id).ptr + 1;
    const auto open = state.open.find(id);
    if (open == state.open.end()) continue;
    Blocker blocker;
    blocker.kind = "transaction";
    blocker.id = std::to_string(id);
    blocker.age = state.now() - open->second.began;
    settlement.blockers.push_back(std::move(blocker));
  }
  settlement.settled = settlement.blockers.empty();
  return settlement;
}

std::optional<std::uint64_t> MemorySource::estimated_rows(const Relation& relation) {
  if (!relation.table) return std::nullopt;
  const auto lock = access_.enter(Operation::describe);
  return access_.state().table(*relation.table).rows().size();
}

std::vector<KeyRange> MemorySource::split(const Relation& relation, const std::vector<KeyPart>& key,
                                          std::size_t parts) {
  auto lock = access_.enter(Operation::read);
  Snapshot snapshot = snapshot_of(access_.state(), relation, true);
  load_view(snapshot, lock);
  keep_where(access_.state(), snapshot, relation.where);
  parts = std::min(parts, snapshot.rows.size() / 2);
  if (parts < 2 || key.empty()) return {KeyRange{}};
  ReadPlan plan;
  plan.key = key;
  plan.order = ReadOrder::key;
  const Filter filter(plan, snapshot.columns);
  std::stable_sort(snapshot.rows.begin(), snapshot.rows.end(),
                   [&](const RowPtr& a, const RowPtr& b) { return filter.before(*a, *b); });
  std::vector<KeyRange> ranges(1);
  for (std::size_t part = 1; part < parts; ++part) {
    const Row& row = *snapshot.rows[snapshot.rows.size() * part / parts];
    std::vector<Value> bound;
    for (const KeyPart& one : key) {
      const std::size_t at = column_at(snapshot.columns, one.column);
      bound.push_back(Value::of(snapshot.columns[at].type, row[at].value_or("")));
    }
    ranges.back().upper = bound;
    ranges.push_back({.lower = bound});
  }
  return ranges;
}

std::unique_ptr<BatchReader> MemorySource::read(const ReadPlan& plan) {
  auto lock = access_.enter(Operation::read);
  Snapshot snapshot = snapshot_of(access_.state(), plan.relation, true);
  load_view(snapshot, lock);
  keep_where(access_.state(), snapshot, plan.relation.where);
  ++access_.state().counts.reads;
  lock.unlock();
  const Filter filter(plan, snapshot.columns);
  std::erase_if(snapshot.rows, [&](const RowPtr& row) { return !filter.wants(*row); });
  if (plan.order != ReadOrder::none)
    std::stable_sort(snapshot.rows.begin(), snapshot.rows.end(),
                     [&](const RowPtr& a, const RowPtr& b) { return filter.before(*a, *b); });
  if (plan.max_rows > 0 && snapshot.rows.size() > plan.max_rows)
    snapshot.rows.resize(plan.max_rows);
  return std::make_unique<MemoryReader>(access_, plan, std::move(snapshot.columns),
                                        std::move(snapshot.rows), snapshot.endless);
}

WallTime MemorySource::now() {
  const auto lock = access_.enter(Operation::describe);
  return access_.state().now();
}

std::string MemorySource::identity() {
  const auto lock = access_.enter(Operation::describe);
  return access_.state().identity;
}

}  // namespace tidemark::memory
