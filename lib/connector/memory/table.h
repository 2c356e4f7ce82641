#pragma once

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/memory/database.h"

namespace tidemark::memory {

using RowPtr = std::shared_ptr<const Row>;

/// Order of two cells of one type; NULL comes first. Numbers and times by value, the rest by bytes.
std::strong_ordering compare_cells(const Type& type, const Cell& left, const Cell& right);

/// Error{conversion} unless a value in canonical text fits the type as it stands.
void require_fit(const Type& type, std::string_view text, const Column& column, std::size_t row);

/// Whether every value of `from` fits into `to`.
Fidelity fidelity(const Type& from, const Type& to);

/// What identifies a row: its primary key, or a running number where there is none.
struct RowKey {
  Row cells;
  std::uint64_t number = 0;
};

struct RowKeyLess {
  std::vector<Type> types;
  bool operator()(const RowKey& left, const RowKey& right) const;
};

using RowMap = std::map<RowKey, RowPtr, RowKeyLess>;
/// Changes of a transaction: nullptr is a row taken away.
using Changes = std::map<RowKey, RowPtr, RowKeyLess>;

/// A table's committed rows. Not thread-safe: stands under the database's lock.
class Table {
 public:
  explicit Table(TableShape shape);

  const TableShape& shape() const noexcept { return shape_; }
  const RowMap& rows() const noexcept { return rows_; }
  bool keyed() const noexcept { return !key_at_.empty(); }
  RowKeyLess less() const { return rows_.key_comp(); }
  /// The key of a whole row; a new running number where there is no primary key.
  RowKey key_of(const Row& row);
  RowKey key_from(Row cells) const { return {std::move(cells), 0}; }
  void apply(const Changes& changes);
  /// Gives the table the key that was put off. Of rows that share it the oldest stays, because a
  /// database may keep any: who relies on another one is to notice.
  void add_late_key();
  /// The row that holds the same secondary unique key, seen through `changes`; nullptr: none.
  bool clashes(const RowKey& key, const Row& row, const Changes& changes) const;
  void add_column(const Column& column);
  void add_unique(std::vector<std::string> columns) { shape_.unique.push_back(std::move(columns)); }

  std::optional<CursorEvidence> evidence = {};
  std::vector<std::pair<std::string, std::string>> unsupported = {};

 private:
  void order_by_key();

  TableShape shape_;
  std::vector<std::size_t> key_at_;
  RowMap rows_;
  std::uint64_t next_number_ = 1;
};

}  // namespace tidemark::memory
