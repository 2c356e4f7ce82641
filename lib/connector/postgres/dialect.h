#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "connector/sql/dialect.h"

namespace tidemark::postgres {

/// SQL for a time or an interval as microseconds.
inline std::string micros(std::string_view when) {
  return "(extract(epoch FROM " + std::string(when) + ") * 1000000)::bigint";
}

/// How PostgreSQL writes SQL, with standard_conforming_strings on (sessions pin it). Any thread.
class PostgresDialect final : public sql::Dialect {
 public:
  PostgresDialect() = default;
  /// `absent`: names of types that a database lacks, so that their values are held as text there.
  explicit PostgresDialect(std::set<std::string> absent) : absent_(std::move(absent)) {}

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
  std::string_view begin() const override { return "BEGIN ISOLATION LEVEL READ COMMITTED"; }
  /// Two sessions in CREATE TABLE IF NOT EXISTS at once meet as a duplicate row, type or table,
  /// depending on how far the other got. The number is ours: "tidemark" as bytes.
  std::string_view one_at_a_time() const override {
    return "SELECT pg_catalog.pg_advisory_xact_lock(8388346167743836779)";
  }
  std::string_view now_micros() const override {
    static const std::string now = micros("clock_timestamp()");
    return now;
  }
  std::string_view for_update() const override { return " FOR UPDATE"; }
  std::string_view for_share() const override { return " FOR SHARE"; }
  std::string_view text_type() const override { return "text"; }
  std::string_view bigint_type() const override { return "bigint"; }
  std::string_view key_text_type() const override { return "text"; }
  std::string_view table_options() const override { return ""; }

  /// 'text' with what it needs doubled: for catalogue questions, where hex would not be readable.
  static std::string quote_text(std::string_view text);
  /// "a", "b": names quoted and joined.
  std::string list(const std::vector<std::string>& names, std::string_view before = "") const;

 private:
  ColumnVerdict native_column(const Column& column) const;

  std::set<std::string> absent_;
};

const PostgresDialect& dialect();

}  // namespace tidemark::postgres
