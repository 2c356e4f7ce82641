#pragma once

#include <map>
#include <utility>

#include "connector/mysql/native_type.h"
#include "connector/mysql/session.h"
#include "connector/sql/dialect.h"

namespace tidemark::mysql {

/// MariaDB's and MySQL's SQL. Stateless but for the flavor; any thread.
///
/// Types it creates: text of up to 1024 characters is VARCHAR, longer or unlimited text LONGTEXT
/// (a row of VARCHARs may not pass 65,535 bytes in all); instants are DATETIME in UTC, because
/// TIMESTAMP ends in 2038; booleans are TINYINT(1). The last two carry a column comment by which
/// `describe` knows them again. Its own types without a logical kind are made as they were, those
/// of other connectors are texts, but for bit strings of up to 64 digits, which are BIT. Keys
/// compare by bytes: utf8mb4_nopad_bin on MariaDB, utf8mb4_0900_bin on MySQL 8 (not tested against
/// a server).
class MysqlDialect final : public sql::Dialect {
 public:
  /// What ALTER TABLE … MODIFY must say again of each column (NOT NULL, DEFAULT, COMMENT), as SQL;
  /// a column that is not in it can't be widened.
  using Attributes = std::map<std::string, std::string>;

  explicit MysqlDialect(Flavor flavor, Attributes attributes = {})
      : flavor_(flavor), attributes_(std::move(attributes)) {}

  std::string quote(std::string_view identifier) const override;
  std::string literal(const Value& value) const override;
  sql::Lexis lexis() const override;
  ColumnVerdict column_type(const Column& column, bool in_key) const override;
  ColumnVerdict fits(const Column& arriving, const Column& existing) const override;
  std::optional<std::string> widen(const TableName& table, const Column& existing,
                                   std::string_view native_type) const override;
  std::string differs(std::string_view left, std::string_view right,
                      const std::vector<std::string>& columns) const override;
  sql::UpdateJoin update_join() const override { return sql::UpdateJoin::join_clause; }
  std::string_view begin() const override { return "START TRANSACTION"; }
  std::string_view one_at_a_time() const override { return ""; }
  std::string_view now_micros() const override;
  std::string_view for_update() const override { return " FOR UPDATE"; }
  std::string_view for_share() const override { return " LOCK IN SHARE MODE"; }
  std::string_view text_type() const override;
  std::string_view bigint_type() const override { return "BIGINT"; }
  std::string_view key_text_type() const override;
  std::string_view table_options() const override;

  const Flavor& flavor() const noexcept { return flavor_; }
  /// The collation that compares text by bytes, trailing blanks included.
  std::string_view binary_collation() const noexcept;

 private:
  ColumnVerdict native_column(const Column& column, bool in_key) const;
  bool holds_natively(const NativeType& type) const;

  Flavor flavor_;
  Attributes attributes_;
};

/// MariaDB stores the parts of a UUID in another order, unless it is of an unknown version and
/// variant; what would then be ambiguous it takes for no UUID.
inline constexpr const char* uuid_note =
    "of version 8 to f with a variant of 0 to 7, which no standard makes, are refused";

/// Comments on columns made by us, by which their logical type is known again.
inline constexpr std::string_view boolean_comment = "boolean";
inline constexpr std::string_view instant_comment = "instant, in UTC";

}  // namespace tidemark::mysql
