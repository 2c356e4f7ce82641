#pragma once

#include <memory>
#include <string>

#include "connector/postgres/connection.h"
#include "connector/postgres/copy_decoder.h"
#include "core/source.h"

namespace tidemark::postgres {

/// The rows of one binary COPY (SELECT …) TO STDOUT, in the snapshot of that statement. Worker
/// thread. Destroyed before the end it stops the statement and leaves the session ready.
class CopyReader final : public BatchReader {
 public:
  /// `busy` is true for as long as the session streams for this reader.
  CopyReader(Connection& connection, const ReadPlan& plan, bool& busy);
  ~CopyReader() override;
  bool next(Batch& batch) override;

 private:
  bool fetch();
  std::string place() const;

  Connection& connection_;
  bool& busy_;
  ReadPlan plan_;
  CopyDecoder decoder_;
  std::string held_;  ///< a row that did not fit into the batch before
  std::string_view row_;
  bool first_ = true;
  bool ended_ = false;
  std::uint64_t rows_ = 0;
};

}  // namespace tidemark::postgres
