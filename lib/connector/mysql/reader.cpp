#include "connector/mysql/reader.h"

#include <mysql.h>

#include <exception>

#include "connector/mysql/cell_decoder.h"
#include "connector/mysql/native_type.h"
#include "core/error.h"

namespace tidemark::mysql {

/// Gets each cell from the client library while a row's packet is at hand. It is called from C: an
/// exception must not pass through, so the first one waits until the fetch is over.
class StreamReader::Decoder {
 public:
  Decoder(MYSQL_STMT* statement, const Schema& columns) {
    MYSQL_RES* metadata = mysql_stmt_result_metadata(statement);
    const unsigned count = metadata == nullptr ? 0 : mysql_num_fields(metadata);
    for (unsigned at = 0; at < count; ++at) {
      const MYSQL_FIELD& field = mysql_fetch_fields(metadata)[at];
      wires_.push_back({.type = field.type, .is_unsigned = (field.flags & UNSIGNED_FLAG) != 0});
    }
    mysql_free_result(metadata);
    if (wires_.size() != columns.size())
      throw Error({.kind = FailureKind::schema,
                   .message = "the result has another number of columns than was described",
                   .operation = "read"});
    for (std::size_t at = 0; at < columns.size(); ++at) {
      const auto native = parse_origin(columns[at].type.origin);
      wires_[at].geometry = native && native->kind == NativeKind::geometry;
    }
    mysql_stmt_attr_set(statement, STMT_ATTR_CB_USER_DATA, this);
    mysql_stmt_attr_set(statement, STMT_ATTR_CB_RESULT,
                        reinterpret_cast<const void*>(&Decoder::receive));
  }

  void into(Batch& batch) {
    batch_ = &batch;
    failed_ = false;
  }
  void check(const Schema& columns, std::size_t row) {
    if (!failed_) return;
    Error::Fields fields = error_;
    fields.column = columns[failed_column_].name;
    fields.row = row;
    throw Error(std::move(fields));
  }

 private:
  static void receive(void* self, unsigned column, unsigned char** row) {
    static_cast<Decoder*>(self)->cell(column, row);
  }

  void cell(unsigned index, unsigned char** row) noexcept {
    ColumnData& column = batch_->column(index);
    if (row == nullptr) return column.push_null();
    const std::size_t size = column.size();
    try {
      decode_cell(wires_[index], row, column);
    } catch (const Error& error) {
      if (!failed_) {
        failed_ = true;
        failed_column_ = index;
        error_ = error.fields();
      }
      if (column.size() == size) column.push_null();
    }
  }

  std::vector<WireField> wires_;
  Batch* batch_ = nullptr;
  bool failed_ = false;
  unsigned failed_column_ = 0;
  Error::Fields error_;
};

StreamReader::StreamReader(Session& session, const std::string& select, Schema columns,
                           const Limits& limits)
    : session_(session),
      activity_(session),
      columns_(std::move(columns)),
      limits_(limits),
      pending_(std::make_shared<const Schema>(columns_)) {
  statement_ = mysql_stmt_init(session_.handle());
  if (statement_ == nullptr) session_.fail("read");
  try {
    session_.progress();
    // Prepared and executed in one round trip where the server is a MariaDB.
    if (mariadb_stmt_execute_direct(statement_, select.data(), select.size()) != 0)
      session_.fail(statement_, "read");
    decoder_ = std::make_unique<Decoder>(statement_, columns_);
  } catch (...) {
    abandon();
    throw;
  }
}

StreamReader::~StreamReader() {
  abandon();
}

bool StreamReader::next(Batch& batch) {
  batch.clear();
  if (!pending_.empty()) {
    batch.push_row(pending_, 0);
    pending_.clear();
  }
  while (!finished_ && batch.rows() < limits_.batch_rows) {
    if (batch.rows() > 0 && batch.bytes() >= limits_.batch_bytes) break;
    if (!fetch(batch)) break;
    if (batch.rows() > 1 && batch.bytes() > limits_.batch_bytes) {
      pending_.push_row(batch, batch.rows() - 1);
      for (std::size_t index = 0; index < batch.column_count(); ++index)
        batch.column(index).pop();
      break;
    }
  }
  return !batch.empty();
}

bool StreamReader::fetch(Batch& batch) {
  session_.check_cancelled();
  session_.progress();
  decoder_->into(batch);
  const int result = mysql_stmt_fetch(statement_);
  if (result == MYSQL_NO_DATA) {
    finish();
    return false;
  }
  if (result != 0) {
    // The server ended the result with an error: nothing is left to be drained.
    finished_ = true;
    session_.fail(statement_, "read");
  }
  decoder_->check(columns_, batch.rows() - 1);
  // The LIMIT has been reached, so the end follows at once; taking it leaves the session free.
  if (++rows_ == limits_.max_rows && mysql_stmt_fetch(statement_) == MYSQL_NO_DATA) finish();
  return true;
}

void StreamReader::finish() {
  finished_ = true;
  session_.check_cancelled();
}

void StreamReader::abandon() noexcept {
  if (statement_ == nullptr) return;
  // Closing a statement reads its rows to the end: end them at the server first.
  const bool streaming = decoder_ != nullptr && !finished_ && session_.usable();
  if (streaming && !session_.interrupt()) session_.sever();
  if (streaming) mysql_stmt_attr_set(statement_, STMT_ATTR_CB_RESULT, nullptr);
  mysql_stmt_close(statement_);
  statement_ = nullptr;
}

}  // namespace tidemark::mysql
