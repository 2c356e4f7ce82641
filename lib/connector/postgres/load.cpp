#include "connector/postgres/load.h"

#include <algorithm>

#include "connector/postgres/dialect.h"
#include "connector/postgres/errors.h"
#include "connector/postgres/keyed_write.h"
#include "connector/postgres/late_key.h"
#include "connector/postgres/row_finder.h"
#include "core/error.h"

namespace tidemark::postgres {
namespace {

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

bool has_texts(const WrittenTable& table) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [](const EncodedColumn& column) { return !column.native.empty(); });
}

}  // namespace

TransactionLoad::TransactionLoad(LoadSession session) : session_(std::move(session)) {
  const WrittenTable& table = session_.table;
  if (session_.spec.stage == LoadStage::usual && (!table.spec.key.empty() || has_texts(table)))
    batch_table();
  session_.table.batch.filled = false;
  session_.table.keys.filled = false;
  begin();
}

TransactionLoad::~TransactionLoad() {
  if (done_) return;
  session_.connection.rollback();
  session_.doubt();
}

void TransactionLoad::begin() {
  session_.connection.execute(dialect().begin());
  // A child may then come before its parent, and rows may swap unique values, until COMMIT.
  if (session_.table.deferrable) session_.connection.execute("SET CONSTRAINTS ALL DEFERRED");
}

BatchTable& TransactionLoad::batch_table() {
  WrittenTable& table = session_.table;
  if (table.batch.name.empty())
    table.batch = make_batch_table(session_.connection, BatchUse::rows, table.spec.table,
                                   table.columns, table.not_null);
  return table.batch;
}

void TransactionLoad::write(const Batch& batch, const Attempt& attempt) {
  WrittenTable& table = session_.table;
  fill(session_.connection, batch_table(), batch, table.spec.table.display());
  try {
    attempt({});
  } catch (const Error& error) {
    if (!lacks_row(error)) throw;
    throw with_row(session_.connection, table, batch, error, attempt);
  }
}

/// A first load writes rows that are new, so they need no look at the key; where one is there after
/// all, the batch goes the usual way, and so do those that follow.
bool TransactionLoad::insert_plainly(const Batch& batch) {
  WrittenTable& table = session_.table;
  if (session_.spec.stage != LoadStage::filling) return false;
  if (table.key_pending) return append(batch), true;
  if (table.met_keys || has_texts(table)) return false;
  session_.connection.execute("SAVEPOINT tidemark_plain");
  try {
    counts_.inserted += copy_into_table(batch);
  } catch (const Error& error) {
    if (error.fields().code != unique_violation || !session_.connection.usable()) throw;
    session_.connection.execute("ROLLBACK TO SAVEPOINT tidemark_plain");
    table.met_keys = true;
    return false;
  }
  session_.connection.execute("RELEASE SAVEPOINT tidemark_plain");
  return true;
}

std::uint64_t TransactionLoad::copy_into_table(const Batch& batch) {
  const WrittenTable& table = session_.table;
  return copy_batch(session_.connection, batch, table.columns, false,
                    dialect().table(table.spec.table), table.spec.table.name,
                    table.spec.table.display());
}

void TransactionLoad::upsert(const Batch& batch) {
  if (batch.empty() || insert_plainly(batch)) return;
  WrittenTable& table = session_.table;
  write(batch, [&](const std::optional<RowSpan>& span) {
    check_texts(session_.connection, table.batch, table.spec.table.display(), span);
    counts_ += write_by_key(session_.connection, table, Existing::update, span);
  });
}

void TransactionLoad::insert_missing(const Batch& batch) {
  if (batch.empty()) return;
  WrittenTable& table = session_.table;
  write(batch, [&](const std::optional<RowSpan>& span) {
    check_texts(session_.connection, table.batch, table.spec.table.display(), span);
    counts_ += write_by_key(session_.connection, table, Existing::leave, span);
  });
}

void TransactionLoad::append(const Batch& batch) {
  if (batch.empty()) return;
  WrittenTable& table = session_.table;
  const std::string shown = table.spec.table.display();
  const std::string into = dialect().table(table.spec.table);
  if (!has_texts(table)) {
    counts_.inserted += copy_into_table(batch);
    return;
  }
  write(batch, [&](const std::optional<RowSpan>& span) {
    check_texts(session_.connection, table.batch, shown, span);
    const std::string names = dialect().list(names_of(table.columns));
    counts_.inserted +=
        session_.connection
            .execute_for("INSERT INTO " + into + " (" + names +
                             ") OVERRIDING SYSTEM VALUE SELECT " + names + " FROM (" +
                             typed_rows(table.batch, span) + ") AS typed",
                         shown)
            .affected;
  });
}

void TransactionLoad::erase(const Batch& keys) {
  if (keys.empty()) return;
  WrittenTable& table = session_.table;
  const std::string shown = table.spec.table.display();
  if (table.keys.name.empty())
    table.keys = make_batch_table(session_.connection, BatchUse::keys, table.spec.table,
                                  key_columns(table, keys.schema()), {});
  fill(session_.connection, table.keys, keys, shown);
  std::string condition;
  for (const std::string& name : table.spec.key)
    condition += (condition.empty() ? "target." : " AND target.") + dialect().quote(name) +
                 " = gone." + dialect().quote(name);
  counts_.deleted +=
      session_.connection
          .execute_for("DELETE FROM " + dialect().table(table.spec.table) + " AS target USING (" +
                           typed_rows(table.keys) + ") AS gone WHERE " + condition,
                       shown)
          .affected;
}

void TransactionLoad::save(const CheckpointRecord& checkpoint) {
  // Before the job's row is locked: an index may take long, and the lease is renewed meanwhile.
  if (session_.spec.stage == LoadStage::finishing)
    add_late_key(session_.connection, session_.table.spec);
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
  if (session_.spec.stage == LoadStage::finishing) session_.doubt();
  return counts_;
}

}  // namespace tidemark::postgres
