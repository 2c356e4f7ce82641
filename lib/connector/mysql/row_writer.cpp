#include "connector/mysql/row_writer.h"

#include <algorithm>
#include <charconv>
#include <functional>

#include "connector/mysql/errors.h"

namespace tidemark::mysql {
namespace {

constexpr std::size_t most_rows = 10'000;
/// Around each cell: quotes and a comma, or a length and an indicator.
constexpr std::size_t cell_overhead = 12;

std::size_t cell_size(const ColumnData& data, std::size_t row) {
  if (data.is_null(row)) return cell_overhead;
  if (storage_of(data.type().kind) == Storage::variable)
    return data.bytes_at(row).size() + cell_overhead;
  return 36 + cell_overhead;
}

/// Truncated data for a column: the server's warning for an ENUM's error value, and an error in
/// strict mode.
constexpr std::string_view truncated = "1265";

/// A session without strict mode, for the life of this.
class Lenient {
 public:
  explicit Lenient(Session& session)
      : session_(session), mode_(session.execute("SELECT @@sql_mode").scalar().value_or("")) {
    session_.execute(
        "SET SESSION sql_mode = REPLACE(@@sql_mode, 'STRICT_ALL_TABLES', ''), "
        "max_error_count = 65535");
  }
  ~Lenient() {
    try {
      session_.execute("SET SESSION sql_mode = '" + mode_ + "'");
    } catch (const std::exception&) {
      session_.sever();
    }
  }
  Lenient(const Lenient&) = delete;
  Lenient& operator=(const Lenient&) = delete;

 private:
  Session& session_;
  std::string mode_;
};

}  // namespace

std::uint64_t info_figure(std::string_view info, std::string_view name) {
  const std::size_t at = info.find(name);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = info.substr(at + name.size());
  while (rest.starts_with(':') || rest.starts_with(' '))
    rest.remove_prefix(1);
  std::uint64_t figure = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), figure);
  return figure;
}

RowWriter::RowWriter(Session& session, const MysqlDialect& dialect, RowStatement statement,
                     std::vector<WrittenColumn> columns, bool bulk)
    : session_(session),
      dialect_(dialect),
      statement_(std::move(statement)),
      columns_(std::move(columns)),
      bulk_(bulk) {
  for (const WrittenColumn& column : columns_)
    params_.emplace_back(column);
}

RowWriter::~RowWriter() {
  if (prepared_ != nullptr) mysql_stmt_close(prepared_);
}

void RowWriter::map_columns(const Batch& batch) {
  sources_.clear();
  for (const WrittenColumn& column : columns_) {
    const std::size_t at = find_column(batch.schema(), column.name);
    if (at == npos || batch.column(at).type().kind != column.arriving.kind)
      throw Error({.kind = FailureKind::internal,
                   .message = "a batch does not hold what the job said it would write",
                   .operation = "write",
                   .column = column.name});
    sources_.push_back(at);
  }
}

std::size_t RowWriter::piece(const Batch& batch, std::span<const std::uint32_t> rows) const {
  // Hex doubles the bytes of a text statement; half the packet leaves room for that and the rest.
  const std::size_t room = session_.max_packet() / (bulk_ ? 2 : 4);
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (; count < std::min(rows.size(), most_rows); ++count) {
    std::size_t row_bytes = 0;
    for (const std::size_t source : sources_)
      row_bytes += cell_size(batch.column(source), rows[count]);
    if (count > 0 && bytes + row_bytes > room) break;
    if (row_bytes > session_.max_packet() - 1024)
      throw Error({.kind = FailureKind::conversion,
                   .message = "the row is larger than max_allowed_packet",
                   .operation = "write",
                   .hint = "Raise max_allowed_packet on the target, or exclude the column.",
                   .row = rows[count]});
    bytes += row_bytes;
  }
  return count;
}

RowWriter::Counts RowWriter::run(const Batch& batch, std::span<const std::uint32_t> rows) {
  map_columns(batch);
  const auto is_error = [&](std::uint32_t row) { return holds_enum_error(batch, row); };
  // In a condition nothing is stored, and 0 is as good a number as any.
  if (!statement_.condition.empty() || std::none_of(rows.begin(), rows.end(), is_error))
    return run_rows(batch, rows, bulk_);
  std::vector<std::uint32_t> sorted(rows.begin(), rows.end());
  const auto errors = std::stable_partition(sorted.begin(), sorted.end(), std::not_fn(is_error));
  Counts all = run_rows(batch, {sorted.begin(), errors}, bulk_);
  const Counts rest = run_enum_errors(batch, {errors, sorted.end()});
  all.affected += rest.affected;
  all.duplicates += rest.duplicates;
  return all;
}

bool RowWriter::holds_enum_error(const Batch& batch, std::size_t row) const {
  for (std::size_t at = 0; at < columns_.size(); ++at)
    if (is_enum_error(columns_[at], batch.column(sources_[at]), row)) return true;
  return false;
}

/// The server takes an ENUM's error value only where errors are warnings. So the rows that hold one
/// are written like that, one by one, and every warning that is not about that value is an error.
RowWriter::Counts RowWriter::run_enum_errors(const Batch& batch,
                                             std::span<const std::uint32_t> rows) {
  const Lenient lenient(session_);
  Counts all;
  for (const std::uint32_t& row : rows) {
    const Counts one = run_rows(batch, {&row, 1}, false);
    all.affected += one.affected;
    all.duplicates += one.duplicates;
    for (const auto& warning : session_.execute("SHOW WARNINGS").rows) {
      const std::string named = column_in(warning.at(2).value_or(""));
      const auto column =
          std::find_if(columns_.begin(), columns_.end(),
                       [&](const WrittenColumn& candidate) { return candidate.name == named; });
      const auto at = static_cast<std::size_t>(column - columns_.begin());
      if (warning.at(1) == truncated && column != columns_.end() &&
          is_enum_error(*column, batch.column(sources_[at]), row))
        continue;
      NativeError native{static_cast<unsigned>(std::stoul(warning[1].value_or("0"))), "HY000",
                         warning[2].value_or("")};
      Error::Fields fields = make_error(native, "write").fields();
      fields.row = row;
      throw Error(std::move(fields));
    }
  }
  return all;
}

RowWriter::Counts RowWriter::run_rows(const Batch& batch, std::span<const std::uint32_t> rows,
                                      bool bulk) {
  Counts all;
  while (!rows.empty()) {
    const std::size_t count = piece(batch, rows);
    const Counts part =
        bulk ? run_bulk(batch, rows.first(count)) : run_text(batch, rows.first(count));
    all.affected += part.affected;
    all.duplicates += part.duplicates;
    rows = rows.subspan(count);
  }
  return all;
}

std::string RowWriter::placeholders() const {
  if (!statement_.condition.empty()) return statement_.condition;
  std::string text = "(";
  for (std::size_t at = 0; at < columns_.size(); ++at)
    text += at == 0 ? "?" : ", ?";
  return text + ")";
}

RowWriter::Counts RowWriter::run_bulk(const Batch& batch, std::span<const std::uint32_t> rows) {
  const Session::Activity activity(session_);
  std::vector<MYSQL_BIND> binds;
  for (std::size_t at = 0; at < params_.size(); ++at) {
    params_[at].fill(batch.column(sources_[at]), rows);
    binds.push_back(params_[at].bind());
  }
  session_.progress();
  if (prepared_ == nullptr) {
    prepared_ = mysql_stmt_init(session_.handle());
    if (prepared_ == nullptr) session_.fail("write");
    const std::string text = statement_.head + placeholders() + statement_.tail;
    if (mysql_stmt_prepare(prepared_, text.data(), text.size()) != 0)
      session_.fail(prepared_, "write");
  }
  const auto count = static_cast<unsigned>(rows.size());
  mysql_stmt_attr_set(prepared_, STMT_ATTR_ARRAY_SIZE, &count);
  if (mysql_stmt_bind_param(prepared_, binds.data()) != 0 || mysql_stmt_execute(prepared_) != 0)
    session_.fail(prepared_, "write");
  const char* info = mysql_info(session_.handle());
  Counts counts{.affected = mysql_stmt_affected_rows(prepared_),
                .duplicates = info_figure(info == nullptr ? "" : info, "Duplicates")};
  session_.check_cancelled();
  return counts;
}

std::string RowWriter::row_text(const Batch& batch, std::size_t row) const {
  std::vector<std::string> cells;
  for (std::size_t at = 0; at < columns_.size(); ++at)
    cells.push_back(cell_literal(columns_[at], batch.column(sources_[at]), row, dialect_));
  std::string text = statement_.condition.empty() ? "(" : "";
  if (statement_.condition.empty()) {
    for (std::size_t at = 0; at < cells.size(); ++at)
      text += (at == 0 ? "" : ", ") + cells[at];
    return text + ")";
  }
  for (std::size_t at = 0; at < cells.size(); ++at)
    text += (at == 0 ? "(" : " AND ") + dialect_.quote(columns_[at].name) + " = " + cells[at];
  return text + ")";
}

RowWriter::Counts RowWriter::run_text(const Batch& batch, std::span<const std::uint32_t> rows) {
  std::string text = statement_.head;
  const char* separator = "";
  for (const std::uint32_t row : rows) {
    text += separator;
    text += row_text(batch, row);
    separator = statement_.condition.empty() ? ", " : " OR ";
  }
  const Session::Change change = session_.change(text + statement_.tail);
  return {.affected = change.affected, .duplicates = info_figure(change.info, "Duplicates")};
}

}  // namespace tidemark::mysql
