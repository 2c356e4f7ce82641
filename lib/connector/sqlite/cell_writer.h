#pragma once

#include <array>
#include <string>

#include "connector/sqlite/connection.h"
#include "connector/sqlite/types.h"
#include "core/batch.h"
#include "core/target.h"

namespace tidemark::sqlite {

/// Binds one column of a batch to a parameter, in the form that the target's column keeps. What
/// does not fit is Error{conversion} with the column and without the value: SQLite itself would
/// take anything. No allocation per cell but for decimals that are brought to the column's scale
/// and for rare types. Worker thread.
class CellWriter {
 public:
  /// `arriving` as the batch has it, `existing` as describe_target gave it.
  CellWriter(const TargetColumn& arriving, const Column& existing, int parameter);
  /// The bound bytes live in the batch or in this object until the next call.
  void bind(Statement& statement, const ColumnData& from, std::size_t row);
  const std::string& column() const noexcept { return name_; }

 private:
  enum class Form {
    integer,
    wide_unsigned,
    real,
    decimal,
    text,
    bytes,
    temporal,
    literal,
    canonical
  };
  Form open_form() const;
  [[noreturn]] void refuse(const std::string& why) const;
  void bind_integer(Statement& statement, const ColumnData& from, std::size_t row);
  void bind_real(Statement& statement, const ColumnData& from, std::size_t row);
  void bind_decimal(Statement& statement, const ColumnData& from, std::size_t row);
  void bind_temporal(Statement& statement, const ColumnData& from, std::size_t row);
  void bind_checked_text(Statement& statement, std::string_view text);

  std::string name_;
  Type arriving_;
  Type existing_;
  Affinity affinity_;
  Form form_;
  bool lossy_;
  int parameter_;
  std::array<char, 32> buffer_{};
  std::string text_;
};

}  // namespace tidemark::sqlite
