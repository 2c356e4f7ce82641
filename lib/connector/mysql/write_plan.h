#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connector/mysql/catalogue.h"
#include "connector/mysql/row_writer.h"
#include "connector/mysql/self_references.h"
#include "connector/mysql/unique_moves.h"
#include "core/target.h"

namespace tidemark::mysql {

/// How the rows of one job reach one table, decided from the catalogue once a run and kept with its
/// prepared statements. Owned by the target session; worker thread.
///
/// An upsert is INSERT … ON DUPLICATE KEY UPDATE only where the job's key is the table's only
/// unique index and compares by bytes: with another index the statement would change whatever row
/// it meets there, with another collation it would merge keys. Else rows go to a temporary table
/// with the key's collation, then UPDATE … JOIN and INSERT of what is missing (decisions: 20).
class WritePlan {
 public:
  /// `bulk` false: VALUES lists, as MySQL 8 needs them.
  WritePlan(Session& session, const MysqlDialect& dialect, WriteSpec spec,
            const CatalogueTable& table, std::vector<TargetColumn> columns, bool bulk);

  /// Why rows of a table can't be written by ON DUPLICATE KEY UPDATE, and go through a temporary
  /// table; "": they can.
  static std::string why_staged(const CatalogueTable& table, const std::vector<std::string>& key);

  const WriteSpec& spec() const noexcept { return spec_; }
  const std::vector<WrittenColumn>& columns() const noexcept { return columns_; }
  const std::vector<WrittenColumn>& key() const noexcept { return key_; }
  bool direct() const noexcept { return direct_; }
  /// Whether the table has a unique index over exactly the key.
  bool key_is_unique() const noexcept { return key_is_unique_; }
  const TableName& table() const noexcept { return table_; }

  /// For a replacement, which moves values of unique indexes within its own staging table.
  UniqueMoves& moves() noexcept { return moves_; }
  /// Likewise, whose rows may refer to each other.
  SelfReferences& relatives() noexcept { return relatives_; }

  /// Before the transaction: the temporary tables of a staged upsert, made once.
  void make_temporary();
  WriteCounts upsert(const Batch& batch, std::span<const std::uint32_t> rows);
  /// Leaves rows that are there as they are.
  WriteCounts insert_missing(const Batch& batch, std::span<const std::uint32_t> rows);
  WriteCounts append(const Batch& batch, std::span<const std::uint32_t> rows);
  WriteCounts erase(const Batch& keys, std::span<const std::uint32_t> rows);
  /// Appends to a staging table of a replacement.
  void stage(const TableName& staging, const Batch& batch, std::span<const std::uint32_t> rows);
  /// DDL of a staging table with the columns and collations of the target.
  std::string staging_definition(const TableName& staging, bool temporary) const;

  /// A data error of the server, told in terms of this table: the column it names, if it is one of
  /// ours.
  Error located(const Error& error) const;

 private:
  void make_staging_table();
  WriteCounts upsert_directly(const Batch& batch, std::span<const std::uint32_t> rows);
  std::uint64_t update_staged();
  WriteCounts upsert_staged(const Batch& batch, std::span<const std::uint32_t> rows);
  WriteCounts upsert_relatives(const Batch& batch, std::span<const std::uint32_t> rows);
  void stage_for_key(const Batch& batch, std::span<const std::uint32_t> rows);
  std::uint64_t insert_staged();
  void refuse_collisions();
  std::string column_list(const std::string& qualifier = {}) const;
  bool in_key(const std::string& column) const;
  RowWriter& insert_into(std::unique_ptr<RowWriter>& writer, const std::string& table,
                         const std::string& tail = {});

  Session& session_;
  const MysqlDialect& dialect_;
  WriteSpec spec_;
  TableName table_;
  TableName temporary_;
  std::vector<WrittenColumn> columns_;
  std::vector<WrittenColumn> key_;
  UniqueMoves moves_;
  SelfReferences relatives_;
  bool bulk_;
  bool key_is_unique_ = false;
  bool direct_ = false;
  bool temporary_made_ = false;
  std::unique_ptr<RowWriter> upserter_;
  std::unique_ptr<RowWriter> inserter_;
  std::unique_ptr<RowWriter> appender_;
  std::unique_ptr<RowWriter> eraser_;
  std::unique_ptr<RowWriter> stager_;
};

}  // namespace tidemark::mysql
