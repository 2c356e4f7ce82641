#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connector/postgres/types.h"
#include "core/batch.h"
#include "core/target.h"

namespace tidemark::postgres {

/// One column of a COPY into a target table.
struct EncodedColumn {
  std::string name;
  std::size_t index = 0;  ///< in the batch
  WireType wire;
  Lossy lossy = Lossy::error;
  /// Of a column whose values travel as text: the type that the text is read as. `wire` is text.
  std::string native = {};
  std::string domain = {};  ///< the column's own type, where that is a domain over `native`
};

/// Rows of a Batch as binary COPY. A value that its column can't hold as it is throws
/// Error{conversion} with row and column before it is sent: the server would cut blanks, round
/// fractions and stop texts at a NUL without a word. With Lossy::allow fractions are cut, towards
/// the past or towards zero's side of the server's rounding; nothing else is ever changed. One
/// thread.
class CopyEncoder {
 public:
  /// `numbered`: each row gets one more column at the end, its int4 index within the batch.
  CopyEncoder(std::vector<EncodedColumn> columns, bool numbered)
      : columns_(std::move(columns)), numbered_(numbered) {}

  static void header(std::string& out);
  static void trailer(std::string& out);
  void row(const Batch& batch, std::size_t row, std::string& out);

 private:
  void cell(const EncodedColumn& column, const ColumnData& data, std::size_t row, std::string& out);
  void number(const EncodedColumn& column, const ColumnData& data, std::size_t row,
              std::string& out);
  void text(const EncodedColumn& column, std::string_view value, bool trimmed, std::size_t row,
            std::string& out) const;
  void decimal(const EncodedColumn& column, std::string_view value, std::size_t row,
               std::string& out) const;

  std::vector<EncodedColumn> columns_;
  bool numbered_;
};

}  // namespace tidemark::postgres
