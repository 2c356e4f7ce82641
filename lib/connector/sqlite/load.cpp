#include "connector/sqlite/load.h"

#include <algorithm>
#include <set>

#include "connector/sqlite/unique_moves.h"
#include "core/error.h"

namespace tidemark::sqlite {
namespace {

/// Columns whose values SQLite's IS does not tell apart by bytes.
std::set<std::string> bitwise_columns(const std::vector<TargetColumn>& columns,
                                      const Schema& existing) {
  std::set<std::string> names;
  for (const TargetColumn& column : columns) {
    const std::size_t at = find_column(existing, column.column.name);
    if (at == npos) continue;
    if (affinity_of(existing[at].native_type) == Affinity::blob &&
        existing[at].type.kind != TypeKind::bytes)
      names.insert(column.column.name);
  }
  return names;
}

}  // namespace

SqliteLoad::SqliteLoad(Connection& connection, sql::CheckpointStore& checkpoints,
                       const LoadSpec& spec, sql::ExistingTable existing)
    : connection_(connection),
      checkpoints_(checkpoints),
      spec_(spec),
      dialect_(bitwise_columns(spec.write.columns, existing.description.columns)),
      unique_key_(!spec.write.key.empty() && sql::is_unique_key(existing, spec.write.key)),
      staging_(sql::staging_table(spec.job, "temp")) {
  const Schema& there = existing.description.columns;
  for (const TargetColumn& column : spec_.write.columns) {
    // What the target lacks under schema_changes: report was announced by `prepare`.
    const std::size_t at = find_column(there, column.column.name);
    if (at != npos) columns_.push_back({column, there[at]});
  }
  if (columns_.empty())
    throw Error({.kind = FailureKind::schema,
                 .message = "the target has none of the job's columns",
                 .operation = "write",
                 .table = spec_.write.table.display(),
                 .hint = "Correct target.table, or the columns of the job."});
  if (spec_.write.write == WriteMode::replace) make_staging();
}

SqliteLoad::~SqliteLoad() {
  transaction_.reset();
  if (!staged_) return;
  try {
    connection_.execute("DROP TABLE IF EXISTS " + dialect_.table(staging_));
  } catch (const std::exception&) {
    // It goes with the connection.
  }
}

bool SqliteLoad::in_key(const std::string& column) const {
  const auto& key = spec_.write.key;
  return std::find(key.begin(), key.end(), column) != key.end();
}

std::vector<std::string> SqliteLoad::names(bool with_key) const {
  std::vector<std::string> result;
  for (const Written& column : columns_)
    if (with_key || !in_key(column.arriving.column.name))
      result.push_back(column.arriving.column.name);
  return result;
}

Error SqliteLoad::located(const Error& error, std::optional<std::size_t> row) const {
  Error::Fields fields = error.fields();
  if (row) fields.row = row;
  if (fields.operation.empty()) fields.operation = "write";
  if (fields.table.empty()) fields.table = spec_.write.table.display();
  return Error(std::move(fields));
}

SqliteLoad::Binding SqliteLoad::bind_columns(const Batch& batch,
                                             const std::vector<Written>& columns,
                                             std::string statement) const {
  Binding binding{.statement = std::move(statement), .positions = {}, .writers = {}};
  for (const Written& column : columns) {
    const std::size_t at = find_column(batch.schema(), column.arriving.column.name);
    if (at == npos)
      throw Error({.kind = FailureKind::internal,
                   .message = "a batch came without a column that the job writes",
                   .operation = "write",
                   .table = spec_.write.table.display(),
                   .column = column.arriving.column.name});
    binding.positions.push_back(at);
    TargetColumn arriving = column.arriving;
    arriving.column.type = batch.column(at).type();
    binding.writers.emplace_back(arriving, column.existing,
                                 static_cast<int>(binding.writers.size()) + 1);
  }
  return binding;
}

void SqliteLoad::run_rows(Binding& binding, const Batch& batch, std::size_t first,
                          const std::function<void(std::uint64_t met, std::size_t row)>& count) {
  Statement& statement = connection_.prepared(binding.statement);
  for (std::size_t row = first; row < batch.rows(); ++row) {
    try {
      connection_.check_cancelled();
      for (std::size_t index = 0; index < binding.writers.size(); ++index)
        binding.writers[index].bind(statement, batch.column(binding.positions[index]), row);
      const std::uint64_t met = connection_.met();
      statement.run();
      count(connection_.met() - met, row);
    } catch (const Error& error) {
      statement.reset();
      throw located(error, row);
    }
  }
  // The bindings point into the batch, which the caller may free.
  sqlite3_clear_bindings(statement.get());
}

void SqliteLoad::begin_writing() {
  if (transaction_) return;
  try {
    transaction_.emplace(connection_);
  } catch (const Error& error) {
    throw located(error, std::nullopt);
  }
}

std::string SqliteLoad::insert_statement(const TableName& table) const {
  std::string list;
  std::string parameters;
  for (std::size_t index = 0; index < columns_.size(); ++index) {
    list += (index == 0 ? "" : ", ") + dialect_.quote(columns_[index].arriving.column.name);
    parameters += (index == 0 ? "?" : ", ?") + std::to_string(index + 1);
  }
  return "INSERT INTO " + dialect_.table(table) + " (" + list + ") VALUES (" + parameters + ")";
}

std::string SqliteLoad::key_list() const {
  std::string list;
  for (const std::string& column : spec_.write.key)
    list += (list.empty() ? "" : ", ") + dialect_.quote(column);
  return list;
}

/// tidemark_met() tells an insert from an update or a row that is as it should be: SQLite's own
/// count does not.
std::string SqliteLoad::upsert_statement() const {
  const std::vector<std::string> rest = names(false);
  std::string assignments;
  for (const std::string& column : rest)
    assignments += (assignments.empty() ? "" : ", ") + dialect_.quote(column) + " = excluded." +
                   dialect_.quote(column);
  if (rest.empty())
    assignments = dialect_.quote(spec_.write.key.front()) + " = excluded." +
                  dialect_.quote(spec_.write.key.front());
  const std::string differs =
      rest.empty() ? "0" : dialect_.differs(dialect_.table(spec_.write.table), "excluded", rest);
  // CASE, because the planner takes AND apart: it may leave a call out where the rest is constant.
  return insert_statement(spec_.write.table) + " ON CONFLICT (" + key_list() + ") DO UPDATE SET " +
         assignments + " WHERE CASE WHEN " + met_function + "() THEN " + differs + " END";
}

void SqliteLoad::require_unique_key() const {
  if (unique_key_) return;
  throw Error({.kind = FailureKind::schema,
               .message = "writing by key needs a unique index over exactly the key",
               .operation = "write",
               .table = spec_.write.table.display(),
               .hint = "Add one to the target, or correct `key`."});
}

void SqliteLoad::upsert(const Batch& batch) {
  require_unique_key();
  begin_writing();
  Binding binding = bind_columns(batch, columns_, upsert_statement());
  const auto count = [&](std::uint64_t met, std::size_t) {
    if (met == 0)
      ++counts_.inserted;
    else if (sqlite3_changes(connection_.handle()) != 0)
      ++counts_.updated;
    else
      ++counts_.unchanged;
  };
  try {
    run_rows(binding, batch, 0, count);
  } catch (const Error& error) {
    // The rows before it stand as they are to stay: only those behind it can be in its way for now.
    const std::size_t failed = error.fields().row.value_or(batch.rows());
    if (!make_way(error, batch, failed)) throw;
    run_rows(binding, batch, failed, count);
  }
}

/// After a row met another in a unique index: takes the rows from `first` on out of each other's
/// way. False where that can't help.
bool SqliteLoad::make_way(const Error& error, const Batch& batch, std::size_t first) {
  if (!UniqueMoves::met(error)) return false;
  const UniqueMoves moves(connection_, dialect_, spec_.write.table, names(true), spec_.write.key);
  if (moves.columns().empty()) return false;
  std::vector<Written> parts;
  const auto add = [&](const std::string& name) {
    for (const Written& column : columns_)
      if (column.arriving.column.name == name) parts.push_back(column);
  };
  for (const std::string& name : spec_.write.key)
    add(name);
  for (const std::string& name : moves.columns())
    add(name);
  const Moving moving(connection_);
  Binding binding = bind_columns(batch, parts, moves.row_statement());
  try {
    run_rows(binding, batch, first, [](std::uint64_t, std::size_t) {});
  } catch (const Error& refused) {
    // Where a row may not even be moved, that it met another is what there is to say.
    if (refused.kind() != FailureKind::constraint) throw;
    return false;
  }
  return true;
}

void SqliteLoad::append(const Batch& batch) {
  if (spec_.write.write == WriteMode::replace) return stage(batch);
  begin_writing();
  Binding binding = bind_columns(batch, columns_, insert_statement(spec_.write.table));
  run_rows(binding, batch, 0, [&](std::uint64_t, std::size_t) { ++counts_.inserted; });
}

void SqliteLoad::insert_missing(const Batch& batch) {
  require_unique_key();
  begin_writing();
  Binding binding = bind_columns(
      batch, columns_,
      insert_statement(spec_.write.table) + " ON CONFLICT (" + key_list() + ") DO NOTHING");
  run_rows(binding, batch, 0, [&](std::uint64_t, std::size_t) {
    ++(sqlite3_changes(connection_.handle()) == 0 ? counts_.unchanged : counts_.inserted);
  });
}

void SqliteLoad::erase(const Batch& keys) {
  begin_writing();
  std::vector<Written> parts;
  std::string conditions;
  for (const std::string& name : spec_.write.key) {
    const auto found = std::find_if(columns_.begin(), columns_.end(), [&](const Written& column) {
      return column.arriving.column.name == name;
    });
    if (found == columns_.end())
      throw Error({.kind = FailureKind::schema,
                   .message = "the target has no column of this name, which belongs to the key",
                   .operation = "erase",
                   .table = spec_.write.table.display(),
                   .column = name});
    parts.push_back(*found);
    conditions += (conditions.empty() ? "" : " AND ") + dialect_.quote(name) + " = ?" +
                  std::to_string(parts.size());
  }
  if (parts.empty())
    throw Error({.kind = FailureKind::internal, .message = "erase was asked for without a key"});
  Binding binding = bind_columns(
      keys, parts, "DELETE FROM " + dialect_.table(spec_.write.table) + " WHERE " + conditions);
  run_rows(binding, keys, 0, [&](std::uint64_t, std::size_t) {
    counts_.deleted += static_cast<std::uint64_t>(sqlite3_changes(connection_.handle()));
  });
}

/// The same declared types as the table's, so that every value takes the same form in both.
void SqliteLoad::make_staging() {
  std::string definition;
  for (const Written& column : columns_)
    definition += (definition.empty() ? "" : ", ") + dialect_.quote(column.existing.name) + " " +
                  column.existing.native_type;
  if (unique_key_) {
    definition += ", PRIMARY KEY (" + key_list() + ")";
  }
  const std::string table = dialect_.table(staging_);
  connection_.execute("DROP TABLE IF EXISTS " + table);
  connection_.execute("CREATE TEMP TABLE " + dialect_.quote(staging_.name) + " (" + definition +
                      ")");
  staged_ = true;
}

void SqliteLoad::stage(const Batch& batch) {
  // A plain BEGIN: it locks the temporary database only, and the batch costs one commit.
  connection_.execute("BEGIN");
  try {
    Binding binding = bind_columns(batch, columns_, insert_statement(staging_));
    run_rows(binding, batch, 0, [](std::uint64_t, std::size_t) {});
  } catch (const Error& error) {
    if (connection_.in_transaction()) connection_.execute("ROLLBACK");
    if (error.kind() != FailureKind::constraint) throw;
    Error::Fields fields = error.fields();
    fields.message = "the key is not unique in the source: two rows have the same";
    fields.hint = "Name a key that is unique in the table or the query's result.";
    throw Error(std::move(fields));
  } catch (...) {
    if (connection_.in_transaction()) connection_.execute("ROLLBACK");
    throw;
  }
  connection_.execute("COMMIT");
}

/// Rows that differ from their staged ones, whatever unique values pass from one to another.
void SqliteLoad::update_all(const sql::Replacement& replacement, const std::string& statement) {
  try {
    counts_.updated += connection_.execute(statement).affected;
    return;
  } catch (const Error& error) {
    const UniqueMoves moves(connection_, dialect_, replacement.table, names(true), replacement.key);
    if (!UniqueMoves::met(error) || moves.columns().empty()) throw;
    const Moving moving(connection_);
    connection_.execute(moves.all_statement(
        staging_, sql::scope_predicate(replacement.scope, replacement.columns,
                                       dialect_.table(replacement.table), dialect_)));
  }
  counts_.updated += connection_.execute(statement).affected;
}

void SqliteLoad::replace_table() {
  sql::Replacement replacement{.table = spec_.write.table, .staging = staging_, .columns = {}};
  for (const Written& column : columns_)
    replacement.columns.push_back(column.existing);
  if (unique_key_) replacement.key = spec_.write.key;
  replacement.scope = spec_.write.scope;
  if (const std::string outside = sql::outside_scope_query(replacement, dialect_);
      !outside.empty() && connection_.execute(outside).scalar())
    throw Error({.kind = FailureKind::constraint,
                 .message = "the source gave a row that is outside of target.scope",
                 .hint = "Bound the source to the rows of the scope, or correct target.scope."});
  const auto staged =
      connection_.execute("SELECT COUNT(*) FROM " + dialect_.table(staging_)).scalar();
  const sql::ReplaceStatements statements = sql::replace_statements(replacement, dialect_);
  counts_.deleted += connection_.execute(statements.erase).affected;
  if (!statements.update.empty()) update_all(replacement, statements.update);
  const std::uint64_t inserted = connection_.execute(statements.insert).affected;
  counts_.inserted += inserted;
  counts_.unchanged += std::stoull(staged.value_or("0")) - inserted - counts_.updated;
}

void SqliteLoad::save(const CheckpointRecord& checkpoint) {
  begin_writing();
  checkpoints_.save(spec_.job, spec_.fence, spec_.lease, checkpoint);
}

void SqliteLoad::save_ranges(const std::vector<RangeRecord>& ranges) {
  begin_writing();
  checkpoints_.save_ranges(spec_.job, ranges);
}

void SqliteLoad::save_range(const RangeRecord& range) {
  begin_writing();
  checkpoints_.save_range(spec_.job, spec_.fence, range);
}

WriteCounts SqliteLoad::commit() {
  try {
    begin_writing();
    if (spec_.write.write == WriteMode::replace) replace_table();
    transaction_->commit();
  } catch (const Error& error) {
    throw located(error, std::nullopt);
  }
  transaction_.reset();
  return counts_;
}

}  // namespace tidemark::sqlite
