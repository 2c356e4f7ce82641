#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connector/sql/dialect.h"
#include "core/target.h"

namespace tidemark::sql {

/// A target table as its catalogue shows it, as far as planning needs it.
struct ExistingTable {
  Target::TableDescription description;
  /// Columns of each unique index over plain columns without predicate, the primary key too.
  std::vector<std::vector<std::string>> unique_indexes = {};
  /// Columns that get a value when an INSERT leaves them out (default, identity, nullable ones may
  /// be left out here).
  std::set<std::string> defaulted = {};
  /// Columns that can't be written (generated, always-identity).
  std::set<std::string> generated = {};
};

/// What would happen at the target: DDL, a verdict per column, problems, drift. Looks only at its
/// arguments; any thread. `existing` nullopt: there is no such table. Never drops or narrows.
TargetPlan plan_target(const WriteSpec& spec, const std::optional<ExistingTable>& existing,
                       const Dialect& dialect);

/// The columns that a Load of this spec writes: those of the spec without the plan's ignored ones.
std::vector<TargetColumn> written_columns(const WriteSpec& spec, const TargetPlan& plan);

/// Whether a unique index has exactly these columns, in any order.
bool is_unique_key(const ExistingTable& table, const std::vector<std::string>& key);
/// Unique indexes other than the key's: rows may meet there (secondary unique keys).
bool has_other_unique_index(const ExistingTable& table, const std::vector<std::string>& key);

/// Of WritePath, for a replacement: what the rows go into.
inline constexpr const char* into_staging_table =
    " into a staging table, which is compared with the table and exchanged in one transaction";

enum class KeyMade { at_once, later };

/// CREATE TABLE with the key as NOT NULL PRIMARY KEY (`later`: NOT NULL alone); other columns are
/// as nullable as they arrive.
std::string create_table(const TableName& name, const std::vector<TargetColumn>& columns,
                         const std::vector<std::string>& key, const Dialect& dialect,
                         KeyMade made = KeyMade::at_once);

}  // namespace tidemark::sql
