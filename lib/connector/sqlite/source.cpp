#include "connector/sqlite/source.h"

#include <sys/stat.h>

#include <algorithm>

#include "connector/sql/select.h"
#include "connector/sqlite/catalog.h"
#include "connector/sqlite/dialect.h"
#include "connector/sqlite/reader.h"
#include "connector/sqlite/temporal_style.h"
#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::sqlite {
namespace {

/// A table smaller than this is read in one piece.
constexpr std::uint64_t least_rows_to_split = 10'000;

std::int64_t since_2000(std::int64_t unix_micros) {
  return unix_micros - unix_to_2000_seconds * micros_per_second;
}

/// Without a new row for so long, nobody is writing the tick of the newest one.
constexpr Duration quiet_after = std::chrono::seconds(2);

/// A moment as a cursor of the type has it, cut to the second, which is SQLite's tick.
Value moment(const Type& type, std::int64_t unix_micros) {
  const std::int64_t micros = floor_to_precision(since_2000(unix_micros), 0);
  switch (type.kind) {
    case TypeKind::date: {
      const std::int64_t days = micros / micros_per_day - (micros % micros_per_day < 0 ? 1 : 0);
      return Value::of(type, format_date(static_cast<std::int32_t>(days)));
    }
    case TypeKind::instant:
      return Value::of(type, format_instant(micros));
    default:
      return Value::of(type, format_timestamp(micros));
  }
}

Value one_behind(const Value& number) {
  if (number.null) return number;
  if (number.type.kind == TypeKind::uint64)
    return Value::of(number.type, std::to_string(std::stoull(number.text) + 1));
  const std::int64_t value = std::stoll(number.text);
  return value == INT64_MAX ? number : Value::of(number.type, std::to_string(value + 1));
}

}  // namespace

std::string file_identity(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return "sqlite:" + path;
  return "sqlite:" + path + ":" + std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
}

SqliteSource::SqliteSource(std::unique_ptr<Connection> connection, bool may_lock)
    : connection_(std::move(connection)), may_lock_(may_lock) {
  connection_->execute("PRAGMA query_only = 1");
}

SourceDescription SqliteSource::describe(const Relation& relation) {
  connection_->start_work();
  SourceDescription description = describe_source(*connection_, relation);
  // In any other mode a writer waits for every reader before it can commit.
  description.blocks_writers = connection_->execute("PRAGMA journal_mode").scalar() != "wal";
  return description;
}

bool SqliteSource::can_read_as(const Column& column, const Type& type) const {
  const TypeKind declared = column.type.kind;
  switch (type.kind) {
    case TypeKind::text:
      return true;
    case TypeKind::native:
      return !native_name_in(type, "sqlite").empty();
    case TypeKind::date:
      return !is_temporal(declared) || declared == TypeKind::date;
    case TypeKind::timestamp:
      return declared != TypeKind::instant;
    case TypeKind::instant:
      // Texts of the others are local times, and their zone is the transforms' affair.
      return !is_temporal(declared) || declared == TypeKind::instant;
    default:
      return false;
  }
}

CursorEvidence SqliteSource::inspect(const Relation& relation, const CursorRef& cursor) {
  connection_->start_work();
  return inspect_cursor(*connection_, relation, cursor);
}

/// The highest cursor of the table that it comes from, which an index gives at once; nothing of the
/// relation can be above it. `limit`: rows above it do not count.
Value SqliteSource::highest(const Relation& relation, const CursorRef& cursor, const Type& type,
                            const std::optional<Value>& limit) {
  const SqliteDialect dialect;
  const std::optional<Origin> origin = origin_of(*connection_, relation, cursor.column);
  const bool of_table = origin && find_table(*connection_, origin->table);
  const std::string expression = dialect.quote(of_table ? origin->column : cursor.column);
  const std::string from =
      of_table ? dialect.table(origin->table) : sql::from_clause(relation, dialect);
  const std::string select = "SELECT MAX(" + expression + ") FROM " + from;
  Statement statement(*connection_, select);
  if (!statement.step()) return Value::null_of(type);
  const CellReader reader({.name = cursor.column, .type = type}, 0);
  ColumnData cell(type);
  reader.read(statement, cell);
  if (cell.is_null(0) || !limit || compare_cursor(value_at(cell, 0), *limit) <= 0)
    return value_at(cell, 0);
  TemporalStyle style;
  style.learn(statement.text(0));
  Statement bounded(*connection_, select + " WHERE " + expression + " <= ?1");
  bind_value(bounded, 1, *limit, style);
  if (!bounded.step()) return Value::null_of(type);
  ColumnData below(type);
  reader.read(bounded, below);
  return value_at(below, 0);
}

/// Takes the write lock for a moment: whoever gets it later also takes the time later. The moment
/// until which everything is complete; nullopt where somebody writes, or we may not.
std::optional<std::int64_t> SqliteSource::complete_until() {
  std::optional<std::int64_t> moment;
  connection_->stop_lock_wait();
  try {
    connection_->execute("PRAGMA query_only = 0");
    connection_->execute("BEGIN IMMEDIATE");
    moment = connection_->now_micros();
    connection_->execute("ROLLBACK");
  } catch (const Error&) {
    // The highest visible value has to do.
  }
  connection_->restore_lock_wait();
  connection_->execute("PRAGMA query_only = 1");
  return moment;
}

/// The highest visible value is always right, but the rows of its tick would never settle on a
/// quiet table. There the lock is free to take, and it is taken once for each state of the file.
Value SqliteSource::time_mark(const Relation& relation, const CursorRef& cursor, const Type& type,
                              ProofKind proof) {
  const std::int64_t now = connection_->now_micros();
  const auto local =
      connection_->execute("SELECT CAST(strftime('%s', 'now', 'localtime') AS INTEGER) * 1000000")
          .scalar();
  // A row from the future must not carry the mark away. Local times may be ahead of UTC.
  const std::int64_t latest = std::max(now, static_cast<std::int64_t>(std::stoll(*local)));
  const Value newest = highest(relation, cursor, type, moment(type, latest));
  const bool quiet =
      newest.null || compare_cursor(newest, moment(type, now - quiet_after.count())) < 0;
  if (!may_lock_ || proof != ProofKind::single_writer || !quiet) return newest;
  if (!inspect_cursor(*connection_, relation, cursor).single_timezone) return newest;
  const std::string version = connection_->execute("PRAGMA data_version").scalar().value_or("");
  if (version != complete_version_ || !complete_until_) {
    complete_until_ = complete_until();
    complete_version_ = version;
  }
  if (!complete_until_) return newest;
  const Value complete = moment(type, *complete_until_);
  return newest.null || compare_cursor(newest, complete) < 0 ? complete : newest;
}

HorizonToken SqliteSource::horizon(const Relation& relation, const CursorRef& cursor,
                                   ProofKind proof) {
  connection_->start_work();
  const SourceDescription description = describe_source(*connection_, relation);
  const std::size_t at = find_column(description.columns, cursor.column);
  if (at == npos)
    throw Error({.kind = FailureKind::schema,
                 .message = "the source has no such column of a type that can be a cursor",
                 .operation = "horizon",
                 .column = cursor.column,
                 .hint = "Check cursor.column."});
  const Type& type = description.columns[at].type;
  HorizonToken token;
  token.proof = proof;
  token.sampled = now();
  token.server = identity();
  token.mark = is_temporal(type.kind) ? time_mark(relation, cursor, type, proof)
                                      : one_behind(highest(relation, cursor, type, {}));
  return token;
}

Settlement SqliteSource::settled(const HorizonToken& token) {
  if (token.server != identity()) return {.lost = true};
  return {.settled = true};
}

std::optional<std::uint64_t> SqliteSource::estimated_rows(const Relation& relation) {
  connection_->start_work();
  if (!relation.table) return std::nullopt;
  const SqliteDialect dialect;
  const std::string name = dialect.literal(Value::of(text_type(), relation.table->name));
  const auto exists = [&](const std::string& condition) {
    return connection_->execute("SELECT 1 FROM sqlite_master WHERE " + condition)
        .scalar()
        .has_value();
  };
  // Each row of an analysed table begins with how many rows the table has.
  if (exists("name = 'sqlite_stat1'"))
    if (const auto stat =
            connection_
                ->execute("SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = " + name)
                .scalar())
      return std::stoull(*stat);
  const bool has_rowids = exists("type = 'table' AND name = " + name +
                                 " AND name NOT IN (SELECT name FROM pragma_table_list WHERE wr)");
  if (!has_rowids) return std::nullopt;
  // As many as were ever inserted, where none was deleted; found at the end of the table's tree.
  const auto last =
      connection_->execute("SELECT max(rowid) FROM " + dialect.table(*relation.table)).scalar();
  return last && last->front() != '-' ? std::optional(std::stoull(*last)) : std::nullopt;
}

std::vector<KeyRange> SqliteSource::split(const Relation& relation, const std::vector<KeyPart>& key,
                                          std::size_t parts) {
  connection_->start_work();
  if (parts < 2 || key.empty() || !relation.table) return {KeyRange{}};
  const SqliteDialect dialect;
  const SourceDescription description = describe_source(*connection_, relation);
  const std::string where = relation.where.empty() ? "" : " WHERE (" + relation.where + "\n)";
  const std::string table = dialect.table(*relation.table);
  const std::uint64_t rows =
      std::stoull(connection_->execute("SELECT COUNT(*) FROM " + table + where).scalar().value());
  if (rows < least_rows_to_split) return {KeyRange{}};
  ReadPlan plan;
  plan.relation = relation;
  plan.key = key;
  plan.order = ReadOrder::key;
  for (const KeyPart& part : key) {
    const std::size_t at = find_column(description.columns, part.column);
    if (at == npos) return {KeyRange{}};
    plan.columns.push_back(description.columns[at]);
  }
  std::vector<KeyRange> ranges(1);
  for (std::size_t part = 1; part < parts; ++part) {
    // The key's index alone is walked; the rows are not.
    Statement statement(*connection_, sql::build_select(plan, dialect) + " LIMIT 1 OFFSET " +
                                          std::to_string(rows * part / parts));
    if (!statement.step()) break;
    std::vector<Value> bound;
    for (std::size_t index = 0; index < plan.columns.size(); ++index) {
      ColumnData cell(plan.columns[index].type);
      CellReader(plan.columns[index], static_cast<int>(index)).read(statement, cell);
      bound.push_back(value_at(cell, 0));
    }
    if (std::any_of(bound.begin(), bound.end(), [](const Value& v) { return v.null; })) continue;
    if (ranges.back().lower == bound) continue;
    ranges.back().upper = bound;
    ranges.push_back({.lower = bound});
  }
  return ranges;
}

std::unique_ptr<BatchReader> SqliteSource::read(const ReadPlan& plan) {
  connection_->start_work();
  return std::make_unique<SqliteReader>(*connection_, plan);
}

WallTime SqliteSource::now() {
  return WallTime(Duration(connection_->now_micros()));
}

std::string SqliteSource::identity() {
  return file_identity(connection_->path());
}

}  // namespace tidemark::sqlite
