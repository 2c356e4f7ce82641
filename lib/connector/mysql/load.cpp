#include "connector/mysql/load.h"

#include "connector/mysql/key_index.h"

namespace tidemark::mysql {
namespace {

constexpr const char* has_children = "1451";
constexpr const char* no_parent = "1452";

/// The statements of a replacement, one after the other. Rows may refer to each other in an order
/// that suits no check row by row; a statement that fails is undone alone.
struct Exchange {
  Session& session;
  WritePlan& plan;
  std::string staged;  ///< SQL
  const sql::ReplaceStatements& statements;
  WriteCounts& counts;

  void erase(bool scoped) {
    try {
      counts.deleted = run(statements.erase);
    } catch (const Error& error) {
      if (!among_relatives(error, has_children) || scoped || !plan.relatives().let_go(staged))
        throw;
      counts.deleted = run(statements.erase);
    }
  }

  void update() {
    const std::uint64_t moved = plan.key_is_unique() ? plan.moves().take_out(staged) : 0;
    try {
      counts.updated = run(statements.update) + moved;
    } catch (const Error& error) {
      if (moved != 0 || !among_relatives(error, no_parent)) throw;
      insert_relatives();
      counts.updated = run(statements.update);
    }
    if (moved != 0) plan.moves().put_back(staged);
  }

  void insert() {
    try {
      counts.inserted += run(statements.insert);
    } catch (const Error& error) {
      if (!among_relatives(error, no_parent)) throw;
      insert_relatives();
    }
  }

 private:
  std::uint64_t run(const std::string& statement) { return session.change(statement).affected; }
  void insert_relatives() {
    counts.inserted +=
        plan.relatives().insert(staged, std::nullopt, [this] { return run(statements.insert); });
  }
  bool among_relatives(const Error& error, const char* code) {
    return error.fields().code == code && plan.key_is_unique() && plan.relatives().any();
  }
};

}  // namespace

MysqlLoad::MysqlLoad(Session& session, const MysqlDialect& dialect, WritePlan& plan,
                     sql::CheckpointStore store, LoadSpec spec, const std::string& metadata_schema)
    : session_(session),
      dialect_(dialect),
      plan_(plan),
      store_(std::move(store)),
      spec_(std::move(spec)) {
  // DDL commits implicitly (but for temporary tables), so all of it comes before the transaction.
  if (replaces()) {
    staging_ = sql::staging_table(spec_.job, metadata_schema);
    make_staging();
    return;
  }
  if (!spec_.write.key.empty()) plan_.make_temporary();
  begin();
}

MysqlLoad::~MysqlLoad() {
  if (open_) session_.rollback();
  if (!staging_made_ || !session_.usable()) return;
  try {
    session_.execute("DROP TABLE IF EXISTS " + dialect_.table(staging_));
  } catch (const std::exception&) {
    // The job's next start drops it.
  }
}

void MysqlLoad::begin() {
  session_.execute("START TRANSACTION");
  open_ = true;
}

void MysqlLoad::make_staging() {
  session_.execute("DROP TABLE IF EXISTS " + dialect_.table(staging_));
  session_.execute(plan_.staging_definition(staging_, false));
  staging_made_ = true;
  if (plan_.key_is_unique()) plan_.moves().make_temporary();
}

void MysqlLoad::write(Rows rows, const Write& write) {
  if (rows.empty()) return;
  try {
    write(rows);
  } catch (const Error& error) {
    if (error.error_class() != ErrorClass::data) throw;
    if (error.fields().row) throw plan_.located(error);
    locate(rows, write, error);
  }
}

void MysqlLoad::locate(Rows rows, const Write& write, const Error& first) {
  Error::Fields fields = plan_.located(first).fields();
  while (rows.size() > 1) {
    const Rows half = rows.first(rows.size() / 2);
    try {
      write(half);
      rows = rows.subspan(half.size());
    } catch (const Error& error) {
      if (error.error_class() != ErrorClass::data) throw;
      fields = plan_.located(error).fields();
      rows = half;
    }
  }
  fields.row = rows.front();
  throw Error(std::move(fields));
}

void MysqlLoad::upsert(const Batch& batch) {
  const auto rows = last_of_each_key(batch, plan_.key());
  // Earlier rows of a key that comes again were read and have no effect of their own.
  write(rows, [&](Rows part) { counts_ += plan_.upsert(batch, part); });
}

void MysqlLoad::append(const Batch& batch) {
  const auto rows = every_row(batch);
  write(rows, [&](Rows part) {
    if (replaces()) {
      plan_.stage(staging_, batch, part);
      staged_ += part.size();
    } else {
      counts_ += plan_.append(batch, part);
    }
  });
}

void MysqlLoad::insert_missing(const Batch& batch) {
  const auto rows = last_of_each_key(batch, plan_.key());
  write(rows, [&](Rows part) { counts_ += plan_.insert_missing(batch, part); });
}

void MysqlLoad::erase(const Batch& keys) {
  const auto rows = last_of_each_key(keys, plan_.key());
  write(rows, [&](Rows part) { counts_ += plan_.erase(keys, part); });
}

void MysqlLoad::save(const CheckpointRecord& checkpoint) {
  if (!open_) begin();
  store_.save(spec_.job, spec_.fence, spec_.lease, checkpoint);
}

void MysqlLoad::save_ranges(const std::vector<RangeRecord>& ranges) {
  if (!open_) begin();
  store_.save_ranges(spec_.job, ranges);
}

void MysqlLoad::save_range(const RangeRecord& range) {
  if (!open_) begin();
  store_.save_range(spec_.job, spec_.fence, range);
}

sql::Replacement MysqlLoad::replacement() const {
  sql::Replacement replacement{.table = plan_.table(), .staging = staging_, .columns = {}};
  for (const WrittenColumn& column : plan_.columns())
    replacement.columns.push_back({.name = column.name, .type = column.arriving});
  if (plan_.key_is_unique()) replacement.key = spec_.write.key;
  replacement.scope = spec_.write.scope;
  return replacement;
}

void MysqlLoad::swap_in() {
  const sql::Replacement replacement = this->replacement();
  if (const std::string outside = sql::outside_scope_query(replacement, dialect_);
      !outside.empty() && !session_.execute(outside).rows.empty())
    throw Error({.kind = FailureKind::constraint,
                 .message = "a row lies outside the job's target.scope",
                 .operation = "replace",
                 .table = plan_.table().display(),
                 .hint = "Select only rows of the scope, or correct target.scope."});
  const sql::ReplaceStatements statements = sql::replace_statements(replacement, dialect_);
  Exchange exchange{session_, plan_, dialect_.table(staging_), statements, counts_};
  exchange.erase(!spec_.write.scope.empty());
  if (!statements.update.empty()) exchange.update();
  exchange.insert();
  counts_.unchanged = staged_ - counts_.inserted - counts_.updated;
}

WriteCounts MysqlLoad::commit() {
  if (!open_) begin();
  try {
    if (replaces()) swap_in();
  } catch (const Error& error) {
    throw plan_.located(error);
  }
  open_ = false;
  session_.commit();
  return counts_;
}

}  // namespace tidemark::mysql
