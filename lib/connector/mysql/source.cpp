#include "connector/mysql/source.h"

#include <algorithm>

#include "connector/mysql/cell_form.h"
#include "connector/mysql/reader.h"
#include "connector/sql/query_scanner.h"
#include "connector/sql/select.h"

namespace tidemark::mysql {
namespace {

/// Fewer rows than this to a range do not pay for a second reader.
constexpr std::uint64_t rows_worth_a_range = 10'000;

[[noreturn]] void no_table(const TableName& table) {
  throw Error({.kind = FailureKind::schema,
               .message = "the table does not exist, or this login may not see it",
               .operation = "describe",
               .table = table.display(),
               .hint = "Check source.table, and `tidemark grants` for the SELECT privilege."});
}

[[noreturn]] void no_rows_to_sync(const TableName& table) {
  throw Error({.kind = FailureKind::schema,
               .message = "it is a sequence, not a table",
               .operation = "describe",
               .table = table.display(),
               .hint =
                   "A sequence has a state and no rows: create it at the target and set it with "
                   "ALTER SEQUENCE, or name a table in source.table."});
}

}  // namespace

WallTime clock_of(sql::Session& session) {
  return wall_time_of(session.execute("SELECT UTC_TIMESTAMP(6)").scalar().value_or(""));
}

MysqlSource::MysqlSource(const ConnectionSettings& settings, std::shared_ptr<Sampler> sampler,
                         std::shared_ptr<Cursors> cursors, bool replica)
    : session_(settings, Role::source),
      dialect_(session_.flavor()),
      sampler_(std::move(sampler)),
      cursors_(std::move(cursors)),
      replica_(replica) {
  if (!replica_) sampler_->leave_out(session_.thread_id());
}

MysqlSource::~MysqlSource() {
  if (!replica_) sampler_->take_in(session_.thread_id());
}

SourceDescription MysqlSource::describe(const Relation& relation) {
  cursors_->forget(relation);
  SourceDescription description;
  const auto add = [&](Column column, const std::optional<Type>& type) {
    if (type)
      description.columns.push_back(std::move(column));
    else
      description.unsupported.push_back({column.name, column.native_type});
  };
  if (relation.table) {
    const auto table = find_table(session_, *relation.table);
    if (!table) no_table(*relation.table);
    if (table->sequence) no_rows_to_sync(*relation.table);
    auto& odd = odd_texts_[table->name.display()];
    odd.clear();
    for (const CatalogueColumn& column : table->columns) {
      if (may_leave_unicode(column.native.character_set))
        odd[column.name] = column.native.character_set;
      add({.name = column.name,
           .type = column.type.value_or(Type{}),
           .nullable = column.nullable,
           .native_type = column.native.column_type},
          column.type);
    }
    description.primary_key = table->primary_key;
    return description;
  }
  // Prepared without running: types come from the server, never from data.
  auto columns = result_columns(session_, sql::describe_query(relation.query, dialect_));
  resolve_labels(relation, columns);
  for (ResultColumn& column : columns)
    add(std::move(column.column), column.type);
  return description;
}

void MysqlSource::resolve_labels(const Relation& relation, std::vector<ResultColumn>& columns) {
  const auto labelled = [](const ResultColumn& column) {
    return column.column.native_type == "enum" || column.column.native_type == "set";
  };
  if (std::none_of(columns.begin(), columns.end(), labelled)) return;
  // A result does not carry the labels; the bare query, not wrapped, says whose column it is.
  const auto bare = result_columns(
      session_, sql::scan_query(relation.query, dialect_.lexis()).with_cursor("1=1"));
  std::map<std::string, std::optional<CatalogueTable>> tables;
  for (std::size_t at = 0; at < std::min(bare.size(), columns.size()); ++at) {
    ResultColumn& column = columns[at];
    if (!labelled(column) || !bare[at].origin_table) continue;
    const auto [known, first] = tables.try_emplace(bare[at].origin_table->display());
    if (first) known->second = find_table(session_, *bare[at].origin_table);
    const CatalogueColumn* base =
        known->second ? known->second->find(bare[at].origin_column) : nullptr;
    if (base == nullptr || !base->type) continue;
    column.type = base->type;
    column.column.type = *base->type;
    column.column.native_type = base->native.column_type;
  }
}

bool MysqlSource::can_read_as(const Column& column, const Type& type) const {
  return mysql::can_read_as(column, type);
}

const std::map<std::string, std::string>& MysqlSource::odd_texts(const TableName& name) {
  const std::string shown = qualified(session_, name).display();
  if (const auto known = odd_texts_.find(shown); known != odd_texts_.end()) return known->second;
  auto& odd = odd_texts_[shown];
  if (const auto table = find_table(session_, name))
    for (const CatalogueColumn& column : table->columns)
      if (may_leave_unicode(column.native.character_set))
        odd[column.name] = column.native.character_set;
  return odd;
}

std::unique_ptr<BatchReader> MysqlSource::read(const ReadPlan& plan) {
  const std::map<std::string, std::string> none;
  const auto& odd = plan.relation.table ? odd_texts(*plan.relation.table) : none;
  const sql::SelectOptions options{.read = [&](const Column& column, const std::string& quoted) {
    const auto character_set = odd.find(column.name);
    return read_expression(column, quoted,
                           character_set == odd.end() ? std::string() : character_set->second);
  }};
  return std::make_unique<StreamReader>(session_, sql::build_select(plan, dialect_, options),
                                        plan.columns,
                                        StreamReader::Limits{.batch_rows = plan.batch_rows,
                                                             .batch_bytes = plan.batch_bytes,
                                                             .max_rows = plan.max_rows});
}

std::optional<std::uint64_t> MysqlSource::estimated_rows(const Relation& relation) {
  if (!relation.table) return std::nullopt;
  const std::string& schema = relation.table->schema;
  const auto rows =
      session_
          .execute(
              "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = " +
              (schema.empty() ? std::string("DATABASE()")
                              : dialect_.literal(Value::of(text_type(), schema))) +
              " AND TABLE_NAME = " + dialect_.literal(Value::of(text_type(), relation.table->name)))
          .scalar();
  return rows ? std::optional(std::stoull(*rows)) : std::nullopt;
}

std::vector<KeyRange> MysqlSource::split(const Relation& relation, const std::vector<KeyPart>& key,
                                         std::size_t parts) {
  std::vector<KeyRange> ranges(1);
  if (key.empty() || parts < 2) return ranges;
  const std::string from = sql::from_clause(relation, dialect_);
  const std::string where = relation.where.empty() ? "" : " WHERE (" + relation.where + "\n)";
  const auto count = session_.execute("SELECT COUNT(*) FROM " + from + where).scalar();
  const std::uint64_t rows = count ? std::stoull(*count) : 0;
  parts = std::min<std::size_t>(parts, rows / rows_worth_a_range);
  if (parts < 2) return ranges;

  ReadPlan plan;
  plan.relation = relation;
  plan.key = key;
  plan.order = ReadOrder::key;
  plan.max_rows = 1;
  const SourceDescription description = describe(relation);
  for (const KeyPart& part : key) {
    const std::size_t at = find_column(description.columns, part.column);
    if (at == npos)
      throw Error({.kind = FailureKind::schema,
                   .message = "the key's column is not in the relation",
                   .operation = "split",
                   .column = part.column});
    plan.columns.push_back(description.columns[at]);
  }
  // Each step walks the index over one part, so that all steps together walk it once.
  const std::uint64_t step = rows / parts;
  Batch row(std::make_shared<const Schema>(plan.columns));
  for (std::size_t part = 1; part < parts; ++part) {
    const std::uint64_t skip = plan.after ? step - 1 : step;
    StreamReader reader(session_,
                        sql::build_select(plan, dialect_) + " OFFSET " + std::to_string(skip),
                        plan.columns, {.batch_rows = 1, .max_rows = 1});
    if (!reader.next(row)) break;
    std::vector<Value> bound;
    for (std::size_t at = 0; at < key.size(); ++at)
      bound.push_back(value_at(row.column(at), 0));
    ranges.back().upper = bound;
    ranges.push_back({.lower = bound});
    plan.after = Position{.cursor = Value{}, .key = std::move(bound)};
  }
  return ranges;
}

sql::Result MysqlSource::ask(const std::string& statement) {
  return replica_ ? sampler_->ask(statement, caller_) : session_.execute(statement);
}

WallTime MysqlSource::now() {
  return wall_time_of(ask("SELECT UTC_TIMESTAMP(6)").scalar().value_or(""));
}

std::string MysqlSource::identity() {
  return identity_of(session_, session_.flavor().mariadb);
}

}  // namespace tidemark::mysql
