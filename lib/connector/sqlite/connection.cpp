#include "connector/sqlite/connection.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "connector/sqlite/dialect.h"
#include "connector/sqlite/errors.h"

namespace tidemark::sqlite {
namespace {

constexpr std::size_t most_prepared = 32;
/// Virtual machine steps between two looks at a deadline: some milliseconds at most.
constexpr int steps_between_looks = 20'000;

/// Two values by bytes: the storage class counts, and the sign of zero.
bool differ(sqlite3_value* left, sqlite3_value* right) {
  const int type = sqlite3_value_type(left);
  if (type != sqlite3_value_type(right)) return true;
  switch (type) {
    case SQLITE_NULL:
      return false;
    case SQLITE_INTEGER:
      return sqlite3_value_int64(left) != sqlite3_value_int64(right);
    case SQLITE_FLOAT: {
      const double a = sqlite3_value_double(left);
      const double b = sqlite3_value_double(right);
      return std::memcmp(&a, &b, sizeof a) != 0;
    }
    default:
      break;
  }
  const void* a = sqlite3_value_blob(left);
  const void* b = sqlite3_value_blob(right);
  const int size = sqlite3_value_bytes(left);
  if (size != sqlite3_value_bytes(right)) return true;
  return size != 0 && std::memcmp(a, b, static_cast<std::size_t>(size)) != 0;
}

void call_differs(sqlite3_context* context, int count, sqlite3_value** values) {
  int result = 0;
  for (int index = 0; index + 1 < count && result == 0; index += 2)
    result = differ(values[index], values[index + 1]) ? 1 : 0;
  sqlite3_result_int(context, result);
}

void call_met(sqlite3_context* context, int, sqlite3_value**) {
  ++*static_cast<std::uint64_t*>(sqlite3_user_data(context));
  sqlite3_result_int(context, 1);
}

}  // namespace

Statement::Statement(Connection& connection, std::string_view sql) : connection_(connection) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                                      0, &statement, &rest);
  statement_.reset(statement);
  if (code != SQLITE_OK) connection_.raise(code, true);
  const std::string_view tail = sql.substr(static_cast<std::size_t>(rest - sql.data()));
  if (statement == nullptr || tail.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    throw Error({.kind = FailureKind::schema,
                 .message = "this is not exactly one SQL statement",
                 .hint = "Write one statement at a time."});
}

bool Statement::step() {
  const int code = sqlite3_step(get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.raise(code, false);
}

void Statement::run() {
  struct Reset {
    Statement& statement;
    ~Reset() { statement.reset(); }
  } reset{*this};
  while (step()) {
  }
}

void Statement::check(int code) {
  if (code != SQLITE_OK) connection_.raise(code, false);
}

void Statement::bind_text(int parameter, std::string_view text) {
  // A null pointer would bind NULL, and an empty arena has one.
  const char* data = text.empty() ? "" : text.data();
  check(sqlite3_bind_text64(get(), parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.empty() ? "" : bytes.data();
  check(sqlite3_bind_blob64(get(), parameter, data, bytes.size(), SQLITE_STATIC));
}

void Statement::bind_copy(int parameter, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  check(sqlite3_bind_text64(get(), parameter, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
}

Connection::Connection(std::string path, Opening opening, Duration lock_wait)
    : path_(std::move(path)),
      lock_wait_(std::chrono::duration_cast<std::chrono::milliseconds>(lock_wait)) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  struct stat found {};
  const bool existed = stat(path_.c_str(), &found) == 0;
  switch (opening) {
    case Opening::read_only:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case Opening::read_write:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Opening::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
    case Opening::memory:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY;
      break;
  }
  const int code = sqlite3_open_v2(path_.c_str(), &handle_, flags, nullptr);
  try {
    if (code != SQLITE_OK) raise(code, false);
    restore_lock_wait();
    register_functions();
    // A file that is no database shows only at the first read.
    execute("SELECT COUNT(*) FROM sqlite_master");
    if (opening == Opening::create && !existed) execute("PRAGMA journal_mode = WAL");
  } catch (...) {
    prepared_.clear();
    sqlite3_close_v2(handle_);
    throw;
  }
}

Connection::~Connection() {
  prepared_.clear();
  sqlite3_close_v2(handle_);
}

void Connection::register_functions() {
  // Not deterministic on purpose: it must be called for each row that meets another.
  check(sqlite3_create_function_v2(handle_, met_function, 0, SQLITE_UTF8, &met_, &call_met, nullptr,
                                   nullptr, nullptr));
  check(sqlite3_create_function_v2(handle_, differs_function, -1,
                                   SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, &call_differs,
                                   nullptr, nullptr, nullptr));
}

void Connection::check(int code) const {
  if (code != SQLITE_OK) raise(code, false);
}

void Connection::raise(int code, bool preparing) const {
  const int extended = handle_ == nullptr ? code : sqlite3_extended_errcode(handle_);
  const int primary = code & 0xff;
  if (primary == SQLITE_INTERRUPT && limited_ && !cancelled_)
    throw Error({.kind = FailureKind::timeout,
                 .message = "the statement did not end within its time",
                 .code = "SQLITE_INTERRUPT",
                 .hint = "Raise hooks.timeout, or make the statement faster."});
  if (primary == SQLITE_INTERRUPT || (primary == SQLITE_BUSY && cancelled_)) throw Cancelled();
  throw error_of((extended & 0xff) == primary ? extended : code, preparing,
                 handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_));
}

int Connection::on_busy(void* self, int calls) {
  auto& connection = *static_cast<Connection*>(self);
  const auto now = std::chrono::steady_clock::now();
  if (calls == 0) connection.waiting_since_ = now;
  if (connection.cancelled_ || now - connection.waiting_since_ >= connection.lock_wait_) return 0;
  // There is no event to wait for: other processes give file locks back without telling anyone.
  sqlite3_sleep(std::min(1 + calls, 25));
  return 1;
}

int Connection::on_progress(void* self) {
  return std::chrono::steady_clock::now() >= static_cast<Connection*>(self)->deadline_ ? 1 : 0;
}

void Connection::limit_until(std::chrono::steady_clock::time_point deadline) {
  deadline_ = deadline;
  limited_ = true;
  sqlite3_progress_handler(handle_, steps_between_looks, &Connection::on_progress, this);
}

void Connection::no_limit() noexcept {
  limited_ = false;
  sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
}

sql::Result Connection::execute(std::string_view text) {
  Statement statement(*this, text);
  sql::Result result;
  const int columns = sqlite3_column_count(statement.get());
  for (int column = 0; column < columns; ++column)
    result.columns.emplace_back(sqlite3_column_name(statement.get(), column));
  const int before = sqlite3_total_changes(handle_);
  while (statement.step()) {
    auto& row = result.rows.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (sqlite3_column_type(statement.get(), column) == SQLITE_NULL)
        row.emplace_back(std::nullopt);
      else
        row.emplace_back(std::string(statement.text(column)));
    }
  }
  // sqlite3_changes keeps the count of an older statement when this one was no DML.
  if (sqlite3_total_changes(handle_) != before)
    result.affected = static_cast<std::uint64_t>(sqlite3_changes64(handle_));
  return result;
}

Statement& Connection::prepared(const std::string& sql) {
  if (const auto found = prepared_.find(sql); found != prepared_.end()) {
    found->second->reset();
    return *found->second;
  }
  if (prepared_.size() >= most_prepared) prepared_.clear();
  return *prepared_.emplace(sql, std::make_unique<Statement>(*this, sql)).first->second;
}

void Connection::cancel() noexcept {
  cancelled_ = true;
  sqlite3_interrupt(handle_);
}

void Connection::check_cancelled() const {
  if (cancelled_) throw Cancelled();
}

std::int64_t Connection::now_micros() {
  const auto text = execute("SELECT " + std::string(now_expression)).scalar();
  return text ? std::stoll(*text) : 0;
}

WriteTransaction::WriteTransaction(Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}

WriteTransaction::~WriteTransaction() {
  // Some errors (a full disk) have rolled back already.
  if (!open_ || !connection_.in_transaction()) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const std::exception&) {
    // Closing the connection rolls back as well.
  }
}

void WriteTransaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace tidemark::sqlite
