#pragma once

#include <string>

#include "connector/sqlite/connection.h"
#include "core/batch.h"
#include "core/type.h"

namespace tidemark::sqlite {

/// Takes one column of a statement's row into a batch. A value whose storage class is not the one
/// of the column's type, or that is longer than its declared length, is Error{conversion} with the
/// column, never coerced. No allocation per cell but for decimals and unusual texts. Worker thread.
class CellReader {
 public:
  /// `named`: the column's type is the user's word (ReadPlan::named). As text, any value but a blob
  /// is taken; as a date or timestamp, numbers are too (number_time.h).
  CellReader(const Column& column, int index, bool named = false)
      : column_(column), index_(index), named_(named) {}
  /// Returns the bytes that the cell takes in the batch, roughly.
  std::size_t read(const Statement& statement, ColumnData& into) const;

 private:
  [[noreturn]] void refuse(sqlite3_stmt* statement) const;
  std::string hint() const;
  std::size_t read_integer(sqlite3_stmt* statement, ColumnData& into) const;
  std::size_t read_unsigned(sqlite3_stmt* statement, ColumnData& into) const;
  std::size_t read_float(sqlite3_stmt* statement, ColumnData& into) const;
  std::size_t read_decimal(const Statement& statement, ColumnData& into) const;
  std::size_t read_text(const Statement& statement, ColumnData& into) const;
  std::size_t read_bytes(sqlite3_stmt* statement, ColumnData& into) const;
  std::size_t read_any_text(const Statement& statement, ColumnData& into) const;
  std::size_t read_literal(const Statement& statement, ColumnData& into) const;
  std::size_t read_moment(const Statement& statement, ColumnData& into) const;
  std::size_t read_parsed(const Statement& statement, ColumnData& into) const;

  Column column_;
  int index_;
  bool named_;
};

/// Canonical decimal text brought to exactly the type's scale. False: it does not fit the type.
/// An unlimited type takes it as it is.
bool fit_decimal(std::string& text, const Type& type);

}  // namespace tidemark::sqlite
