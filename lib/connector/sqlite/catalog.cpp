#include "connector/sqlite/catalog.h"

#include <algorithm>
#include <cctype>

#include "connector/sql/select.h"
#include "connector/sqlite/dialect.h"
#include "connector/sqlite/types.h"
#include "core/error.h"

namespace tidemark::sqlite {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Whether a word stands in SQL on its own, case apart.
bool mentions(std::string_view sql, std::string_view word) {
  const std::string text = upper(sql);
  const std::string wanted = upper(word);
  for (std::size_t at = text.find(wanted); at != std::string::npos;
       at = text.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])))
      return true;
  }
  return false;
}

const std::string& checked_schema(const TableName& name) {
  static const std::string main = "main";
  if (name.schema.empty() || upper(name.schema) == "MAIN") return main;
  throw Error({.kind = FailureKind::schema,
               .message = "an SQLite file has no schema " + name.schema,
               .table = name.display(),
               .hint = "Write the table's name alone."});
}

std::string text_argument(const std::string& value) {
  return SqliteDialect().literal(Value::of(text_type(), value));
}

Error missing_table(const TableName& name) {
  return Error({.kind = FailureKind::schema,
                .message = "there is no table or view of this name",
                .operation = "describe",
                .table = name.display(),
                .hint = "Check the table's name and the connection's path."});
}

/// Empty for an index over an expression, or one that takes different bytes for equal (NOCASE): an
/// upsert by such a key would merge rows that the source tells apart.
std::vector<std::string> index_columns(Connection& connection, const std::string& index) {
  std::vector<std::string> columns;
  const sql::Result result =
      connection.execute("SELECT name, coll FROM pragma_index_xinfo(" + text_argument(index) +
                         ") WHERE key = 1 ORDER BY seqno");
  for (const auto& row : result.rows) {
    if (!row[0] || upper(row[1].value_or("")) != "BINARY") return {};
    columns.push_back(*row[0]);
  }
  return columns;
}

/// Whether a trigger runs at every UPDATE of its table and names the column in its body.
bool moves_at_update(const std::string& trigger, const std::string& column) {
  const std::size_t body = upper(trigger).find("BEGIN");
  if (body == std::string::npos) return false;
  const std::string head = trigger.substr(0, body);
  return mentions(head, "UPDATE") && !mentions(head, "UPDATE OF") && !mentions(head, "WHEN") &&
         mentions(trigger.substr(body), column);
}

/// The type that SQLite derives for each column of a query: a table made from it has them.
std::vector<std::string> derived_types(Connection& connection, const Relation& relation) {
  const SqliteDialect dialect;
  const auto query_only = connection.execute("PRAGMA query_only").scalar();
  connection.execute("PRAGMA query_only = 0");
  struct Restore {
    Connection& connection;
    bool wanted;
    ~Restore() {
      try {
        connection.execute("DROP TABLE IF EXISTS temp.tidemark_types");
        if (wanted) connection.execute("PRAGMA query_only = 1");
      } catch (const std::exception&) {
        // The connection is broken, and so is the work that it was for.
      }
    }
  } restore{connection, query_only == "1"};
  connection.execute("CREATE TEMP TABLE tidemark_types AS SELECT * FROM " +
                     sql::from_clause(relation, dialect) + " WHERE 0 LIMIT 0");
  std::vector<std::string> types;
  const sql::Result result =
      connection.execute("SELECT type FROM pragma_table_info('tidemark_types', 'temp')");
  for (const auto& row : result.rows)
    types.push_back(row[0].value_or(""));
  return types;
}

/// Of an expression: SQLite vouches for these three, the rest may be anything.
Type type_of_affinity(const std::string& derived) {
  if (derived == "INT") return make_type(TypeKind::int64);
  if (derived == "REAL") return make_type(TypeKind::float64);
  if (derived == "TEXT") return text_type();
  return any_type();
}

/// What the user may name under `types`: a column without a type, or one that takes anything, is
/// "any".
std::string native_name(const Type& type, const std::string& declared) {
  return type == any_type() ? std::string(any_name) : declared;
}

void describe_columns(SourceDescription& description, const CatalogTable& table) {
  for (const CatalogColumn& column : table.columns) {
    const Type type = type_of(column.declared);
    // Only the row's own number is never NULL without NOT NULL: an old fault of SQLite lets other
    // primary keys hold NULL.
    const bool never_null = column.not_null || column.name == table.rowid_alias() ||
                            (table.without_rowid && column.key_position > 0);
    description.columns.push_back(
        {column.name, type, !never_null, native_name(type, column.declared)});
  }
  description.primary_key = table.primary_key();
}

void describe_query(Connection& connection, const Relation& relation,
                    SourceDescription& description) {
  const SqliteDialect dialect;
  Statement statement(connection, sql::describe_relation(relation, dialect));
  const int count = sqlite3_column_count(statement.get());
  std::vector<std::string> derived;
  for (int index = 0; index < count; ++index) {
    const std::string name = sqlite3_column_name(statement.get(), index);
    if (const char* declared = sqlite3_column_decltype(statement.get(), index);
        declared != nullptr && *declared != '\0') {
      const Type type = type_of(declared);
      description.columns.push_back({name, type, true, native_name(type, declared)});
      continue;
    }
    if (derived.empty()) derived = derived_types(connection, relation);
    const auto at = static_cast<std::size_t>(index);
    const std::string type_name = at < derived.size() ? derived[at] : "";
    const Type type = type_of_affinity(type_name);
    description.columns.push_back({name, type, true, native_name(type, type_name)});
  }
}

}  // namespace

const CatalogColumn* CatalogTable::column(const std::string& wanted) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const CatalogColumn& c) { return c.name == wanted; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> CatalogTable::primary_key() const {
  std::vector<const CatalogColumn*> parts;
  for (const CatalogColumn& one : columns)
    if (one.key_position > 0) parts.push_back(&one);
  std::sort(parts.begin(), parts.end(),
            [](const auto* a, const auto* b) { return a->key_position < b->key_position; });
  std::vector<std::string> names;
  for (const CatalogColumn* one : parts)
    names.push_back(one->name);
  return names;
}

std::string CatalogTable::rowid_alias() const {
  if (is_view || without_rowid) return {};
  const std::vector<std::string> key = primary_key();
  if (key.size() != 1 || upper(column(key.front())->declared) != "INTEGER") return {};
  return key.front();
}

std::optional<CatalogTable> find_table(Connection& connection, const TableName& name) {
  const std::string& schema = checked_schema(name);
  const sql::Result found = connection.execute("SELECT name, type, sql FROM " + schema +
                                               ".sqlite_master WHERE type IN ('table', 'view') "
                                               "AND name = " +
                                               text_argument(name.name) + " COLLATE NOCASE");
  if (found.rows.empty()) return std::nullopt;
  CatalogTable table;
  table.name = {name.schema, found.rows[0][0].value_or(name.name)};
  table.is_view = found.rows[0][1] == "view";
  const std::string sql = upper(found.rows[0][2].value_or(""));
  table.autoincrement = mentions(sql, "AUTOINCREMENT");
  const sql::Result columns = connection.execute(
      "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(" +
      text_argument(table.name.name) + ", '" + schema + "') WHERE hidden <> 1 ORDER BY cid");
  for (const auto& row : columns.rows)
    table.columns.push_back({.name = row[0].value_or(""),
                             .declared = row[1].value_or(""),
                             .default_value = row[3].value_or(""),
                             .not_null = row[2] == "1",
                             .key_position = std::stoi(row[4].value_or("0")),
                             .generated = row[5] != "0"});
  const sql::Result list =
      connection.execute("SELECT wr, strict FROM pragma_table_list(" +
                         text_argument(table.name.name) + ") WHERE schema = '" + schema + "'");
  table.without_rowid = !list.rows.empty() && list.rows[0][0] == "1";
  table.strict = !list.rows.empty() && list.rows[0][1] == "1";
  // ANY converts nothing in a STRICT table, and numbers in any other.
  for (CatalogColumn& column : table.columns)
    if (table.strict && upper(column.declared) == "ANY") column.declared = any_declared;
  return table;
}

std::vector<std::vector<std::string>> unique_indexes(Connection& connection,
                                                     const CatalogTable& table) {
  std::vector<std::vector<std::string>> indexes;
  // INTEGER PRIMARY KEY has no index of its own in the list.
  if (const std::string alias = table.rowid_alias(); !alias.empty()) indexes.push_back({alias});
  const sql::Result list =
      connection.execute("SELECT name FROM pragma_index_list(" + text_argument(table.name.name) +
                         ") WHERE \"unique\" = 1 AND partial = 0 ORDER BY seq");
  for (const auto& row : list.rows) {
    std::vector<std::string> columns = index_columns(connection, row[0].value_or(""));
    if (!columns.empty()) indexes.push_back(std::move(columns));
  }
  return indexes;
}

std::vector<std::string> triggers_of(Connection& connection, const TableName& name) {
  std::vector<std::string> all;
  const sql::Result result = connection.execute("SELECT sql FROM " + checked_schema(name) +
                                                ".sqlite_master WHERE type = 'trigger' AND "
                                                "tbl_name = " +
                                                text_argument(name.name) + " COLLATE NOCASE");
  for (const auto& row : result.rows)
    all.push_back(row[0].value_or(""));
  return all;
}

std::optional<sql::ExistingTable> describe_target(Connection& connection, const TableName& name) {
  const std::optional<CatalogTable> table = find_table(connection, name);
  if (!table) return std::nullopt;
  if (table->is_view)
    throw Error({.kind = FailureKind::schema,
                 .message = "this is a view, which can't be written to",
                 .operation = "describe",
                 .table = name.display(),
                 .hint = "Name a table as the target."});
  sql::ExistingTable existing;
  const std::string alias = table->rowid_alias();
  for (const CatalogColumn& column : table->columns) {
    const bool not_null = column.not_null || column.name == alias;
    existing.description.columns.push_back(
        {column.name, type_of(column.declared), !not_null, column.declared});
    if (!column.default_value.empty() || column.name == alias)
      existing.defaulted.insert(column.name);
    if (column.generated) existing.generated.insert(column.name);
  }
  existing.description.primary_key = table->primary_key();
  existing.unique_indexes = unique_indexes(connection, *table);
  existing.description.unique_keys = existing.unique_indexes;
  return existing;
}

SourceDescription describe_source(Connection& connection, const Relation& relation) {
  SourceDescription description;
  if (!relation.table) {
    describe_query(connection, relation, description);
    return description;
  }
  const std::optional<CatalogTable> table = find_table(connection, *relation.table);
  if (!table) throw missing_table(*relation.table);
  describe_columns(description, *table);
  return description;
}

std::optional<Origin> origin_of(Connection& connection, const Relation& relation,
                                const std::string& column) {
  const SqliteDialect dialect;
  Statement statement(connection, sql::describe_relation(relation, dialect));
  for (int index = 0; index < sqlite3_column_count(statement.get()); ++index) {
    if (sqlite3_column_name(statement.get(), index) != column) continue;
    const char* table = sqlite3_column_table_name(statement.get(), index);
    const char* name = sqlite3_column_origin_name(statement.get(), index);
    if (table == nullptr || name == nullptr) return std::nullopt;
    return Origin{{"", table}, name};
  }
  throw Error({.kind = FailureKind::schema,
               .message = "the source has no such column",
               .table = relation.table ? relation.table->display() : "",
               .column = column,
               .hint = "Check cursor.column and the query."});
}

namespace {

void inspect_id(CursorEvidence& evidence, const CatalogTable& table, const std::string& column) {
  evidence.inserts_only = true;
  evidence.moves_on_write = true;
  evidence.method = "A5, ids";
  if (column == table.rowid_alias() && table.autoincrement) {
    evidence.proof = ProofKind::single_writer;
    evidence.server_assigned = true;
    return;
  }
  if (column == table.rowid_alias()) {
    evidence.obstacles.push_back(
        "column " + column +
        " is INTEGER PRIMARY KEY without AUTOINCREMENT: SQLite gives the id "
        "of a deleted last row to the next one; add AUTOINCREMENT, or use a timestamp cursor");
    return;
  }
  evidence.obstacles.push_back("column " + column +
                               " is a number that SQLite does not assign: use an INTEGER PRIMARY "
                               "KEY AUTOINCREMENT or a timestamp cursor");
}

void inspect_time(CursorEvidence& evidence, const CatalogColumn& column,
                  const std::vector<std::string>& triggers) {
  evidence.proof = ProofKind::single_writer;
  evidence.method = "A5";
  const bool current = mentions(column.default_value, "CURRENT_TIMESTAMP") ||
                       mentions(column.default_value, "CURRENT_DATE") ||
                       mentions(column.default_value, "now");
  std::string assigning = column.default_value;
  for (const std::string& trigger : triggers) {
    if (!mentions(trigger, column.name)) continue;
    if (moves_at_update(trigger, column.name)) evidence.moves_on_write = true;
    assigning += " " + trigger;
  }
  evidence.server_assigned = current;
  const bool local = mentions(assigning, "localtime");
  evidence.single_timezone = current && !local;
  if (!current)
    evidence.notes.push_back("column " + column.name +
                             " has no DEFAULT CURRENT_TIMESTAMP: the catalogue does not show who "
                             "sets it");
  if (local)
    evidence.notes.push_back("column " + column.name +
                             " is set in local time, which steps back when summer time ends");
  if (!evidence.moves_on_write)
    evidence.notes.push_back("no UPDATE trigger of the table names column " + column.name +
                             ": the catalogue does not show that every write moves it");
}

}  // namespace

CursorEvidence inspect_cursor(Connection& connection, const Relation& relation,
                              const CursorRef& cursor) {
  CursorEvidence evidence;
  const std::optional<Origin> origin = origin_of(connection, relation, cursor.column);
  const std::optional<CatalogTable> table =
      origin ? find_table(connection, origin->table) : std::nullopt;
  const CatalogColumn* column = table ? table->column(origin->column) : nullptr;
  if (column == nullptr || table->is_view) {
    evidence.obstacles.push_back("column " + cursor.column +
                                 " is an expression or comes from a view: only the column of a "
                                 "table shows how it gets its values");
    return evidence;
  }
  const Type type = type_of(column->declared);
  evidence.not_null = column->not_null || column->name == table->rowid_alias();
  if (is_integer(type.kind))
    inspect_id(evidence, *table, column->name);
  else if (is_temporal(type.kind))
    inspect_time(evidence, *column, triggers_of(connection, table->name));
  else
    evidence.obstacles.push_back("column " + column->name + " is declared " + column->declared +
                                 ", which has no order that is the same everywhere: declare it "
                                 "DATETIME, DATE or INTEGER");
  return evidence;
}

}  // namespace tidemark::sqlite
