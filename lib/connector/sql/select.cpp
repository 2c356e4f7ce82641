#include "connector/sql/select.h"

#include <algorithm>
#include <cctype>

#include "connector/sql/query_scanner.h"
#include "core/error.h"

namespace tidemark::sql {
namespace {

constexpr std::string_view alias = "tidemark_rows";

[[noreturn]] void contradiction(const char* what) {
  throw Error({.kind = FailureKind::internal, .message = what, .operation = "plan a read"});
}

/// `a.b` stays as it is, anything that could bind looser than a comparison gets parentheses.
std::string operand(const std::string& expression) {
  const bool plain = std::all_of(expression.begin(), expression.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '"' || c == '`' || c >= 0x80;
  });
  return plain ? expression : "(" + expression + ")";
}

void add(std::string& conjunction, const std::string& condition) {
  if (condition.empty()) return;
  if (!conjunction.empty()) conjunction += " AND ";
  conjunction += condition;
}

/// A piece of the user's SQL in parentheses. The line break ends a comment that it may close with.
std::string enclosed(std::string_view sql) {
  return "(" + std::string(sql) + "\n)";
}

/// The plan's bounds over given expressions: column names, or what they are inside a query.
class Bounds {
 public:
  Bounds(const ReadPlan& plan, const Dialect& dialect, std::string cursor,
         std::vector<std::string> key)
      : plan_(plan), dialect_(dialect), cursor_(std::move(cursor)), key_(std::move(key)) {}

  std::string predicate() const {
    std::string result;
    add(result, behind());
    if (plan_.from) add(result, cursor() + " >= " + literal(*plan_.from));
    if (plan_.below) add(result, cursor() + " < " + literal(*plan_.below));
    add(result, null_condition());
    if (plan_.range) {
      add(result, range_side(plan_.range->lower, Side::at_or_above));
      add(result, range_side(plan_.range->upper, Side::below));
    }
    return result;
  }

 private:
  std::string literal(const Value& value) const { return dialect_.literal(value); }

  const std::string& cursor() const {
    if (cursor_.empty()) contradiction("a bound on the cursor of a read that has none");
    return cursor_;
  }

  std::vector<std::string> literals(const std::vector<Value>& values) const {
    std::vector<std::string> result;
    for (const Value& value : values)
      result.push_back(literal(value));
    return result;
  }

  std::string behind() const {
    if (!plan_.after) return {};
    const Position& after = *plan_.after;
    if (!after.key.empty() && after.key.size() != key_.size())
      contradiction("a position whose key has another number of parts than the job's");
    std::vector<std::string> expressions;
    std::vector<std::string> values = literals(after.key);
    if (!after.cursor.null) {
      expressions.push_back(cursor());
      values.insert(values.begin(), literal(after.cursor));
    }
    if (!after.key.empty()) expressions.insert(expressions.end(), key_.begin(), key_.end());
    if (expressions.empty()) return {};
    return tuple_bound(expressions, values, Side::above);
  }

  std::string null_condition() const {
    if (!plan_.cursor) return {};
    if (plan_.null_cursor == NullCursor::only) return cursor() + " IS NULL";
    // A comparison leaves NULLs out by itself.
    if (plan_.from || plan_.below || (plan_.after && !plan_.after->cursor.null)) return {};
    const std::size_t index = find_column(plan_.columns, plan_.cursor->column);
    if (index != npos && !plan_.columns[index].nullable) return {};
    return cursor() + " IS NOT NULL";
  }

  std::string range_side(const std::vector<Value>& values, Side side) const {
    if (values.empty()) return {};
    if (values.size() > key_.size()) contradiction("a key range with more parts than the key");
    const std::vector<std::string> expressions(
        key_.begin(), key_.begin() + static_cast<std::ptrdiff_t>(values.size()));
    return tuple_bound(expressions, literals(values), side);
  }

  const ReadPlan& plan_;
  const Dialect& dialect_;
  std::string cursor_;
  std::vector<std::string> key_;
};

Bounds output_bounds(const ReadPlan& plan, const Dialect& dialect) {
  std::vector<std::string> key;
  for (const KeyPart& part : plan.key)
    key.push_back(dialect.quote(part.column));
  return {plan, dialect, plan.cursor ? dialect.quote(plan.cursor->column) : std::string(),
          std::move(key)};
}

Bounds source_bounds(const ReadPlan& plan, const Dialect& dialect) {
  std::vector<std::string> key;
  for (const KeyPart& part : plan.key)
    key.push_back(operand(part.source));
  return {plan, dialect, plan.cursor ? operand(plan.cursor->expression) : std::string(),
          std::move(key)};
}

std::string column_list(const ReadPlan& plan, const Dialect& dialect,
                        const SelectOptions& options) {
  if (plan.columns.empty()) contradiction("a read of no columns");
  std::string list;
  for (const Column& column : plan.columns) {
    if (!list.empty()) list += ", ";
    const std::string quoted = dialect.quote(column.name);
    const std::string expression = options.read ? options.read(column, quoted) : quoted;
    list += expression;
    if (expression != quoted) list += " AS " + quoted;
  }
  return list;
}

/// Qualified, because a bare name in ORDER BY would mean the output column, which may be a text
/// form of the value and sort otherwise.
std::string order_by(const ReadPlan& plan, const Dialect& dialect, const std::string& qualifier) {
  std::vector<std::string> names;
  if (plan.order == ReadOrder::cursor) {
    if (!plan.cursor) contradiction("cursor order without a cursor");
    if (plan.null_cursor == NullCursor::exclude) names.push_back(plan.cursor->column);
  }
  if (plan.order != ReadOrder::none)
    for (const KeyPart& part : plan.key)
      if (std::find(names.begin(), names.end(), part.column) == names.end())
        names.push_back(part.column);
  std::string list;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ", ") + qualifier + "." + dialect.quote(name);
  return list.empty() ? "" : " ORDER BY " + list;
}

void check_relation(const Relation& relation) {
  if (relation.table.has_value() == !relation.query.empty())
    contradiction("a relation must be either a table or a query");
}

}  // namespace

std::string tuple_bound(const std::vector<std::string>& expressions,
                        const std::vector<std::string>& literals, Side side) {
  std::string result;
  for (std::size_t left = expressions.size(); left-- > 0;) {
    const std::string& e = expressions[left];
    const std::string& v = literals[left];
    const std::string_view strict = side == Side::below ? " < " : " > ";
    const std::string_view loose = side == Side::below ? " <= " : " >= ";
    if (result.empty()) {
      result = e + std::string(side == Side::at_or_above ? loose : strict) + v;
    } else {
      result = e + std::string(loose) + v + " AND (" + e + std::string(strict) + v + " OR (" + e +
               " = " + v + " AND " + result + "))";
    }
  }
  return result;
}

void check_query(std::string_view query, const Dialect& dialect) {
  scan_query(query, dialect.lexis());
}

std::string from_clause(const Relation& relation, const Dialect& dialect) {
  check_relation(relation);
  if (relation.table) return dialect.table(*relation.table);
  const ScannedQuery query = scan_query(relation.query, dialect.lexis());
  return enclosed(query.with_cursor("1=1")) + " AS " + std::string(alias);
}

std::string describe_query(std::string_view query, const Dialect& dialect) {
  return describe_relation({.query = std::string(query)}, dialect);
}

std::string describe_relation(const Relation& relation, const Dialect& dialect) {
  return "SELECT * FROM " + from_clause(relation, dialect) + " WHERE 1=0";
}

std::string build_select(const ReadPlan& plan, const Dialect& dialect,
                         const SelectOptions& options) {
  check_relation(plan.relation);
  std::string conditions;
  if (!plan.relation.where.empty()) conditions = enclosed(plan.relation.where);
  std::string from;
  std::string qualifier;
  if (plan.relation.table) {
    from = qualifier = dialect.table(*plan.relation.table);
    add(conditions, output_bounds(plan, dialect).predicate());
  } else {
    qualifier = alias;
    const ScannedQuery query = scan_query(plan.relation.query, dialect.lexis());
    std::string inside = "1=1";
    if (query.markers.empty()) {
      add(conditions, output_bounds(plan, dialect).predicate());
    } else if (const std::string bounds = source_bounds(plan, dialect).predicate();
               !bounds.empty()) {
      inside = "(" + bounds + ")";
    }
    from = enclosed(query.with_cursor(inside)) + " AS " + std::string(alias);
  }
  std::string sql = "SELECT " + column_list(plan, dialect, options) + " FROM " + from;
  if (!conditions.empty()) sql += " WHERE " + conditions;
  sql += order_by(plan, dialect, qualifier);
  const std::uint64_t limit = options.limit == 0   ? plan.max_rows
                              : plan.max_rows == 0 ? options.limit
                                                   : std::min(options.limit, plan.max_rows);
  if (limit != 0) sql += " LIMIT " + std::to_string(limit);
  return sql;
}

}  // namespace tidemark::sql
