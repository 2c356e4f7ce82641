#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "connector/sql/dialect.h"
#include "connector/sql/session.h"
#include "core/error.h"

namespace tidemark::sql {

/// Small and readable: doubled quotes, no hex, PostgreSQL's types by their logical names.
class TestDialect : public Dialect {
 public:
  std::string quote(std::string_view identifier) const override {
    std::string result = "\"";
    for (const char c : identifier)
      result += c == '"' ? "\"\"" : std::string(1, c);
    return result + "\"";
  }
  std::string literal(const Value& value) const override {
    if (value.null) return "NULL";
    if (is_integer(value.type.kind)) return value.text;
    std::string result = "'";
    for (const char c : value.text)
      result += c == '\'' ? "''" : std::string(1, c);
    return result + "'";
  }
  Lexis lexis() const override { return lexis_; }
  ColumnVerdict column_type(const Column& column, bool) const override {
    ColumnVerdict verdict{.column = column.name, .target_type = to_string(column.type)};
    if (column.type.kind == TypeKind::interval) {
      verdict.fidelity = Fidelity::impossible;
      verdict.reason = "there is no interval here";
    }
    return verdict;
  }
  ColumnVerdict fits(const Column& arriving, const Column& existing) const override {
    ColumnVerdict verdict{.column = arriving.name, .target_type = existing.native_type};
    if (arriving.type.kind == existing.type.kind) return verdict;
    const bool both_whole = is_integer(arriving.type.kind) && is_integer(existing.type.kind);
    if (both_whole && arriving.type.kind < existing.type.kind) return verdict;
    verdict.fidelity = both_whole ? Fidelity::lossy : Fidelity::impossible;
    verdict.reason = both_whole ? "large numbers do not fit" : "these types do not meet";
    return verdict;
  }
  std::optional<std::string> widen(const TableName& name, const Column& existing,
                                   std::string_view native_type) const override {
    return "ALTER TABLE " + table(name) + " ALTER " + quote(existing.name) + " TYPE " +
           std::string(native_type);
  }
  std::string differs(std::string_view left, std::string_view right,
                      const std::vector<std::string>& columns) const override {
    std::string result;
    for (const std::string& column : columns)
      result += (result.empty() ? "" : " OR ") + std::string(left) + "." + quote(column) +
                " IS NOT " + std::string(right) + "." + quote(column);
    return result;
  }
  UpdateJoin update_join() const override { return join_; }
  std::string_view begin() const override { return "BEGIN"; }
  std::string_view one_at_a_time() const override { return "LOCK"; }
  std::string_view now_micros() const override { return "now()"; }
  std::string_view for_update() const override { return " FOR UPDATE"; }
  std::string_view for_share() const override { return " FOR SHARE"; }
  std::string_view text_type() const override { return "text"; }
  std::string_view bigint_type() const override { return "bigint"; }
  std::string_view key_text_type() const override { return "varchar(64)"; }
  std::string_view table_options() const override { return options_; }

  Lexis lexis_ = {};
  UpdateJoin join_ = UpdateJoin::from_clause;
  std::string options_;
};

/// Answers statements by a function, and keeps them.
class ScriptedSession : public Session {
 public:
  using Answer = std::function<Result(const std::string&)>;
  explicit ScriptedSession(Answer answer) : answer_(std::move(answer)) {}
  Result execute(std::string_view statement) override {
    statements.emplace_back(statement);
    return answer_(statements.back());
  }
  std::vector<std::string> statements;

 private:
  Answer answer_;
};

}  // namespace tidemark::sql
