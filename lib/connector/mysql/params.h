#pragma once

#include <mysql.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connector/mysql/dialect.h"
#include "connector/mysql/native_type.h"
#include "core/batch.h"
#include "core/target.h"

namespace tidemark::mysql {

/// A column as it is written: what arrives, and what the table has for it.
struct WrittenColumn {
  std::string name;
  Type arriving;
  Type existing;
  Lossy lossy = Lossy::error;
  std::string collation = {};  ///< of the table's column; empty for what is not text
  /// Of the table's column, where its logical kind does not say all.
  std::optional<NativeType> native = {};
};

/// Whether the cell is the error value of an ENUM ('' with the number 0), which the server takes in
/// no strict mode.
bool is_enum_error(const WrittenColumn& column, const ColumnData& data, std::size_t row);

/// Throws Error{conversion} for a cell that the server would change without an error: an infinite
/// or out-of-range date, NaN, digits or fractions that would be cut, blanks that a VARCHAR drops.
/// What the server refuses by itself in strict mode is left to it.
void check_cell(const WrittenColumn& column, const ColumnData& data, std::size_t row);

/// One column of a bulk statement: a buffer that libmariadb reads, filled from a batch's column.
/// Reused from piece to piece, so that no cell costs an allocation. Worker thread.
class ParamColumn {
 public:
  explicit ParamColumn(WrittenColumn column);

  /// Fills the buffers with the given rows; throws as check_cell, with column and row.
  void fill(const ColumnData& data, std::span<const std::uint32_t> rows);
  MYSQL_BIND bind();

 private:
  void add_text(std::string_view text);
  void add_moment(std::int64_t micros, enum_mysql_timestamp_type type);
  void add(const ColumnData& data, std::size_t row);
  template <class T>
  void add_fixed(T value);

  WrittenColumn column_;
  enum_field_types type_;
  bool is_unsigned_ = false;
  std::size_t width_ = 0;  ///< of the fixed kinds that travel as they are
  std::vector<char> fixed_;
  std::vector<MYSQL_TIME> moments_;
  std::vector<std::size_t> starts_;  ///< in text_
  std::string text_;                 ///< all texts of the piece, one behind the other
  std::vector<const void*> pointers_;
  std::vector<unsigned long> lengths_;
  std::vector<char> indicators_;
};

/// The same cell as SQL, for servers without bulk binds.
std::string cell_literal(const WrittenColumn& column, const ColumnData& data, std::size_t row,
                         const MysqlDialect& dialect);

}  // namespace tidemark::mysql
