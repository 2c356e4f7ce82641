#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connector/sql/target_planner.h"
#include "connector/sqlite/connection.h"
#include "core/names.h"
#include "core/source.h"

namespace tidemark::sqlite {

/// What sqlite_master and the table pragmas say. Used on the connection's thread.

struct CatalogColumn {
  std::string name;
  std::string declared;
  std::string default_value;  ///< as SQL; "" without one
  bool not_null = false;
  int key_position = 0;  ///< 1 for the first column of the primary key; 0: none
  bool generated = false;
};

struct CatalogTable {
  TableName name;
  bool is_view = false;
  bool without_rowid = false;
  bool autoincrement = false;
  bool strict = false;
  std::vector<CatalogColumn> columns;

  const CatalogColumn* column(const std::string& name) const;
  std::vector<std::string> primary_key() const;
  /// INTEGER PRIMARY KEY: the row's own number. "" without one.
  std::string rowid_alias() const;
};

/// nullopt: there is no such table or view. Throws Error{schema} for a schema other than main.
std::optional<CatalogTable> find_table(Connection& connection, const TableName& name);
/// Unique indexes over plain columns without predicate that compare by bytes, the primary key's
/// too.
std::vector<std::vector<std::string>> unique_indexes(Connection& connection,
                                                     const CatalogTable& table);
/// SQL of the triggers on a table.
std::vector<std::string> triggers_of(Connection& connection, const TableName& name);

/// The table as the target planner wants it, every column with the logical type it may have
/// (native for those without one).
std::optional<sql::ExistingTable> describe_target(Connection& connection, const TableName& name);

/// The columns of a relation, from declared types; for an expression of a query, from the affinity
/// that SQLite gives it.
SourceDescription describe_source(Connection& connection, const Relation& relation);

/// The table and column that a column of a relation stands for; nullopt for an expression.
struct Origin {
  TableName table;
  std::string column;
};
std::optional<Origin> origin_of(Connection& connection, const Relation& relation,
                                const std::string& column);

/// What the catalogue shows of a cursor column (docs/guarantees.md: C1, C2, C4).
CursorEvidence inspect_cursor(Connection& connection, const Relation& relation,
                              const CursorRef& cursor);

}  // namespace tidemark::sqlite
