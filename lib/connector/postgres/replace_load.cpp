#include <algorithm>

#include "connector/postgres/dialect.h"
#include "connector/postgres/keyed_write.h"
#include "connector/postgres/load.h"
#include "connector/postgres/row_finder.h"
#include "connector/postgres/swap.h"
#include "core/error.h"

namespace tidemark::postgres {

ReplaceLoad::ReplaceLoad(LoadSession session)
    : session_(std::move(session)),
      staging_(sql::staging_table(session_.spec.job, session_.staging_schema)),
      renewed_(std::chrono::steady_clock::now()) {
  const WrittenTable& table = session_.table;
  session_.connection.execute("DROP TABLE IF EXISTS " + dialect().table(staging_));
  if (swaps()) {
    make_swap_staging(session_.connection, table.spec.table, staging_);
    return;
  }
  session_.connection.execute_for("CREATE UNLOGGED TABLE " + dialect().table(staging_) +
                                      " AS SELECT " + dialect().list(names_of(table.columns)) +
                                      " FROM " + dialect().table(table.spec.table) +
                                      " WITH NO DATA",
                                  table.spec.table.display());
  std::string changes;
  for (const std::string& column : table.not_null)
    changes += (changes.empty() ? " ALTER COLUMN " : ", ALTER COLUMN ") + dialect().quote(column) +
               " SET NOT NULL";
  if (!changes.empty())
    session_.connection.execute("ALTER TABLE " + dialect().table(staging_) + changes);
}

bool ReplaceLoad::swaps() const {
  return session_.table.spec.replace == ReplaceMethod::swap;
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
  const auto& columns = session_.table.columns;
  const bool texts = std::any_of(columns.begin(), columns.end(), [](const EncodedColumn& column) {
    return !column.native.empty();
  });
  if (texts) return stage_texts(batch);
  staged_ +=
      copy_batch(session_.connection, batch, session_.table.columns, false,
                 dialect().table(staging_), staging_.name, session_.table.spec.table.display());
}

void ReplaceLoad::stage_texts(const Batch& batch) {
  Connection& connection = session_.connection;
  WrittenTable& table = session_.table;
  const std::string shown = table.spec.table.display();
  if (table.batch.name.empty())
    table.batch = make_batch_table(connection, BatchUse::rows, table.spec.table, table.columns,
                                   table.not_null);
  const auto attempt = [&](const std::optional<RowSpan>& span) {
    check_texts(connection, table.batch, shown, span);
    const std::string names = dialect().list(names_of(table.columns));
    connection.execute_for("INSERT INTO " + dialect().table(staging_) + " (" + names + ") SELECT " +
                               names + " FROM (" + typed_rows(table.batch, span) + ") AS typed",
                           shown);
  };
  connection.execute(dialect().begin());
  table.batch.filled = false;
  fill(connection, table.batch, batch, shown);
  try {
    attempt({});
  } catch (const Error& error) {
    if (!lacks_row(error)) throw;
    throw with_row(connection, table, batch, error, attempt);
  }
  connection.commit();
  staged_ += batch.rows();
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

WriteCounts ReplaceLoad::change_rows(const sql::Replacement& wanted) {
  Connection& connection = session_.connection;
  const WrittenTable& table = session_.table;
  const std::string shown = wanted.table.display();
  if (table.deferrable) connection.execute("SET CONSTRAINTS ALL DEFERRED");
  const sql::ReplaceStatements statements = sql::replace_statements(wanted, dialect());
  WriteCounts counts;
  counts.deleted = connection.execute_for(statements.erase, shown).affected;
  if (!statements.update.empty()) {
    if (table.meets_elsewhere) connection.execute("SAVEPOINT tidemark_rows");
    try {
      counts.updated = connection.execute_for(statements.update, shown).affected;
    } catch (const Error& error) {
      if (!rows_met(error, table) || !connection.usable()) throw;
      connection.execute("ROLLBACK TO SAVEPOINT tidemark_rows");
      counts.updated =
          move_rows(connection, table,
                    "SELECT " + dialect().list(names_of(table.columns)) + " FROM " +
                        dialect().table(staging_),
                    sql::scope_predicate(wanted.scope, wanted.columns, "target", dialect()));
    }
  }
  counts.inserted = connection.execute_for(statements.insert, shown).affected;
  counts.unchanged = staged_ - counts.inserted - counts.updated;
  return counts;
}

WriteCounts ReplaceLoad::commit() {
  Connection& connection = session_.connection;
  const sql::Replacement wanted = replacement();
  // Without statistics the planner takes a full staging table for a small one.
  connection.execute("ANALYZE " + dialect().table(staging_));
  if (swaps()) add_primary_key(connection, wanted.table, staging_);
  connection.execute(dialect().begin());
  check_staging(wanted);
  WriteCounts counts;
  if (swaps()) {
    counts.deleted = swap_in(connection, wanted.table, staging_);
    counts.inserted = staged_;
  } else {
    counts = change_rows(wanted);
    connection.execute("DROP TABLE " + dialect().table(staging_));
  }
  if (checkpoint_)
    session_.checkpoints.save(session_.spec.job, session_.spec.fence, session_.spec.lease,
                              *checkpoint_);
  if (ranges_) session_.checkpoints.save_ranges(session_.spec.job, *ranges_);
  connection.commit();
  if (swaps()) session_.doubt();
  done_ = true;
  return counts;
}

}  // namespace tidemark::postgres
