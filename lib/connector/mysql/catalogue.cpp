#include "connector/mysql/catalogue.h"

#include <mysql.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "connector/mysql/native_type.h"

namespace tidemark::mysql {
namespace {

/// MySQL's utf8mb4 column length counts bytes, four to a character.
constexpr unsigned bytes_per_character = 4;
constexpr unsigned binary_charset = 63;

std::string text_literal(std::string_view text) {
  return "_utf8mb4 X'" + to_hex(text) + "'";
}

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string where_table(const TableName& name, const char* schema_column,
                        const char* table_column) {
  return std::string(" WHERE ") + schema_column + " = " + text_literal(name.schema) + " AND " +
         table_column + " = " + text_literal(name.name);
}

void read_columns(Session& session, CatalogueTable& table) {
  const sql::Result found = session.execute(
      "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, "
      "NUMERIC_SCALE, DATETIME_PRECISION, CHARACTER_SET_NAME, COLUMN_COMMENT, IS_NULLABLE, "
      "COLUMN_DEFAULT, EXTRA, COLLATION_NAME, GENERATION_EXPRESSION "
      "FROM information_schema.COLUMNS" +
      where_table(table.name, "TABLE_SCHEMA", "TABLE_NAME") + " ORDER BY ORDINAL_POSITION");
  for (const auto& row : found.rows) {
    const auto text = [&](std::size_t at) { return row[at].value_or(""); };
    CatalogueColumn column;
    column.name = text(0);
    column.native.data_type = lower(text(1));
    column.native.column_type = text(2);
    column.native.length = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(number(row[3]), std::numeric_limits<std::uint32_t>::max()));
    column.native.precision = static_cast<unsigned>(number(row[4]));
    column.native.scale = static_cast<int>(number(row[5]));
    column.native.fraction = static_cast<unsigned>(number(row[6]));
    column.native.character_set = text(7);
    column.native.comment = text(8);
    column.nullable = text(9) == "YES";
    column.default_text = text(10);
    column.has_default = row[10].has_value();
    column.extra = lower(text(11));
    column.collation = text(12);
    column.generated = row[13].has_value() && !row[13]->empty();
    column.row_end = row[13] == "ROW END";
    table.columns.push_back(std::move(column));
  }
}

/// MariaDB's JSON is a LONGTEXT whose CHECK, named after the column, is json_valid of it.
void mark_json(Session& session, CatalogueTable& table) {
  const bool any = std::any_of(
      table.columns.begin(), table.columns.end(),
      [](const CatalogueColumn& column) { return column.native.data_type == "longtext"; });
  if (!any || !session.flavor().mariadb) return;
  const sql::Result checks = session.execute(
      "SELECT CONSTRAINT_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS" +
      where_table(table.name, "CONSTRAINT_SCHEMA", "TABLE_NAME"));
  for (const auto& row : checks.rows)
    for (CatalogueColumn& column : table.columns)
      if (row[0] == column.name &&
          lower(row[1].value_or("")).find("json_valid(") != std::string::npos)
        column.native.json_check = true;
}

void read_indexes(Session& session, CatalogueTable& table) {
  const sql::Result found = session.execute(
      "SELECT INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS" +
      where_table(table.name, "TABLE_SCHEMA", "TABLE_NAME") +
      " AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX");
  // The server puts ROW END into every unique index of a system-versioned table; among the rows of
  // now, which are the ones that a SELECT gives, the rest is unique.
  const auto ends_version = [&](const std::optional<std::string>& column) {
    if (!table.versioned || !column) return false;
    const CatalogueColumn* known = table.find(*column);
    return known == nullptr || known->row_end;
  };
  for (const auto& row : found.rows) {
    if (ends_version(row[1])) continue;
    const std::string name = row[0].value_or("");
    if (table.unique_indexes.empty() || table.unique_indexes.back().name != name)
      table.unique_indexes.push_back({.name = name, .columns = {}});
    UniqueIndex& index = table.unique_indexes.back();
    index.columns.push_back(row[1].value_or(""));
    if (row[2] || !row[1]) index.plain = false;
    if (name == "PRIMARY") table.primary_key.push_back(row[1].value_or(""));
  }
}

}  // namespace

const CatalogueColumn* CatalogueTable::find(std::string_view column) const noexcept {
  const auto at = std::find_if(columns.begin(), columns.end(),
                               [column](const CatalogueColumn& one) { return one.name == column; });
  return at == columns.end() ? nullptr : &*at;
}

TableName qualified(const Session& session, const TableName& name) {
  return {name.schema.empty() ? session.settings().database : name.schema, name.name};
}

std::optional<CatalogueTable> find_table(Session& session, const TableName& name) {
  CatalogueTable table;
  table.name = qualified(session, name);
  const sql::Result found =
      session.execute("SELECT ENGINE, TABLE_TYPE FROM information_schema.TABLES" +
                      where_table(table.name, "TABLE_SCHEMA", "TABLE_NAME"));
  if (found.rows.empty()) return std::nullopt;
  table.engine = found.rows[0][0].value_or("");
  const std::string kind = found.rows[0][1].value_or("");
  table.view = kind.find("VIEW") != std::string::npos;
  table.sequence = kind == "SEQUENCE";
  table.versioned = kind == "SYSTEM VERSIONED";
  read_columns(session, table);
  mark_json(session, table);
  read_indexes(session, table);
  for (CatalogueColumn& column : table.columns)
    column.type = logical_type(column.native);
  return table;
}

sql::ExistingTable existing_table(const CatalogueTable& table) {
  sql::ExistingTable existing;
  for (const CatalogueColumn& column : table.columns) {
    // A type that is not known is shown as native: nothing goes there but through `fits`.
    Type type = column.type.value_or(native_type(column.native.data_type));
    existing.description.columns.push_back({.name = column.name,
                                            .type = std::move(type),
                                            .nullable = column.nullable,
                                            .native_type = column.native.column_type});
    const bool automatic = column.extra.find("auto_increment") != std::string::npos;
    if (column.has_default || automatic) existing.defaulted.insert(column.name);
    if (column.generated) existing.generated.insert(column.name);
  }
  existing.description.primary_key = table.primary_key;
  for (const UniqueIndex& index : table.unique_indexes)
    if (index.plain) existing.unique_indexes.push_back(index.columns);
  existing.description.unique_keys = existing.unique_indexes;
  return existing;
}

MysqlDialect::Attributes attributes_of(const CatalogueTable& table) {
  MysqlDialect::Attributes attributes;
  for (const CatalogueColumn& column : table.columns) {
    // A default or an ON UPDATE is an expression whose text the catalogue does not give exactly.
    if (column.has_default && column.default_text != "NULL") continue;
    if (!column.extra.empty() || column.generated) continue;
    std::string text = column.nullable ? " NULL" : " NOT NULL";
    if (!column.native.comment.empty() && column.native.comment != boolean_comment &&
        column.native.comment != instant_comment) {
      // COMMENT takes a plain string only: no hex literal, no introducer.
      std::string quoted;
      for (const char c : column.native.comment) {
        if (c == '\'' || c == '\\') quoted += c;
        quoted += c;
      }
      text += " COMMENT '" + quoted + "'";
    }
    attributes.emplace(column.name, std::move(text));
  }
  return attributes;
}

namespace {

std::string_view attribute(const MYSQL_FIELD& field, mariadb_field_attr_t which) {
  MARIADB_CONST_STRING text{};
  if (mariadb_field_attr(&text, &field, which) != 0 || text.str == nullptr) return {};
  return {text.str, text.length};
}

/// The name information_schema would give this type; "" for one that it is no use to name.
std::string type_name(const MYSQL_FIELD& field) {
  const bool binary = field.charsetnr == binary_charset;
  if ((field.flags & ENUM_FLAG) != 0) return "enum";
  if ((field.flags & SET_FLAG) != 0) return "set";
  switch (field.type) {
    case MYSQL_TYPE_TINY:
      return "tinyint";
    case MYSQL_TYPE_SHORT:
      return "smallint";
    case MYSQL_TYPE_INT24:
      return "mediumint";
    case MYSQL_TYPE_LONG:
      return "int";
    case MYSQL_TYPE_LONGLONG:
      return "bigint";
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return "decimal";
    case MYSQL_TYPE_FLOAT:
      return "float";
    case MYSQL_TYPE_DOUBLE:
      return "double";
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
      return "date";
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_TIME2:
      return "time";
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_DATETIME2:
      return "datetime";
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_TIMESTAMP2:
      return "timestamp";
    case MYSQL_TYPE_YEAR:
      return "year";
    case MYSQL_TYPE_BIT:
      return "bit";
    case MYSQL_TYPE_JSON:
      return "json";
    case MYSQL_TYPE_GEOMETRY:
      return "geometry";
    case MYSQL_TYPE_STRING:
      return binary ? "binary" : "char";
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_VARCHAR:
      return binary ? "varbinary" : "varchar";
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
      return binary ? "longblob" : "longtext";
    case MYSQL_TYPE_NULL:
      return "null";
    default:
      return "unknown";
  }
}

NativeColumn native_of(const MYSQL_FIELD& field) {
  NativeColumn native;
  native.data_type = type_name(field);
  native.column_type = native.data_type;
  const bool is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
  const bool text = field.charsetnr != binary_charset;
  if (native.data_type == "decimal") {
    // The display width counts a sign and a point.
    native.scale = static_cast<int>(field.decimals);
    native.precision =
        static_cast<unsigned>(field.length) - (field.decimals > 0 ? 1 : 0) - (is_unsigned ? 0 : 1);
    native.column_type +=
        "(" + std::to_string(native.precision) + "," + std::to_string(native.scale) + ")";
  } else if (native.data_type == "tinyint") {
    native.column_type += "(" + std::to_string(field.length) + ")";
  } else if (native.data_type == "time" || native.data_type == "datetime" ||
             native.data_type == "timestamp") {
    native.fraction = std::min(field.decimals, 6U);
  } else if (native.data_type == "bit") {
    native.column_type += "(" + std::to_string(field.length) + ")";
  } else if (native.data_type.ends_with("char") || native.data_type.ends_with("binary")) {
    native.length =
        static_cast<std::uint32_t>(text ? field.length / bytes_per_character : field.length);
    native.column_type += "(" + std::to_string(native.length) + ")";
  }
  if (is_unsigned && native.data_type != "bit") native.column_type += " unsigned";
  if (attribute(field, MARIADB_FIELD_ATTR_FORMAT_NAME) == "json") native.json_check = true;
  // uuid, inet4, inet6 and point travel as strings; the server names them beside.
  if (const auto name = attribute(field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME); !name.empty()) {
    native.data_type = name;
    native.column_type = name;
  }
  return native;
}

class Prepared {
 public:
  explicit Prepared(Session& session) : statement_(mysql_stmt_init(session.handle())) {
    if (statement_ == nullptr) session.fail("prepare a statement");
  }
  ~Prepared() { mysql_stmt_close(statement_); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  MYSQL_STMT* get() { return statement_; }

 private:
  MYSQL_STMT* statement_;
};

}  // namespace

std::vector<ResultColumn> result_columns(Session& session, const std::string& statement) {
  const Session::Activity activity(session);
  Prepared prepared(session);
  session.progress();
  if (mysql_stmt_prepare(prepared.get(), statement.data(), statement.size()) != 0)
    session.fail(prepared.get(), "describe");
  MYSQL_RES* metadata = mysql_stmt_result_metadata(prepared.get());
  if (metadata == nullptr)
    throw Error({.kind = FailureKind::schema,
                 .message = "the statement gives no result",
                 .operation = "describe",
                 .hint = "source.query must be a SELECT."});
  std::vector<ResultColumn> columns;
  const MYSQL_FIELD* fields = mysql_fetch_fields(metadata);
  for (unsigned at = 0; at < mysql_num_fields(metadata); ++at) {
    const MYSQL_FIELD& field = fields[at];
    const NativeColumn native = native_of(field);
    ResultColumn column;
    column.type = logical_type(native);
    // Their labels do not come with a result: the source looks for the column behind them.
    if ((field.flags & (ENUM_FLAG | SET_FLAG)) != 0) column.type.reset();
    column.not_null = (field.flags & NOT_NULL_FLAG) != 0;
    column.column = {.name = std::string(field.name, field.name_length),
                     .type = column.type.value_or(make_type(TypeKind::text)),
                     .nullable = !column.not_null,
                     .native_type = native.column_type};
    if (field.org_table_length > 0 && field.db_length > 0) {
      column.origin_table = TableName{std::string(field.db, field.db_length),
                                      std::string(field.org_table, field.org_table_length)};
      column.origin_column = std::string(field.org_name, field.org_name_length);
    }
    columns.push_back(std::move(column));
  }
  mysql_free_result(metadata);
  return columns;
}

}  // namespace tidemark::mysql
