#include "connector/postgres/load.h"

#include <algorithm>
#include <atomic>
#include <charconv>

#include "connector/postgres/dialect.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

/// The row's place in its batch, beside the rows in the temporary table.
constexpr std::string_view row_column = "tidemark_row";
/// Sent to the server at a time: large enough for few calls, small beside a batch.
constexpr std::size_t chunk_bytes = 256 << 10;

std::vector<std::string> names_of(const std::vector<EncodedColumn>& columns) {
  std::vector<std::string> names;
  for (const EncodedColumn& column : columns)
    names.push_back(column.name);
  return names;
}

/// The written columns that are in the key, with their places in a batch of keys only.
std::vector<EncodedColumn> key_columns(const WrittenTable& table, const Schema& keys) {
  std::vector<EncodedColumn> columns;
  for (const std::string& name : table.spec.key) {
    const auto found =
        std::find_if(table.columns.begin(), table.columns.end(),
                     [&](const EncodedColumn& column) { return column.name == name; });
    const std::size_t index = find_column(keys, name);
    if (found == table.columns.end() || index == npos)
      throw Error({.kind = FailureKind::internal,
                   .message = "a batch of keys lacks the key column " + name});
    EncodedColumn column = *found;
    column.index = index;
    columns.push_back(std::move(column));
  }
  return columns;
}

/// Sends a batch into `into` (SQL), which the server's messages call `relation`.
std::uint64_t copy_batch(Connection& connection, const Batch& batch,
                         const std::vector<EncodedColumn>& columns, bool numbered,
                         const std::string& into, const std::string& relation,
                         const std::string& shown) {
  std::vector<std::string> names = names_of(columns);
  if (numbered) names.emplace_back(row_column);
  connection.copy_in("COPY " + into + " (" + dialect().list(names) + ") FROM STDIN (FORMAT binary)",
                     relation, shown);
  CopyEncoder encoder(columns, numbered);
  std::string bytes;
  bytes.reserve(chunk_bytes + chunk_bytes / 4);
  CopyEncoder::header(bytes);
  try {
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      encoder.row(batch, row, bytes);
      if (bytes.size() < chunk_bytes) continue;
      connection.put(bytes);
      bytes.clear();
    }
  } catch (const Error& error) {
    if (error.kind() == FailureKind::conversion) connection.fail_copy();
    throw;
  }
  CopyEncoder::trailer(bytes);
  connection.put(bytes);
  return connection.finish_copy();
}

/// A temporary table with the types of `columns` in the target and without its constraints but NOT
/// NULL, so that a null is found with its row. It lives as long as the session.
void make_temporary(Connection& connection, const WrittenTable& table, const std::string& name,
                    const std::vector<EncodedColumn>& columns, bool numbered) {
  connection.execute("DROP TABLE IF EXISTS pg_temp." + dialect().quote(name));
  connection.execute_for("CREATE TEMPORARY TABLE " + dialect().quote(name) +
                             " ON COMMIT DELETE ROWS AS SELECT " +
                             dialect().list(names_of(columns)) +
                             (numbered ? ", 0 AS " + std::string(row_column) : std::string()) +
                             " FROM " + dialect().table(table.spec.table) + " WITH NO DATA",
                         table.spec.table.display());
  std::string changes;
  for (const std::string& column : table.not_null)
    changes += (changes.empty() ? " ALTER COLUMN " : ", ALTER COLUMN ") + dialect().quote(column) +
               " SET NOT NULL";
  if (numbered && !changes.empty())
    connection.execute("ALTER TABLE pg_temp." + dialect().quote(name) + changes);
}

std::string temporary_name(const char* prefix) {
  static std::atomic<unsigned> count{0};
  return prefix + std::to_string(++count);
}

std::uint64_t count_of(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

/// A batch table is told from the user's tables in the CONTEXT of errors.
std::string in_temp(const std::string& name) {
  return "pg_temp." + dialect().quote(name);
}

}  // namespace

TransactionLoad::TransactionLoad(LoadSession session) : session_(std::move(session)) {
  WrittenTable& table = session_.table;
  if (!table.spec.key.empty() && table.batch_table.empty()) {
    const std::string name = temporary_name("tidemark_batch_");
    make_temporary(session_.connection, table, name, table.columns, true);
    table.batch_table = name;
  }
  session_.connection.execute(dialect().begin());
}

TransactionLoad::~TransactionLoad() {
  if (done_) return;
  session_.connection.rollback();
  session_.doubt();
}

std::string TransactionLoad::statement_by_key(Existing existing) const {
  const WrittenTable& table = session_.table;
  const std::string key = dialect().list(table.spec.key);
  const std::vector<std::string> names = names_of(table.columns);
  std::vector<std::string> rest;
  std::string assignments;
  for (const std::string& name : names) {
    if (std::find(table.spec.key.begin(), table.spec.key.end(), name) != table.spec.key.end())
      continue;
    rest.push_back(name);
    assignments += (assignments.empty() ? "" : ", ") + dialect().quote(name) + " = excluded." +
                   dialect().quote(name);
  }
  const std::string action = rest.empty() || existing == Existing::leave
                                 ? "DO NOTHING"
                                 : "DO UPDATE SET " + assignments + " WHERE " +
                                       dialect().differs("target", "excluded", rest);
  // Of equal keys the row that came last. In key order, because the index pages are then visited
  // one after the other.
  const std::string write =
      "WITH incoming AS MATERIALIZED (SELECT DISTINCT ON (" + key + ") * FROM " +
      in_temp(table.batch_table) + " ORDER BY " + key + ", " + std::string(row_column) +
      " DESC), written AS (INSERT INTO " + dialect().table(table.spec.table) + " AS target (" +
      dialect().list(names) + ") OVERRIDING SYSTEM VALUE SELECT " + dialect().list(names) +
      " FROM incoming ON CONFLICT (" + key + ") " + action + " RETURNING ";
  const std::string counts =
      ") SELECT (SELECT count(*) FROM incoming), count(*) FILTER (WHERE inserted), "
      "count(*) FILTER (WHERE NOT inserted) FROM ";
  // xmax is 0 in a row that this statement inserted, and never in one that it updated, because it
  // locked the old version first.
  if (!table.partitioned) return write + "target.xmax = 0 AS inserted" + counts + "written";
  // The outer SELECT sees the table as it was before this statement.
  return write + dialect().list(table.spec.key, "target.") + counts +
         "(SELECT before.tableoid IS NULL AS inserted FROM written LEFT JOIN " +
         dialect().table(table.spec.table) + " AS before USING (" + key + ")) AS compared";
}

void TransactionLoad::write_by_key(const Batch& batch, Existing existing) {
  if (batch.empty()) return;
  const WrittenTable& table = session_.table;
  const std::string shown = table.spec.table.display();
  if (std::exchange(batch_filled_, true))
    session_.connection.execute("TRUNCATE " + in_temp(table.batch_table));
  copy_batch(session_.connection, batch, table.columns, true, in_temp(table.batch_table),
             table.batch_table, shown);
  const sql::Result result = session_.connection.execute_for(statement_by_key(existing), shown);
  const auto& row = result.rows.at(0);
  const std::uint64_t keys = count_of(row.at(0));
  const std::uint64_t inserted = count_of(row.at(1));
  const std::uint64_t updated = count_of(row.at(2));
  counts_ += {.inserted = inserted, .updated = updated, .unchanged = keys - inserted - updated};
}

void TransactionLoad::upsert(const Batch& batch) {
  write_by_key(batch, Existing::update);
}

void TransactionLoad::insert_missing(const Batch& batch) {
  write_by_key(batch, Existing::leave);
}

void TransactionLoad::append(const Batch& batch) {
  if (batch.empty()) return;
  const WrittenTable& table = session_.table;
  counts_.inserted += copy_batch(session_.connection, batch, table.columns, false,
                                 dialect().table(table.spec.table), table.spec.table.name,
                                 table.spec.table.display());
}

void TransactionLoad::erase(const Batch& keys) {
  if (keys.empty()) return;
  WrittenTable& table = session_.table;
  const std::vector<EncodedColumn> columns = key_columns(table, keys.schema());
  if (table.keys_table.empty()) {
    const std::string name = temporary_name("tidemark_keys_");
    make_temporary(session_.connection, table, name, columns, false);
    table.keys_table = name;
  } else if (keys_filled_) {
    session_.connection.execute("TRUNCATE " + in_temp(table.keys_table));
  }
  keys_filled_ = true;
  const std::string shown = table.spec.table.display();
  copy_batch(session_.connection, keys, columns, false, in_temp(table.keys_table), table.keys_table,
             shown);
  std::string condition;
  for (const std::string& name : table.spec.key)
    condition += (condition.empty() ? "target." : " AND target.") + dialect().quote(name) +
                 " = gone." + dialect().quote(name);
  counts_.deleted +=
      session_.connection
          .execute_for("DELETE FROM " + dialect().table(table.spec.table) + " AS target USING " +
                           in_temp(table.keys_table) + " AS gone WHERE " + condition,
                       shown)
          .affected;
}

void TransactionLoad::save(const CheckpointRecord& checkpoint) {
  session_.checkpoints.save(session_.spec.job, session_.spec.fence, session_.spec.lease,
                            checkpoint);
}

void TransactionLoad::save_ranges(const std::vector<RangeRecord>& ranges) {
  session_.checkpoints.save_ranges(session_.spec.job, ranges);
}

void TransactionLoad::save_range(const RangeRecord& range) {
  session_.checkpoints.save_range(session_.spec.job, session_.spec.fence, range);
}

WriteCounts TransactionLoad::commit() {
  session_.connection.commit();
  done_ = true;
  return counts_;
}

ReplaceLoad::ReplaceLoad(LoadSession session)
    : session_(std::move(session)),
      staging_(sql::staging_table(session_.spec.job, session_.staging_schema)),
      renewed_(std::chrono::steady_clock::now()) {
  const WrittenTable& table = session_.table;
  session_.connection.execute("DROP TABLE IF EXISTS " + dialect().table(staging_));
  session_.connection.execute_for("CREATE UNLOGGED TABLE " + dialect().table(staging_) +
                                      " AS SELECT " + dialect().list(names_of(table.columns)) +
                                      " FROM " + dialect().table(table.spec.table) +
                                      " WITH NO DATA",
                                  table.spec.table.display());
}

ReplaceLoad::~ReplaceLoad() {
  if (done_) return;
  session_.connection.rollback();
  session_.doubt();
  if (!session_.connection.usable()) return;
  try {
    session_.connection.execute("DROP TABLE IF EXISTS " + dialect().table(staging_));
  } catch (const std::exception&) {
    // The next load of the job drops it.
  }
}

void ReplaceLoad::upsert(const Batch& batch) {
  append(batch);
}

void ReplaceLoad::keep_lease() {
  // Who was overtaken must not add to the staging table of the new holder. While the lease runs,
  // nobody takes over.
  const auto now = std::chrono::steady_clock::now();
  if (now - renewed_ < session_.spec.lease / 3) return;
  session_.checkpoints.renew(session_.spec.job, session_.spec.fence, session_.spec.lease);
  renewed_ = now;
}

void ReplaceLoad::append(const Batch& batch) {
  if (batch.empty()) return;
  if (staged_ == 0) renewed_ = {};
  keep_lease();
  staged_ +=
      copy_batch(session_.connection, batch, session_.table.columns, false,
                 dialect().table(staging_), staging_.name, session_.table.spec.table.display());
}

void ReplaceLoad::insert_missing(const Batch&) {
  throw Error({.kind = FailureKind::internal, .message = "a replacement stages all rows"});
}

void ReplaceLoad::erase(const Batch&) {
  throw Error({.kind = FailureKind::internal, .message = "a replacement erases by leaving out"});
}

void ReplaceLoad::save(const CheckpointRecord& checkpoint) {
  checkpoint_ = checkpoint;
}

void ReplaceLoad::save_ranges(const std::vector<RangeRecord>& ranges) {
  ranges_ = ranges;
}

void ReplaceLoad::save_range(const RangeRecord&) {
  throw Error({.kind = FailureKind::internal, .message = "a replacement has no key ranges"});
}

sql::Replacement ReplaceLoad::replacement() const {
  const WrittenTable& table = session_.table;
  sql::Replacement replacement{.table = table.spec.table,
                               .staging = staging_,
                               .columns = {},
                               .key = table.replace_key,
                               .scope = table.spec.scope};
  for (const EncodedColumn& written : table.columns)
    for (const TargetColumn& column : table.spec.columns)
      if (column.column.name == written.name) replacement.columns.push_back(column.column);
  return replacement;
}

void ReplaceLoad::check_staging(const sql::Replacement& replacement) {
  const std::string twice = sql::duplicate_key_query(replacement, dialect());
  if (!twice.empty() && !session_.connection.execute(twice).rows.empty())
    throw Error({.kind = FailureKind::constraint,
                 .message = "a key stands twice among the rows read",
                 .table = replacement.table.display(),
                 .hint = "The key is not unique in the source; correct `key` or the query."});
  const std::string outside = sql::outside_scope_query(replacement, dialect());
  if (!outside.empty() && !session_.connection.execute(outside).rows.empty())
    throw Error({.kind = FailureKind::constraint,
                 .message = "a row read lies outside target.scope",
                 .table = replacement.table.display(),
                 .hint = "The source must give rows of the scope only."});
}

WriteCounts ReplaceLoad::commit() {
  Connection& connection = session_.connection;
  const sql::Replacement wanted = replacement();
  const std::string shown = wanted.table.display();
  // Without statistics the planner takes a full staging table for a small one.
  connection.execute("ANALYZE " + dialect().table(staging_));
  connection.execute(dialect().begin());
  check_staging(wanted);
  const sql::ReplaceStatements statements = sql::replace_statements(wanted, dialect());
  WriteCounts counts;
  counts.deleted = connection.execute_for(statements.erase, shown).affected;
  if (!statements.update.empty())
    counts.updated = connection.execute_for(statements.update, shown).affected;
  counts.inserted = connection.execute_for(statements.insert, shown).affected;
  counts.unchanged = staged_ - counts.inserted - counts.updated;
  if (checkpoint_)
    session_.checkpoints.save(session_.spec.job, session_.spec.fence, session_.spec.lease,
                              *checkpoint_);
  if (ranges_) session_.checkpoints.save_ranges(session_.spec.job, *ranges_);
  connection.execute("DROP TABLE " + dialect().table(staging_));
  connection.commit();
  done_ = true;
  return counts;
}

}  // namespace tidemark::postgres
