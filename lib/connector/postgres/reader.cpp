#include "connector/postgres/reader.h"

#include "connector/postgres/dialect.h"
#include "connector/postgres/natives.h"
#include "connector/sql/select.h"

namespace tidemark::postgres {
namespace {

std::string name_of(const Relation& relation) {
  return relation.table ? relation.table->display() : "query";
}

/// The columns as the server will send them. Binary COPY carries no types, so a column that has
/// changed since the plan was made would be read as something it is not.
std::vector<WireType> checked_columns(const std::vector<ResultColumn>& described,
                                      const ReadPlan& plan) {
  std::vector<WireType> columns;
  if (described.size() != plan.columns.size())
    throw Error(
        {.kind = FailureKind::internal, .message = "a SELECT gives other columns than planned"});
  for (std::size_t index = 0; index < described.size(); ++index) {
    const WireType wire{described[index].type, described[index].modifier};
    const auto type = logical_type(wire);
    const TypeKind wanted = plan.columns[index].type.kind;
    if (!type || type->kind != (wanted == TypeKind::native ? TypeKind::text : wanted))
      throw Error({.kind = FailureKind::schema,
                   .message = "the column is not of type " + to_string(plan.columns[index].type) +
                              " any more",
                   .column = plan.columns[index].name,
                   .hint = "Look at `tidemark check`; the next run reads the new type."});
    columns.push_back(wire);
  }
  return columns;
}

}  // namespace

CopyReader::CopyReader(Connection& connection, const ReadPlan& plan, bool& busy)
    : connection_(connection), busy_(busy), plan_(plan), decoder_({}) {
  const std::string select = sql::build_select(plan_, dialect(), {.read = read_expression});
  try {
    decoder_ = CopyDecoder(checked_columns(connection_.copy_out(select), plan_));
  } catch (Error& error) {
    connection_.abandon_copy(false);
    throw Error(error.with_context("read", name_of(plan_.relation)));
  }
  busy_ = true;
}

CopyReader::~CopyReader() {
  if (!ended_) connection_.abandon_copy(plan_.max_rows != 0 && rows_ >= plan_.max_rows);
  busy_ = false;
}

bool CopyReader::fetch() {
  while (!ended_) {
    const auto message = connection_.copied();
    if (!message) {
      ended_ = true;
      busy_ = false;
      return false;
    }
    row_ = *message;
    if (std::exchange(first_, false)) row_ = CopyDecoder::without_header(row_);
    if (!row_.empty() && !CopyDecoder::is_trailer(row_)) return true;
  }
  return false;
}

bool CopyReader::next(Batch& batch) {
  batch.clear();
  if (ended_ && held_.empty()) return false;
  // Raw bytes stand for the batch's: they are about as long, and counting them costs nothing.
  std::size_t bytes = 0;
  try {
    if (!held_.empty()) {
      decoder_.row(held_, batch);
      bytes = held_.size();
      held_.clear();
      ++rows_;
    }
    connection_.begin_wait();
    while (batch.rows() < plan_.batch_rows && (batch.empty() || bytes < plan_.batch_bytes) &&
           fetch()) {
      if (!batch.empty() && bytes + row_.size() > plan_.batch_bytes) {
        held_ = row_;
        break;
      }
      decoder_.row(row_, batch);
      bytes += row_.size();
      ++rows_;
    }
    connection_.end_wait();
  } catch (Error& error) {
    ended_ = ended_ || !connection_.streaming();
    connection_.end_wait();
    throw Error(error.with_context("read", name_of(plan_.relation)));
  } catch (const Cancelled&) {
    ended_ = true;
    throw;
  }
  return batch.rows() > 0;
}

}  // namespace tidemark::postgres
