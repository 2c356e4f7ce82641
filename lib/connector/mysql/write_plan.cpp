#include "connector/mysql/write_plan.h"

#include <algorithm>

#include "connector/mysql/key_condition.h"
#include "connector/mysql/key_index.h"

namespace tidemark::mysql {
namespace {

constexpr const char* temporary_name = "tidemark_rows";

/// Duplicate entry for a key.
constexpr const char* duplicate = "1062";
/// A parent row is missing.
constexpr const char* no_parent = "1452";

Type type_of(const CatalogueColumn& column) {
  return column.type.value_or(make_type(TypeKind::native));
}

std::vector<WrittenColumn> written(const CatalogueTable& table,
                                   const std::vector<TargetColumn>& columns) {
  std::vector<WrittenColumn> all;
  for (const TargetColumn& column : columns) {
    const CatalogueColumn* existing = table.find(column.column.name);
    if (existing == nullptr)
      throw Error({.kind = FailureKind::schema,
                   .message = "the column is gone from the target",
                   .operation = "write",
                   .table = table.name.display(),
                   .column = column.column.name});
    all.push_back({.name = column.column.name,
                   .arriving = column.column.type,
                   .existing = type_of(*existing),
                   .lossy = column.lossy,
                   .collation = existing->collation,
                   .native = parse_native(existing->native.column_type)});
  }
  return all;
}

std::vector<WrittenColumn> chosen(const std::vector<WrittenColumn>& columns,
                                  const std::vector<std::string>& names) {
  std::vector<WrittenColumn> found;
  for (const std::string& name : names)
    for (const WrittenColumn& column : columns)
      if (column.name == name) found.push_back(column);
  return found;
}

}  // namespace

WritePlan::WritePlan(Session& session, const MysqlDialect& dialect, WriteSpec spec,
                     const CatalogueTable& table, std::vector<TargetColumn> columns, bool bulk)
    : session_(session),
      dialect_(dialect),
      spec_(std::move(spec)),
      table_(table.name),
      temporary_{table.name.schema, temporary_name},
      columns_(written(table, columns)),
      key_(chosen(columns_, spec_.key)),
      moves_(session, dialect, table, columns_, key_),
      relatives_(session, dialect, table.name, key_),
      bulk_(bulk) {
  if (key_.empty()) return;
  key_is_unique_ = sql::is_unique_key(existing_table(table), spec_.key);
  direct_ = why_staged(table, spec_.key).empty();
}

std::string WritePlan::why_staged(const CatalogueTable& table,
                                  const std::vector<std::string>& key) {
  if (!sql::is_unique_key(existing_table(table), key))
    return "the table has no unique index over exactly the key";
  // An index over a prefix or an expression is unique too, though nothing can be keyed by it.
  if (table.unique_indexes.size() != 1) return "the table has another unique index";
  // The figures of the direct way would count rows of the history.
  if (table.versioned) return "the table keeps its history";
  for (const CatalogueColumn& column : table.columns)
    if (std::find(key.begin(), key.end(), column.name) != key.end() &&
        !compares_bytes(type_of(column), column.collation))
      return "the key's column " + column.name + " takes different texts for one";
  return {};
}

bool WritePlan::in_key(const std::string& column) const {
  return std::find(spec_.key.begin(), spec_.key.end(), column) != spec_.key.end();
}

std::string WritePlan::column_list(const std::string& qualifier) const {
  std::string list;
  for (const WrittenColumn& column : columns_)
    list += (list.empty() ? "" : ", ") + qualifier + dialect_.quote(column.name);
  return list;
}

std::string WritePlan::staging_definition(const TableName& staging, bool temporary) const {
  std::string text = temporary ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ";
  text += dialect_.table(staging);
  if (!key_.empty()) {
    std::string list;
    for (const WrittenColumn& column : key_)
      list += (list.empty() ? "" : ", ") + dialect_.quote(column.name);
    text += " (PRIMARY KEY (" + list + "))";
  }
  // Types, character sets and collations are the target's own; no row is read.
  return text + " ENGINE=InnoDB AS SELECT " + column_list() + " FROM " + dialect_.table(table_) +
         " LIMIT 0";
}

RowWriter& WritePlan::insert_into(std::unique_ptr<RowWriter>& writer, const std::string& table,
                                  const std::string& tail) {
  if (!writer) {
    RowStatement statement{.head = "INSERT INTO " + table + " (" + column_list() + ") VALUES ",
                           .columns = {},
                           .tail = tail};
    writer = std::make_unique<RowWriter>(session_, dialect_, std::move(statement), columns_, bulk_);
  }
  return *writer;
}

void WritePlan::make_temporary() {
  if (direct_ || temporary_made_) return;
  make_staging_table();
  moves_.make_temporary();
}

void WritePlan::make_staging_table() {
  if (temporary_made_) return;
  session_.execute("DROP TEMPORARY TABLE IF EXISTS " + dialect_.table(temporary_));
  session_.execute(staging_definition(temporary_, true));
  temporary_made_ = true;
}

WriteCounts WritePlan::upsert(const Batch& batch, std::span<const std::uint32_t> rows) {
  try {
    return direct_ ? upsert_directly(batch, rows) : upsert_staged(batch, rows);
  } catch (const Error& error) {
    // Only the statement is undone.
    if (error.fields().code != no_parent || !relatives_.any()) throw;
  }
  return upsert_relatives(batch, rows);
}

/// Rows whose parents may be among them: all are there before the first one is changed to refer to
/// another.
WriteCounts WritePlan::upsert_relatives(const Batch& batch, std::span<const std::uint32_t> rows) {
  make_staging_table();
  stage_for_key(batch, rows);
  WriteCounts counts;
  counts.inserted = relatives_.insert(dialect_.table(temporary_), SelfReferences::Rows{batch, rows},
                                      [this] { return insert_staged(); });
  counts.updated = update_staged();
  counts.unchanged = rows.size() - counts.inserted - counts.updated;
  return counts;
}

WriteCounts WritePlan::upsert_directly(const Batch& batch, std::span<const std::uint32_t> rows) {
  std::string assignments;
  for (const WrittenColumn& column : columns_) {
    if (in_key(column.name)) continue;
    const std::string name = dialect_.quote(column.name);
    assignments += (assignments.empty() ? "" : ", ") + name + " = VALUES(" + name + ")";
  }
  if (assignments.empty()) {
    const std::string name = dialect_.quote(key_.front().name);
    assignments = name + " = " + name;
  }
  const RowWriter::Counts counts =
      insert_into(upserter_, dialect_.table(table_), " ON DUPLICATE KEY UPDATE " + assignments)
          .run(batch, rows);
  // The server counts an inserted row once, a changed one twice, and an unchanged one not at all;
  // "Duplicates" are the changed ones.
  WriteCounts result;
  result.updated = counts.duplicates;
  result.inserted = counts.affected - 2 * counts.duplicates;
  result.unchanged = rows.size() - result.inserted - result.updated;
  return result;
}

void WritePlan::refuse_collisions() {
  std::string differs;
  for (const WrittenColumn& column : key_) {
    if (compares_bytes(column.existing, column.collation) && !pads_blanks(column)) continue;
    const std::string name = dialect_.quote(column.name);
    differs += (differs.empty() ? "" : " OR ") + ("BINARY t." + name + " <> BINARY s." + name);
  }
  if (differs.empty()) return;
  const auto found = session_.execute(
      "SELECT 1 FROM " + dialect_.table(temporary_) + " AS s JOIN " + dialect_.table(table_) +
      " AS t ON " + same(dialect_, spec_.key, "t", "s") + " WHERE " + differs + " LIMIT 1");
  if (found.rows.empty()) return;
  throw Error({.kind = FailureKind::constraint,
               .message = "a key differs from one in the table only by what the column's collation "
                          "ignores (case, accents, trailing blanks)",
               .operation = "write",
               .column = key_.front().name,
               .hint = "Give the target's key columns a binary collation."});
}

void WritePlan::stage_for_key(const Batch& batch, std::span<const std::uint32_t> rows) {
  const std::string staged = dialect_.table(temporary_);
  session_.execute("DELETE FROM " + staged);
  insert_into(stager_, staged).run(batch, rows);
  refuse_collisions();
}

std::uint64_t WritePlan::insert_staged() {
  const std::string table = dialect_.table(table_);
  return session_
      .change("INSERT INTO " + table + " (" + column_list() + ") SELECT " + column_list("s.") +
              " FROM " + dialect_.table(temporary_) + " AS s WHERE NOT EXISTS (SELECT 1 FROM " +
              table + " AS t WHERE " + same(dialect_, spec_.key, "t", "s") + ")")
      .affected;
}

std::uint64_t WritePlan::update_staged() {
  std::string assignments;
  for (const WrittenColumn& column : columns_) {
    if (in_key(column.name)) continue;
    const std::string name = dialect_.quote(column.name);
    assignments += (assignments.empty() ? "t." : ", t.") + name + " = s." + name;
  }
  if (assignments.empty()) return 0;
  return session_
      .change("UPDATE " + dialect_.table(table_) + " AS t JOIN " + dialect_.table(temporary_) +
              " AS s ON " + same(dialect_, spec_.key, "t", "s") + " SET " + assignments)
      .affected;
}

WriteCounts WritePlan::upsert_staged(const Batch& batch, std::span<const std::uint32_t> rows) {
  stage_for_key(batch, rows);
  const std::string staged = dialect_.table(temporary_);
  WriteCounts counts;
  try {
    try {
      counts.updated = update_staged();
    } catch (const Error& error) {
      // Only the statement is undone. The rare batch whose rows exchange values goes the long way.
      if (error.fields().code != duplicate || !moves_.possible()) throw;
      const std::uint64_t moved = moves_.take_out(staged);
      if (moved == 0) throw;
      counts.updated = update_staged() + moved;
      moves_.put_back(staged);
    }
    counts.inserted = insert_staged();
  } catch (const Error& error) {
    if (error.fields().code != duplicate) throw;
    Error::Fields fields = error.fields();
    fields.row = moves_.first_collision(staged, batch, rows);
    throw Error(std::move(fields));
  }
  counts.unchanged = rows.size() - counts.inserted - counts.updated;
  return counts;
}

WriteCounts WritePlan::insert_missing(const Batch& batch, std::span<const std::uint32_t> rows) {
  WriteCounts counts;
  if (direct_) {
    // An update of nothing, because IGNORE would swallow other errors too.
    const std::string name = dialect_.quote(key_.front().name);
    counts.inserted = insert_into(inserter_, dialect_.table(table_),
                                  " ON DUPLICATE KEY UPDATE " + name + " = " + name)
                          .run(batch, rows)
                          .affected;
  } else {
    stage_for_key(batch, rows);
    counts.inserted = insert_staged();
  }
  counts.unchanged = rows.size() - counts.inserted;
  return counts;
}

WriteCounts WritePlan::append(const Batch& batch, std::span<const std::uint32_t> rows) {
  return {.inserted = insert_into(appender_, dialect_.table(table_)).run(batch, rows).affected};
}

WriteCounts WritePlan::erase(const Batch& keys, std::span<const std::uint32_t> rows) {
  if (!eraser_) {
    std::string condition;
    for (const WrittenColumn& column : key_)
      condition += (condition.empty() ? "(" : " AND ") + dialect_.quote(column.name) + " = ?";
    RowStatement statement{.head = "DELETE FROM " + dialect_.table(table_) + " WHERE ",
                           .columns = {},
                           .tail = {},
                           .condition = condition + ")"};
    eraser_ = std::make_unique<RowWriter>(session_, dialect_, std::move(statement), key_, bulk_);
  }
  return {.deleted = eraser_->run(keys, rows).affected};
}

void WritePlan::stage(const TableName& staging, const Batch& batch,
                      std::span<const std::uint32_t> rows) {
  insert_into(stager_, dialect_.table(staging)).run(batch, rows);
}

Error WritePlan::located(const Error& error) const {
  Error::Fields fields = error.fields();
  if (fields.column.empty()) {
    const std::string named = column_in(fields.driver_text);
    for (const WrittenColumn& column : columns_)
      if (column.name == named) fields.column = named;
  }
  if (fields.table.empty()) fields.table = table_.display();
  return Error(std::move(fields));
}

}  // namespace tidemark::mysql
