#include "connector/sqlite/reader.h"

#include <algorithm>
#include <cstring>

#include "connector/sql/select.h"
#include "connector/sqlite/any_value.h"
#include "connector/sqlite/dialect.h"
#include "core/error.h"
#include "core/value.h"

namespace tidemark::sqlite {
namespace {

constexpr std::chrono::seconds longest_transaction(5);
constexpr std::size_t rows_to_learn_from = 100;

/// Writes ?N for each value and keeps the value, so that a statement can be run again from another
/// position.
class ParameterDialect final : public SqliteDialect {
 public:
  std::string literal(const Value& value) const override {
    values_.push_back(value);
    return "?" + std::to_string(values_.size());
  }
  std::vector<Value> take() const { return std::move(values_); }

 private:
  mutable std::vector<Value> values_;
};

/// Marks a parameter of a page's position: its text is the index of the kept value.
constexpr const char* kept_origin = "kept position";

Value kept_value(std::size_t index) {
  Type type = make_type(TypeKind::native);
  type.origin = kept_origin;
  return Value::of(type, std::to_string(index));
}

bool is_kept(const Value& value) {
  return value.type.kind == TypeKind::native && value.type.origin == kept_origin;
}

bool same_value(sqlite3_value* left, sqlite3_value* right) {
  if (sqlite3_value_type(left) != sqlite3_value_type(right)) return false;
  if (sqlite3_value_type(left) == SQLITE_INTEGER)
    return sqlite3_value_int64(left) == sqlite3_value_int64(right);
  const void* a = sqlite3_value_blob(left);
  const void* b = sqlite3_value_blob(right);
  const int size = sqlite3_value_bytes(left);
  return size == sqlite3_value_bytes(right) &&
         (size == 0 || std::memcmp(a, b, static_cast<std::size_t>(size)) == 0);
}

}  // namespace

void bind_value(Statement& statement, int parameter, const Value& value,
                const TemporalStyle& style) {
  if (value.null) return statement.bind_null(parameter);
  ColumnData cell(value.type);
  push_text(cell, value.text);
  switch (value.type.kind) {
    case TypeKind::boolean:
      return statement.bind(parameter, static_cast<std::int64_t>(cell.at<std::uint8_t>(0)));
    case TypeKind::float32:
      return statement.bind(parameter, static_cast<double>(cell.at<float>(0)));
    case TypeKind::float64:
      return statement.bind(parameter, cell.at<double>(0));
    case TypeKind::bytes: {
      const std::string_view bytes = cell.bytes_at(0);
      const int code =
          sqlite3_bind_blob64(statement.get(), parameter, bytes.empty() ? "" : bytes.data(),
                              bytes.size(), SQLITE_TRANSIENT);
      if (code != SQLITE_OK)
        throw Error({.kind = FailureKind::resource, .message = "a key is too large to be bound"});
      return;
    }
    case TypeKind::uint64:
      if (cell.at<std::uint64_t>(0) > INT64_MAX)
        return statement.bind_copy(parameter, wide_unsigned(value.text));
      break;
    case TypeKind::native:
      if (native_name_in(value.type, "sqlite").empty()) break;
      if (bind_literal(statement, parameter, value.text)) return;
      throw Error({.kind = FailureKind::conversion, .message = "a key is no literal of SQLite"});
    default:
      break;
  }
  if (is_integer(value.type.kind))
    return statement.bind(parameter, static_cast<std::int64_t>(std::stoll(value.text)));
  if (is_temporal(value.type.kind))
    return statement.bind_copy(parameter, style.apply(value.type, text_of(cell, 0)));
  statement.bind_copy(parameter, text_of(cell, 0));
}

SqliteReader::SqliteReader(Connection& connection, ReadPlan plan)
    : connection_(connection), plan_(std::move(plan)) {
  for (std::size_t index = 0; index < plan_.columns.size(); ++index)
    cells_.emplace_back(plan_.columns[index], static_cast<int>(index),
                        std::find(plan_.named.begin(), plan_.named.end(),
                                  plan_.columns[index].name) != plan_.named.end());
  find_positions();
  learn_style();
  first_ = prepare(plan_, first_values_);
}

void SqliteReader::find_positions() {
  if (!plan_.cursor) return;
  const auto index_of = [&](const std::string& name) {
    const std::size_t at = find_column(plan_.columns, name);
    return at == npos ? -1 : static_cast<int>(at);
  };
  cursor_at_ = index_of(plan_.cursor->column);
  if (plan_.order == ReadOrder::none || plan_.key.empty()) return;
  if (plan_.order == ReadOrder::cursor && plan_.null_cursor == NullCursor::exclude)
    positions_.push_back(cursor_at_);
  for (const KeyPart& part : plan_.key)
    positions_.push_back(index_of(part.column));
  // A position can only be kept where the plan reads all of its columns.
  if (std::find(positions_.begin(), positions_.end(), -1) != positions_.end()) positions_.clear();
}

/// From the newest values: an index gives them at once, and without one the read sorts anyway.
void SqliteReader::learn_style() {
  if (!plan_.cursor || plan_.null_cursor == NullCursor::only) return;
  const auto is_text_bound = [](const std::optional<Value>& value) {
    return value && !value->null && is_temporal(value->type.kind);
  };
  const bool bounded = is_text_bound(plan_.from) || is_text_bound(plan_.below) ||
                       (plan_.after && is_text_bound(plan_.after->cursor));
  if (!bounded) return;
  const SqliteDialect dialect;
  const std::string column = dialect.quote(plan_.cursor->column);
  Statement newest(connection_, "SELECT " + column + " FROM " +
                                    sql::from_clause(plan_.relation, dialect) + " WHERE " + column +
                                    " IS NOT NULL ORDER BY " + column + " DESC LIMIT " +
                                    std::to_string(rows_to_learn_from));
  while (newest.step())
    style_.learn(newest.text(0));
}

std::unique_ptr<Statement> SqliteReader::prepare(const ReadPlan& plan,
                                                 std::vector<Value>& values) const {
  const ParameterDialect dialect;
  const std::string text = sql::build_select(plan, dialect);
  values = dialect.take();
  return std::make_unique<Statement>(connection_, text);
}

void SqliteReader::start() {
  if (kept_.empty()) {
    running_ = first_.get();
    for (std::size_t index = 0; index < first_values_.size(); ++index)
      bind_value(*running_, static_cast<int>(index) + 1, first_values_[index], style_);
  } else {
    if (!next_) {
      ReadPlan behind = plan_;
      behind.max_rows = 0;
      behind.after = Position{};
      std::size_t index = 0;
      if (positions_.size() > plan_.key.size()) behind.after->cursor = kept_value(index++);
      while (index < positions_.size())
        behind.after->key.push_back(kept_value(index++));
      next_ = prepare(behind, next_values_);
    }
    running_ = next_.get();
    for (std::size_t index = 0; index < next_values_.size(); ++index) {
      const int parameter = static_cast<int>(index) + 1;
      const Value& value = next_values_[index];
      if (is_kept(value))
        running_->bind(parameter, kept_[static_cast<std::size_t>(std::stoul(value.text))].get());
      else
        bind_value(*running_, parameter, value, style_);
    }
  }
  started_ = SteadyClock::now();
  sqlite3_stmt_status(running_->get(), SQLITE_STMTSTATUS_SORT, 1);
}

/// Goes to the next row; false at the end.
bool SqliteReader::advance() {
  if (plan_.max_rows != 0 && given_ >= plan_.max_rows) return false;
  if (running_ == nullptr) start();
  connection_.check_cancelled();
  return running_->step();
}

/// The cursor's texts must be written alike, or the order in which SQLite gives them is not that of
/// time, and a mark would pass rows that were never read.
void SqliteReader::check_cursor(std::size_t row) {
  if (cursor_at_ < 0) return;
  const auto at = static_cast<std::size_t>(cursor_at_);
  const TypeKind kind = plan_.columns[at].type.kind;
  if (!is_temporal(kind)) return;
  if (sqlite3_column_type(running_->get(), cursor_at_) == SQLITE_NULL) return;
  if (style_.learn(running_->text(cursor_at_))) return;
  throw Error({.kind = FailureKind::conversion,
               .message = "the cursor's texts are not all written in the same way, so they do not "
                          "sort by time",
               .operation = "read",
               .column = plan_.columns[at].name,
               .hint = "Write them alike (YYYY-MM-DD HH:MM:SS, one number of digits behind the "
                       "second, one zone), or read a query with datetime(…) of the column.",
               .row = row});
}

std::size_t SqliteReader::read_row(Batch& batch) {
  const std::size_t row = batch.rows();
  std::size_t bytes = 0;
  try {
    check_cursor(row);
    for (std::size_t index = 0; index < cells_.size(); ++index)
      bytes += cells_[index].read(*running_, batch.column(index));
  } catch (Error& error) {
    Error::Fields fields = error.fields();
    fields.row = row;
    if (plan_.relation.table) fields.table = plan_.relation.table->display();
    throw Error(std::move(fields));
  }
  return bytes;
}

bool SqliteReader::next(Batch& batch) {
  batch.clear();
  if (finished_) return false;
  if (running_ != nullptr && SteadyClock::now() - started_ >= longest_transaction && kept_last_)
    pause();
  // A batch may end at a row that turns out not to fit, and then the position is that of the row
  // before: near the end each one is kept.
  const std::size_t nearly_full = plan_.batch_bytes - plan_.batch_bytes / 8;
  std::size_t bytes = 0;
  while (on_row_ || (on_row_ = advance())) {
    if (batch.rows() >= plan_.batch_rows || (!batch.empty() && bytes >= plan_.batch_bytes)) break;
    const std::size_t size = read_row(batch);
    if (batch.rows() > 1 && bytes + size > plan_.batch_bytes) {
      for (std::size_t index = 0; index < batch.column_count(); ++index)
        batch.column(index).pop();
      break;
    }
    bytes += size;
    on_row_ = false;
    ++given_;
    kept_last_ = false;
    if (batch.rows() == plan_.batch_rows || bytes >= nearly_full) keep_position();
  }
  if (!on_row_) {
    finished_ = true;
    if (running_ != nullptr) running_->reset();
  } else if (kept_last_) {
    if (same_position()) refuse_duplicate();
    if (may_pause()) pause();
  }
  return !batch.empty();
}

/// Copies the position of the row that the statement stands on.
void SqliteReader::keep_position() {
  if (positions_.empty()) return;
  kept_.clear();
  for (const int index : positions_)
    kept_.emplace_back(sqlite3_value_dup(sqlite3_column_value(running_->get(), index)));
  kept_last_ = true;
}

bool SqliteReader::same_position() const {
  for (std::size_t index = 0; index < positions_.size(); ++index)
    if (!same_value(kept_[index].get(), sqlite3_column_value(running_->get(), positions_[index])))
      return false;
  return true;
}

/// Rows of one position would fall between two pages.
void SqliteReader::refuse_duplicate() const {
  throw Error({.kind = FailureKind::constraint,
               .message = "the key is not unique in the source: two rows have the same",
               .operation = "read",
               .table = plan_.relation.table ? plan_.relation.table->display() : "",
               .column = plan_.key.front().column,
               .hint = "Name a key that is unique in the table or the query's result."});
}

/// A page that an index gives costs nothing to take up again; a sorted one is kept for as long as a
/// read transaction may last.
bool SqliteReader::may_pause() const {
  return sqlite3_stmt_status(running_->get(), SQLITE_STMTSTATUS_SORT, 0) == 0 ||
         SteadyClock::now() - started_ >= longest_transaction;
}

void SqliteReader::pause() {
  running_->reset();
  running_ = nullptr;
  on_row_ = false;
}

}  // namespace tidemark::sqlite
