#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connector/mysql/params.h"
#include "connector/mysql/session.h"

namespace tidemark::mysql {

/// A statement that is run for rows: "INSERT INTO t (a, b) VALUES " + "(?, ?)" + " ON DUPLICATE …".
struct RowStatement {
  std::string head;
  std::vector<std::string> columns;  ///< of the batch, in the order of the placeholders
  std::string tail;
  /// A DELETE has no list of rows: its conditions over one row, with placeholders, or "".
  std::string condition = {};
};

/// Runs one statement for the rows of batches: bulk binds on MariaDB (88,000 rows/s of an upsert
/// against 64,000 with VALUES lists and 7,500 row by row: docs/performance.md), VALUES lists on
/// MySQL 8, in pieces that max_allowed_packet takes. Worker thread, the session's.
class RowWriter {
 public:
  struct Counts {
    std::uint64_t affected = 0;
    std::uint64_t duplicates = 0;  ///< of INSERT … ON DUPLICATE KEY UPDATE: rows it changed
  };

  RowWriter(Session& session, const MysqlDialect& dialect, RowStatement statement,
            std::vector<WrittenColumn> columns, bool bulk);
  ~RowWriter();
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

  Counts run(const Batch& batch, std::span<const std::uint32_t> rows);

 private:
  Counts run_rows(const Batch& batch, std::span<const std::uint32_t> rows, bool bulk);
  Counts run_enum_errors(const Batch& batch, std::span<const std::uint32_t> rows);
  bool holds_enum_error(const Batch& batch, std::size_t row) const;
  std::size_t piece(const Batch& batch, std::span<const std::uint32_t> rows) const;
  Counts run_bulk(const Batch& batch, std::span<const std::uint32_t> rows);
  Counts run_text(const Batch& batch, std::span<const std::uint32_t> rows);
  std::string placeholders() const;
  std::string row_text(const Batch& batch, std::size_t row) const;
  void map_columns(const Batch& batch);

  Session& session_;
  const MysqlDialect& dialect_;
  RowStatement statement_;
  std::vector<WrittenColumn> columns_;
  bool bulk_;
  st_mysql_stmt* prepared_ = nullptr;
  std::vector<ParamColumn> params_;
  std::vector<std::size_t> sources_;  ///< index in the batch of each column
};

/// "Records: 3  Duplicates: 1  Warnings: 0" and "Rows matched: 3  Changed: 1 …": the figure behind
/// `name`, 0 where it is not there.
std::uint64_t info_figure(std::string_view info, std::string_view name);

}  // namespace tidemark::mysql
