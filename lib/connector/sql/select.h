#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "connector/sql/dialect.h"
#include "core/source.h"

namespace tidemark::sql {

struct SelectOptions {
  /// The expression that reads a column, given the column and its quoted name; empty: the name.
  std::function<std::string(const Column& column, const std::string& quoted)> read = {};
  std::uint64_t limit = 0;  ///< of a page, beside the plan's max_rows; 0: none
};

/// The SELECT of a ReadPlan: its columns in order, its bounds, its ORDER BY. Values stand in the
/// text as Dialect::literal writes them. Any thread. Throws Error{schema} for a query that can't
/// be read in parts (see check_query) and Error{internal} for a plan that contradicts itself.
///
/// A query is wrapped: SELECT … FROM (query) AS tidemark_rows. Its {{cursor}} takes the range over
/// the source expressions (`1=1` without any); a query without {{cursor}} is bounded outside, over
/// its output names. A table is bounded over its column names. NULL cursors are left out unless the
/// plan asks for only them.
std::string build_select(const ReadPlan& plan, const Dialect& dialect,
                         const SelectOptions& options = {});

/// The relation as it may stand behind FROM, with {{cursor}} unbounded: a quoted table, or the
/// query in parentheses with its alias. For catalogue questions (max, min, split).
std::string from_clause(const Relation& relation, const Dialect& dialect);

/// A SELECT of all columns that returns no rows: for column names and types, which come from the
/// server and never from data.
std::string describe_relation(const Relation& relation, const Dialect& dialect);
std::string describe_query(std::string_view query, const Dialect& dialect);

/// Throws Error{schema} for a query with a top-level ORDER BY, LIMIT, OFFSET or FETCH, with several
/// statements, which is no SELECT, or whose {{cursor}} stands in quotes or in a comment.
void check_query(std::string_view query, const Dialect& dialect);

/// "(k1, k2) > (v1, v2)" and its likes, in the form that every database turns into an index range:
/// `k1 >= v1 AND (k1 > v1 OR (k1 = v1 AND k2 > v2))`. Expressions and literals are SQL already.
enum class Side { above, at_or_above, below };
std::string tuple_bound(const std::vector<std::string>& expressions,
                        const std::vector<std::string>& literals, Side side);

}  // namespace tidemark::sql
