#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connector/mysql/session.h"
#include "core/source.h"

namespace tidemark::mysql {

/// Streams one SELECT: a binary statement, unbuffered, decoded from the network packet straight
/// into the batch's columns. Holds one batch and at most one row beside it. The session is busy
/// until the reader is gone; a reader given up half-way ends its statement at the server first.
/// Worker thread, the session's. Throws Error; a value that is no value (zero date, invalid UTF-8)
/// is Error{conversion} with column and row.
class StreamReader final : public BatchReader {
 public:
  struct Limits {
    std::size_t batch_rows = default_batch_rows;
    Bytes batch_bytes = default_batch_bytes;
    std::uint64_t max_rows = 0;
  };
  StreamReader(Session& session, const std::string& select, Schema columns, const Limits& limits);
  ~StreamReader() override;
  bool next(Batch& batch) override;

 private:
  class Decoder;
  bool fetch(Batch& batch);
  void finish();
  void abandon() noexcept;

  Session& session_;
  Session::Activity activity_;
  Schema columns_;
  Limits limits_;
  st_mysql_stmt* statement_ = nullptr;
  std::unique_ptr<Decoder> decoder_;
  Batch pending_;  ///< a row that was read but did not fit the batch before
  std::uint64_t rows_ = 0;
  bool finished_ = false;
};

}  // namespace tidemark::mysql
