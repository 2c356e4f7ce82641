#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connector/postgres/connection.h"
#include "connector/postgres/types.h"
#include "connector/sql/target_planner.h"
#include "core/names.h"
#include "core/source.h"

namespace tidemark::postgres {

/// A column as pg_attribute has it.
struct TableColumn {
  std::string name;
  WireType wire;            ///< of a domain: of the type below it
  std::string native_name;  ///< as format_type() prints it
  std::string base_name;    ///< the same, but of the type below a domain
  int attribute = 0;
  bool not_null = false;
  std::string default_expression = {};  ///< "" for none
  char identity = '\0';                 ///< 'a' always, 'd' by default
  char generated = '\0';                ///< 's' stored
};

/// A table, view or the like as the catalogue has it.
struct TableFacts {
  Oid oid = 0;
  char kind = 'r';  ///< pg_class.relkind
  std::vector<TableColumn> columns;
  std::vector<std::string> primary_key = {};
  std::vector<std::vector<std::string>> unique_indexes = {};  ///< usable for ON CONFLICT
  /// Unique and exclusion indexes of any kind that are checked with each row.
  std::size_t immediate_indexes = 0;
  double estimated_rows = 0;
  bool key_pending = false;  ///< marked so: a first load has put its key off (late_key.h)

  const TableColumn* column(const std::string& name) const;
};

/// nullopt where there is no such table.
std::optional<TableFacts> find_table(Connection& connection, const TableName& name);
std::optional<TableFacts> find_table(Connection& connection, Oid oid);
/// Throws Error{schema} where there is none.
TableFacts require_table(Connection& connection, const TableName& name);

/// Source::describe.
SourceDescription describe_relation(Connection& connection, const Relation& relation);

/// Kind and limits; a type without a logical kind is native, by the name below any domain.
Type type_of(const TableColumn& column);

/// Target::describe.
Target::TableDescription describe_table(const TableFacts& facts);
/// For the planner. Identity columns GENERATED ALWAYS can be inserted but never updated, so they
/// count as writable only where they belong to the key of an upsert or an append.
sql::ExistingTable existing_table(const TableFacts& facts, const WriteSpec& spec);

}  // namespace tidemark::postgres
