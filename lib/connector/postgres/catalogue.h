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
  WireType wire;
  std::string native_name;  ///< as format_type() prints it
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
  double estimated_rows = 0;

  const TableColumn* column(const std::string& name) const;
};

/// nullopt where there is no such table.
std::optional<TableFacts> find_table(Connection& connection, const TableName& name);
std::optional<TableFacts> find_table(Connection& connection, Oid oid);
/// Throws Error{schema} where there is none.
TableFacts require_table(Connection& connection, const TableName& name);

/// Source::describe.
SourceDescription describe_relation(Connection& connection, const Relation& relation);

/// Target::describe: all columns, those of types not carried as `native`.
Target::TableDescription describe_table(const TableFacts& facts);
/// For the planner. Identity columns GENERATED ALWAYS can be inserted but never updated, so they
/// count as writable only where they belong to the key of an upsert or an append.
sql::ExistingTable existing_table(const TableFacts& facts, const WriteSpec& spec);

}  // namespace tidemark::postgres
