#include "daemon/demo/comparison.h"

#include <fmt/format.h>

#include <cstring>

#include "core/error.h"

namespace tidemark::demo {
namespace {

/// One side: the rows of a query, one at a time.
class Rows {
 public:
  Rows(Database& database, const std::string& query) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database.handle(), query.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      throw Error({.kind = FailureKind::schema,
                   .message = fmt::format("the comparison can't read: {}",
                                          sqlite3_errmsg(database.handle())),
                   .operation = "compare"});
    statement_.reset(statement);
    next();
  }
  bool done() const noexcept { return done_; }
  std::int64_t key() const noexcept { return sqlite3_column_int64(statement_.get(), 0); }
  void next() {
    const int result = sqlite3_step(statement_.get());
    done_ = result != SQLITE_ROW;
    if (done_ && result != SQLITE_DONE)
      throw Error({.kind = FailureKind::internal,
                   .message = "the comparison's read broke off",
                   .operation = "compare"});
  }

  /// Type and bytes of every cell are the same.
  bool same_row(const Rows& other) const {
    const int columns = sqlite3_column_count(statement_.get());
    for (int column = 0; column < columns; ++column) {
      sqlite3_stmt *left = statement_.get(), *right = other.statement_.get();
      if (sqlite3_column_type(left, column) != sqlite3_column_type(right, column)) return false;
      const void* one = sqlite3_column_blob(left, column);
      const void* two = sqlite3_column_blob(right, column);
      const int size = sqlite3_column_bytes(left, column);
      if (size != sqlite3_column_bytes(right, column)) return false;
      if (size > 0 && std::memcmp(one, two, static_cast<std::size_t>(size)) != 0) return false;
    }
    return true;
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  bool done_ = false;
};

}  // namespace

Comparison compare(Database& source, Database& target, const std::string& table,
                   const std::vector<std::string>& columns) {
  const std::string query =
      fmt::format("SELECT {} FROM {} ORDER BY 1", fmt::join(columns, ", "), table);
  Rows left(source, query), right(target, query);
  Comparison result;
  while (!left.done() || !right.done()) {
    if (right.done() || (!left.done() && left.key() < right.key())) {
      ++result.missing;
      left.next();
    } else if (left.done() || right.key() < left.key()) {
      ++result.extra;
      right.next();
    } else {
      ++(left.same_row(right) ? result.rows : result.different);
      left.next();
      right.next();
    }
  }
  return result;
}

}  // namespace tidemark::demo
