#include "state/database.h"

#include <fmt/format.h>

namespace tidemark::state {
namespace {

constexpr int busy_timeout_ms = 5000;
constexpr std::string_view disk_code = "disk";
constexpr std::string_view corrupt_code = "corrupt";

Damage damage_of_code(int primary) noexcept {
  switch (primary) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return Damage::disk;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Damage::corrupt;
    default:
      return Damage::none;
  }
}

[[noreturn]] void fail(sqlite3* handle, int code) {
  const int primary = code & 0xff;
  Error::Fields fields{.message = fmt::format("{} (SQLite {})", sqlite3_errstr(primary), code)};
  fields.operation = "state store";
  if (handle != nullptr) fields.driver_text = sqlite3_errmsg(handle);
  switch (primary) {
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      fields.kind = FailureKind::permission;
      break;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      fields.kind = FailureKind::resource;
      break;
    default:
      fields.kind = FailureKind::internal;
      break;
  }
  switch (damage_of_code(primary)) {
    case Damage::disk:
      fields.code = disk_code;
      break;
    case Damage::corrupt:
      fields.code = corrupt_code;
      break;
    case Damage::none:
      fields.code = std::to_string(code);
      break;
  }
  throw Error(std::move(fields));
}

/// A path as the path part of a file: URI.
std::string as_uri(const std::string& path, std::string_view query) {
  std::string uri = "file:";
  for (const char raw : path) {
    const auto byte = static_cast<unsigned char>(raw);
    if (byte <= 0x20 || byte >= 0x7f || raw == '%' || raw == '?' || raw == '#')
      uri += fmt::format("%{:02X}", byte);
    else
      uri += raw;
  }
  return uri + std::string(query);
}

}  // namespace

Damage damage_of(const Error& error) noexcept {
  if (error.fields().code == disk_code) return Damage::disk;
  if (error.fields().code == corrupt_code) return Damage::corrupt;
  return Damage::none;
}

Database::Database(const std::string& path, Open how) {
  sqlite3* handle = nullptr;
  const int flags =
      how == Open::create ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  const std::string name = as_uri(path, how == Open::immutable ? "?immutable=1" : "");
  const int code = sqlite3_open_v2(name.c_str(), &handle,
                                   flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) fail(handle, code);
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, busy_timeout_ms);
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
}

Statement Database::prepare(std::string_view sql) {
  return Statement(handle_.get(), sql);
}

Statement& Database::prepare_once(std::string_view sql) {
  const auto found = prepared_.find(sql);
  Statement& statement =
      found != prepared_.end() ? found->second : prepared_.emplace(sql, prepare(sql)).first->second;
  statement.reset();
  return statement;
}

Statement::Statement(sqlite3* handle, std::string_view sql) : handle_(handle) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) fail(handle, code);
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), index + 1, value);
  if (code != SQLITE_OK) fail(handle_, code);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* bytes = text.data() == nullptr ? "" : text.data();
  const int code = sqlite3_bind_text64(statement_.get(), index + 1, bytes, text.size(),
                                       SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) fail(handle_, code);
  return *this;
}

Statement& Statement::bind(int index, std::nullptr_t) {
  const int code = sqlite3_bind_null(statement_.get(), index + 1);
  if (code != SQLITE_OK) fail(handle_, code);
  return *this;
}

Statement& Statement::bind_blob(int index, const void* bytes, std::size_t size) {
  const int code = sqlite3_bind_blob64(statement_.get(), index + 1, bytes, size, SQLITE_TRANSIENT);
  if (code != SQLITE_OK) fail(handle_, code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(handle_, code);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() noexcept {
  // What it says is how the last step ended, which step has told.
  sqlite3_reset(statement_.get());
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

Transaction::Transaction(Database& database) : database_(&database) {
  database.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  try {
    database_->execute("ROLLBACK");
  } catch (const Error&) {
    // Some failures (a full disk) have rolled back already; there is nothing else to undo.
  }
}

void Transaction::commit() {
  database_->execute("COMMIT");
  database_ = nullptr;
}

}  // namespace tidemark::state
