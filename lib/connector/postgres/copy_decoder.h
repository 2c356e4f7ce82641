#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connector/postgres/types.h"
#include "core/batch.h"

namespace tidemark::postgres {

/// Puts the rows of a binary COPY into a Batch, without an allocation per cell. One thread. Throws
/// Error{internal} for bytes that are no such row: the table changed under the read, or a fault.
class CopyDecoder {
 public:
  /// The columns of the COPY in order; the batches have a column of logical_type() for each.
  explicit CopyDecoder(std::vector<WireType> columns) : columns_(std::move(columns)) {}

  /// Takes the stream's header off its first message; what is left is a row, or nothing.
  static std::string_view without_header(std::string_view message);
  /// True for the message that closes the stream.
  static bool is_trailer(std::string_view message);

  void row(std::string_view message, Batch& batch);

 private:
  void cell(const WireType& wire, std::string_view bytes, ColumnData& column);

  std::vector<WireType> columns_;
  std::string decimal_;
};

}  // namespace tidemark::postgres
