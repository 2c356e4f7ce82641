#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connector/mysql/dialect.h"
#include "connector/mysql/session.h"
#include "connector/mysql/types.h"
#include "connector/sql/target_planner.h"
#include "core/source.h"

namespace tidemark::mysql {

/// One row of information_schema.COLUMNS and what the writer and the evidence need of it.
struct CatalogueColumn {
  std::string name;
  NativeColumn native;
  std::optional<Type> type;  ///< nullopt: of a type that is not known
  bool nullable = true;
  std::string default_text;  ///< as the catalogue writes it; "" for none
  bool has_default = false;
  std::string extra;      ///< "auto_increment", "on update current_timestamp(6)", …, lower case
  std::string collation;  ///< empty for what is not text
  bool generated = false;
  bool row_end = false;  ///< GENERATED ALWAYS AS ROW END
};

struct UniqueIndex {
  std::string name;
  std::vector<std::string> columns;
  bool plain = true;  ///< over whole columns: no prefix, no expression
};

struct CatalogueTable {
  TableName name;  ///< with the schema filled in
  std::string engine;
  bool view = false;
  bool sequence = false;
  bool versioned = false;  ///< WITH SYSTEM VERSIONING
  std::vector<CatalogueColumn> columns;
  std::vector<std::string> primary_key;
  std::vector<UniqueIndex> unique_indexes;

  const CatalogueColumn* find(std::string_view column) const noexcept;
};

/// The table as the catalogue shows it; nullopt where there is none (or none that this login may
/// see, which the server does not tell apart).
std::optional<CatalogueTable> find_table(Session& session, const TableName& name);

/// The table's name with the connection's database where it gives no schema.
TableName qualified(const Session& session, const TableName& name);

/// What planning needs; unsupported columns are left out and count as defaulted or not.
sql::ExistingTable existing_table(const CatalogueTable& table);
/// For MysqlDialect: what MODIFY COLUMN must repeat.
MysqlDialect::Attributes attributes_of(const CatalogueTable& table);

/// A column of a query's result: its type and, where the server says so, its origin.
struct ResultColumn {
  Column column;
  std::optional<Type> type;
  std::optional<TableName> origin_table;
  std::string origin_column;
  bool not_null = false;
};
/// Prepares the statement without running it.
std::vector<ResultColumn> result_columns(Session& session, const std::string& statement);

}  // namespace tidemark::mysql
