#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connector/sql/dialect.h"
#include "core/target.h"

namespace tidemark::sql {

/// A replacement from a staging table whose columns have the same names as the target's.
struct Replacement {
  TableName table;
  TableName staging;
  Schema columns;                                 ///< written columns, key columns among them
  std::vector<std::string> key = {};              ///< unique in the target; empty: keyless
  std::map<std::string, std::string> scope = {};  ///< bounds the rows that may be touched
};

/// Set-based statements that make the scope's rows of `table` equal to `staging`, to be run in this
/// order in one transaction; `affected` of each is the count. Keyless: `erase` deletes all rows of
/// the scope, `update` is empty, `insert` copies all.
struct ReplaceStatements {
  std::string erase;
  std::string update;  ///< empty when there is nothing but key columns, or no key
  std::string insert;
};
ReplaceStatements replace_statements(const Replacement& replacement, const Dialect& dialect);

/// One row where a key stands twice in staging, none where all is well; "" without a key.
std::string duplicate_key_query(const Replacement& replacement, const Dialect& dialect);
/// One row where staging holds a row outside the scope; "" without a scope.
std::string outside_scope_query(const Replacement& replacement, const Dialect& dialect);

/// `column = constant AND …` over the scope, "" without one; `qualifier` is SQL already.
std::string scope_predicate(const std::map<std::string, std::string>& scope, const Schema& columns,
                            std::string_view qualifier, const Dialect& dialect);

/// The staging table of a job for a target table: the same at each start, so that one left by a
/// crash is found and dropped; short enough for every database (at most 63 bytes).
TableName staging_table(const JobKey& job, const std::string& metadata_schema);

}  // namespace tidemark::sql
