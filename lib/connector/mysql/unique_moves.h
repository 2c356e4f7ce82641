#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "connector/mysql/catalogue.h"
#include "connector/mysql/params.h"
#include "connector/mysql/session.h"
#include "core/batch.h"

namespace tidemark::mysql {

/// Rows that exchange values of a secondary unique index: `a` and `b` swapped, or passed round. The
/// server checks uniqueness row by row, so one UPDATE of all of them fails although the end would
/// be right. Rows that stand in the way of another row of the same statement, and that the
/// statement writes itself, are taken out of the table first and put back with their new values, in
/// the same transaction. Columns that the job does not write come back as they were; foreign keys
/// that refer to such a row are not followed meanwhile, and hold again afterwards. A row that the
/// statement does not write is never touched: meeting it stays an error.
///
/// Owned by the write plan; worker thread.
class UniqueMoves {
 public:
  UniqueMoves(Session& session, const MysqlDialect& dialect, const CatalogueTable& table,
              const std::vector<WrittenColumn>& columns, const std::vector<WrittenColumn>& key);

  /// Whether rows can meet anywhere but at the key, as far as it can be looked into: in an index
  /// over whole columns that are all written.
  bool possible() const noexcept { return !indexes_.empty(); }
  /// Before the transaction: the table that holds what is taken out.
  void make_temporary();
  /// Takes out what stands in the way of the rows in `staged` (SQL); how many rows that is.
  std::uint64_t take_out(const std::string& staged);
  /// Puts back what `take_out` took, with the values of `staged`.
  void put_back(const std::string& staged);

  /// After a failure: the first of `rows` that meets, in a unique index, a row of the table that
  /// `staged` does not write. nullopt: none does.
  std::optional<std::uint32_t> first_collision(const std::string& staged, const Batch& batch,
                                               std::span<const std::uint32_t> rows);

 private:
  std::string list(const std::vector<std::string>& columns, const std::string& qualifier) const;
  bool any_collides(const std::string& staged, const Batch& batch,
                    std::span<const std::uint32_t> rows);
  bool written(const std::string& column) const;

  Session& session_;
  const MysqlDialect& dialect_;
  std::string table_;             ///< SQL
  std::string parked_;            ///< SQL
  std::vector<std::string> all_;  ///< columns that can be written at all
  std::vector<std::string> own_;  ///< columns that the job writes
  std::vector<std::string> key_;
  std::vector<WrittenColumn> key_columns_;
  std::vector<std::vector<std::string>> indexes_;
  bool made_ = false;
};

}  // namespace tidemark::mysql
