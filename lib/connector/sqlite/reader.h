#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "connector/sqlite/cell_reader.h"
#include "connector/sqlite/connection.h"
#include "connector/sqlite/temporal_style.h"
#include "core/source.h"

namespace tidemark::sqlite {

/// Binds a value of a predicate as the column holds it; a temporal one in `style`.
void bind_value(Statement& statement, int parameter, const Value& value,
                const TemporalStyle& style);

/// Steps a SELECT right into batches. Worker thread; at most one batch in memory.
///
/// A read with cursor and key is paged: no read transaction stays open between two calls of `next`,
/// unless SQLite has to sort the whole rest for each page; then one lasts five seconds at most. A
/// row behind the last one is looked up by its position, so pages meet without gap or overlap. Any
/// other read is one statement, and so one snapshot from first to last row.
class SqliteReader final : public BatchReader {
 public:
  SqliteReader(Connection& connection, ReadPlan plan);
  bool next(Batch& batch) override;

 private:
  using SteadyClock = std::chrono::steady_clock;
  struct FreeValue {
    void operator()(sqlite3_value* value) const noexcept { sqlite3_value_free(value); }
  };
  using KeptValue = std::unique_ptr<sqlite3_value, FreeValue>;

  void find_positions();
  void learn_style();
  std::unique_ptr<Statement> prepare(const ReadPlan& plan, std::vector<Value>& values) const;
  void start();
  bool advance();
  std::size_t read_row(Batch& batch);
  void check_cursor(std::size_t row);
  void keep_position();
  bool same_position() const;
  [[noreturn]] void refuse_duplicate() const;
  bool may_pause() const;
  void pause();

  Connection& connection_;
  ReadPlan plan_;
  std::vector<CellReader> cells_;
  std::vector<int> positions_;  ///< indexes of cursor and key columns; empty: not paged
  int cursor_at_ = -1;
  TemporalStyle style_;
  std::unique_ptr<Statement> first_;  ///< from the plan's own bound
  std::unique_ptr<Statement> next_;   ///< from behind a kept position
  std::vector<Value> first_values_;
  std::vector<Value> next_values_;
  Statement* running_ = nullptr;
  SteadyClock::time_point started_{};
  std::vector<KeptValue> kept_;  ///< the position of a row given out
  bool kept_last_ = false;       ///< … of the last one
  bool on_row_ = false;          ///< running_ stands on a row that was not given out yet
  bool finished_ = false;
  std::uint64_t given_ = 0;
};

}  // namespace tidemark::sqlite
