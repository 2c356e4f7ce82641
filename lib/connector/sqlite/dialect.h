#pragma once

#include <set>
#include <string>

#include "connector/sql/dialect.h"

namespace tidemark::sqlite {

/// SQL functions that each of our connections has (connection.cpp): the first counts its calls, the
/// second compares pairs of values by storage class and bytes.
inline constexpr const char* met_function = "tidemark_met";
inline constexpr const char* differs_function = "tidemark_differs";

/// Microseconds since 1970; SQLite's clock has milliseconds.
inline constexpr std::string_view now_expression =
    "(CAST((julianday('now') - 2440587.5) * 86400000.0 + 0.5 AS INTEGER) * 1000)";

/// SQLite's SQL. Any thread.
class SqliteDialect : public sql::Dialect {
 public:
  SqliteDialect() = default;
  /// `bitwise`: columns that hold values which SQLite's IS takes for equal though their bytes
  /// differ (floats in columns without affinity).
  explicit SqliteDialect(std::set<std::string> bitwise) : bitwise_(std::move(bitwise)) {}

  std::string quote(std::string_view identifier) const override;
  std::string literal(const Value& value) const override;
  sql::Lexis lexis() const override;
  ColumnVerdict column_type(const Column& column, bool in_key) const override;
  ColumnVerdict fits(const Column& arriving, const Column& existing) const override;
  std::optional<std::string> widen(const TableName& table, const Column& existing,
                                   std::string_view native_type) const override;
  std::string differs(std::string_view left, std::string_view right,
                      const std::vector<std::string>& columns) const override;
  sql::UpdateJoin update_join() const override { return sql::UpdateJoin::from_clause; }
  std::string_view begin() const override { return "BEGIN IMMEDIATE"; }
  std::string_view one_at_a_time() const override { return ""; }
  std::string_view now_micros() const override { return now_expression; }
  std::string_view for_update() const override { return ""; }
  std::string_view for_share() const override { return ""; }
  std::string_view text_type() const override { return "TEXT"; }
  std::string_view bigint_type() const override { return "INTEGER"; }
  std::string_view key_text_type() const override { return "TEXT"; }
  std::string_view table_options() const override { return ""; }

 private:
  std::set<std::string> bitwise_;
};

/// The form in which a uint64 is held: itself, or text of 20 digits above 2^63-1.
std::string wide_unsigned(std::string_view digits);

}  // namespace tidemark::sqlite
