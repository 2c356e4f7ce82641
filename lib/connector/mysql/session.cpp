#include "connector/mysql/session.h"

#include <mysql.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <utility>

#include "connector/mysql/control_session.h"

namespace tidemark::mysql {
namespace {

constexpr const char* system_certificates = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::string_view strict_mode =
    "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO,"
    // A text for a date column is written as it came from one, the 31st of February included.
    "ALLOW_INVALID_DATES";

std::int64_t coarse_micros() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

unsigned whole_seconds(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<unsigned>(std::clamp<std::int64_t>(seconds, 1, 1 << 20));
}

/// Has the kernel break a connection whose other end says nothing any more: an idle one by probes,
/// one with unacknowledged bytes by its own limit, both within about `stall`. What waits for an
/// answer has the client library's read timeout.
void keep_alive(int socket, Duration stall) noexcept {
  const auto set = [socket](int option, int value) {
    setsockopt(socket, IPPROTO_TCP, option, &value, sizeof(value));
  };
  constexpr int probes = 6;
  const auto seconds = static_cast<int>(std::min(whole_seconds(stall), 120U));
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  set(TCP_KEEPIDLE, std::max(seconds / 2, 1));
  set(TCP_KEEPINTVL, std::max(seconds / (2 * probes), 1));
  set(TCP_KEEPCNT, probes);
  set(TCP_USER_TIMEOUT, static_cast<int>(whole_seconds(stall) * 1000));
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

sql::Result take_rows(MYSQL* mysql, MYSQL_RES* stored) {
  sql::Result result;
  const unsigned columns = mysql_num_fields(stored);
  const MYSQL_FIELD* fields = mysql_fetch_fields(stored);
  for (unsigned at = 0; at < columns; ++at)
    result.columns.emplace_back(fields[at].name);
  while (MYSQL_ROW row = mysql_fetch_row(stored)) {
    const unsigned long* lengths = mysql_fetch_lengths(stored);
    auto& cells = result.rows.emplace_back();
    cells.reserve(columns);
    for (unsigned at = 0; at < columns; ++at) {
      if (row[at] == nullptr)
        cells.emplace_back(std::nullopt);
      else
        cells.emplace_back(std::string(row[at], lengths[at]));
    }
  }
  result.affected = mysql_affected_rows(mysql);
  return result;
}

}  // namespace

void check_settings(const ConnectionSettings& settings) {
  const auto missing = [](const char* key) {
    throw Error({.kind = FailureKind::schema,
                 .message = std::string("the connection has no ") + key,
                 .operation = "connect",
                 .hint = std::string("Set `") + key + "` of the connection."});
  };
  if (settings.host.empty() && settings.unix_socket.empty()) missing("host");
  if (settings.user.empty()) missing("user");
  if (settings.database.empty()) missing("database");
}

Session::Session(const ConnectionSettings& settings, Role role) : settings_(settings) {
  check_settings(settings_);
  static std::once_flag library;
  std::call_once(library, [] { mysql_library_init(0, nullptr, nullptr); });
  mysql_ = mysql_init(nullptr);
  if (mysql_ == nullptr)
    throw Error({.kind = FailureKind::resource, .message = "no memory for a connection"});
  try {
    connect();
    check_tls();
    pin(role);
  } catch (...) {
    mysql_close(mysql_);
    throw;
  }
}

Session::~Session() {
  mysql_close(mysql_);
}

void Session::connect() {
  const unsigned connect_seconds = whole_seconds(settings_.connect_timeout);
  const unsigned stall_seconds = whole_seconds(settings_.stall_timeout);
  const unsigned no_local_infile = 0;
  const my_bool no = 0;
  const my_bool yes = 1;
  mysql_options(mysql_, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
  mysql_options(mysql_, MYSQL_OPT_READ_TIMEOUT, &stall_seconds);
  mysql_options(mysql_, MYSQL_OPT_WRITE_TIMEOUT, &stall_seconds);
  mysql_options(mysql_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  // On by default in this client: a hostile server could ask for any file.
  mysql_options(mysql_, MYSQL_OPT_LOCAL_INFILE, &no_local_infile);
  mysql_options(mysql_, MYSQL_OPT_RECONNECT, &no);
  const bool local = !settings_.unix_socket.empty();
  const unsigned protocol = local ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
  mysql_options(mysql_, MYSQL_OPT_PROTOCOL, &protocol);
  const TlsSettings& tls = settings_.tls;
  if (!local && tls.mode != TlsMode::disable) {
    const bool verify = tls.mode != TlsMode::require;
    const char* ca = verify && tls.ca.empty() ? system_certificates : or_null(tls.ca);
    mysql_ssl_set(mysql_, or_null(tls.key), or_null(tls.cert), verify ? ca : nullptr, nullptr,
                  nullptr);
    mysql_options(mysql_, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(mysql_, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
                  tls.mode == TlsMode::verify_full ? &yes : &no);
  }
  const unsigned port = settings_.port == 0 ? 3306 : settings_.port;
  if (mysql_real_connect(mysql_, local ? nullptr : settings_.host.c_str(), settings_.user.c_str(),
                         settings_.password.reveal().c_str(), settings_.database.c_str(), port,
                         or_null(settings_.unix_socket), 0) == nullptr) {
    NativeError native{mysql_errno(mysql_), mysql_sqlstate(mysql_), mysql_error(mysql_)};
    // A handshake that breaks off has a connect code, whatever broke it.
    if (native.code == 2013 || native.code == 2002) native.code = 2003;
    throw make_error(native, "connect");
  }
  if (!local) keep_alive(mysql_get_socket(mysql_), settings_.stall_timeout);
  thread_id_ = mysql_thread_id(mysql_);
  flavor_.version = static_cast<unsigned>(mysql_get_server_version(mysql_));
  flavor_.mariadb = mariadb_connection(mysql_) != 0;
}

void Session::check_tls() const {
  if (settings_.tls.mode == TlsMode::disable || !settings_.unix_socket.empty()) return;
  if (mysql_get_ssl_cipher(mysql_) != nullptr) return;
  throw Error({.kind = FailureKind::tls,
               .message = "the connection is not encrypted though tls.mode asks for it",
               .operation = "connect",
               .hint = "Turn TLS on at the server, or set tls.mode to disable."});
}

std::string Session::tls() const {
  if (!settings_.unix_socket.empty()) return "local";
  if (mysql_get_ssl_cipher(mysql_) == nullptr) return "off";
  const char* version = nullptr;
  mariadb_get_infov(mysql_, MARIADB_CONNECTION_TLS_VERSION, &version);
  return version == nullptr ? "on" : version;
}

std::string Session::server_version() const {
  return mysql_get_server_info(mysql_);
}

void Session::pin(Role role) {
  std::string set = "SET SESSION time_zone = '+00:00', sql_mode = '" + std::string(strict_mode) +
                    "', net_read_timeout = GREATEST(@@net_read_timeout, 600)"
                    ", net_write_timeout = GREATEST(@@net_write_timeout, 600)"
                    ", autocommit = 1";
  // A limit meant for interactive work would end a read or write of hours.
  set += flavor_.mariadb ? ", max_statement_time = 0" : ", max_execution_time = 0";
  execute(set);
  if (role == Role::source) {
    execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  } else {
    execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE");
  }
  max_packet_ = std::stoull(execute("SELECT @@max_allowed_packet").scalar().value_or("16777216"));
  for (const std::string& statement : settings_.init_sql)
    execute(statement);
}

void Session::limit_idle_transactions(Duration lease) {
  if (!flavor_.mariadb || lease == idle_limit_) return;
  execute("SET SESSION idle_write_transaction_timeout = " + std::to_string(whole_seconds(lease)));
  idle_limit_ = lease;
}

void Session::enter() {
  const std::lock_guard lock(interrupt_);
  if (depth_++ == 0) cancelled_ = false;
  call_began_ = coarse_micros();
}

void Session::leave() noexcept {
  const std::lock_guard lock(interrupt_);
  if (--depth_ != 0) return;
  cancelled_ = false;
  if (!lost_) absorb_kill();
}

void Session::cancel() noexcept {
  const std::lock_guard lock(interrupt_);
  if (depth_ == 0 || lost_) return;
  cancelled_ = true;
  if (!interrupt()) sever();
}

void Session::check_cancelled() const {
  if (cancelled_) throw Cancelled();
}

bool Session::interrupt() noexcept {
  try {
    ControlSession side(settings_,
                        {.connect = std::chrono::seconds(1), .read = std::chrono::seconds(1)});
    killed_ = true;
    side.execute("KILL QUERY " + std::to_string(thread_id_));
    return true;
  } catch (...) {
    return false;
  }
}

void Session::sever() noexcept {
  lost_ = true;
  shutdown(static_cast<int>(mysql_get_socket(mysql_)), SHUT_RDWR);
}

void Session::progress() noexcept {
  call_began_ = coarse_micros();
}

void Session::run(std::string_view statement) {
  progress();
  if (mysql_real_query(mysql_, statement.data(), statement.size()) != 0) fail("run a statement");
}

sql::Result Session::execute(std::string_view statement) {
  const Activity activity(*this);
  run(statement);
  sql::Result result;
  for (;;) {
    if (MYSQL_RES* stored = mysql_store_result(mysql_)) {
      result = take_rows(mysql_, stored);
      mysql_free_result(stored);
    } else if (mysql_field_count(mysql_) != 0) {
      fail("read a result");
    } else {
      result.affected = mysql_affected_rows(mysql_);
    }
    // Only CALL has more than one; the last one counts.
    const int more = mysql_next_result(mysql_);
    if (more < 0) break;
    if (more > 0) fail("read a result");
  }
  check_cancelled();
  return result;
}

Session::Change Session::change(std::string_view statement) {
  const Activity activity(*this);
  run(statement);
  const char* info = mysql_info(mysql_);
  Change change{mysql_affected_rows(mysql_), info == nullptr ? "" : info};
  check_cancelled();
  return change;
}

void Session::commit() {
  const Activity activity(*this);
  progress();
  if (mysql_real_query(mysql_, "COMMIT", 6) == 0) return;
  const NativeError native{mysql_errno(mysql_), mysql_sqlstate(mysql_), mysql_error(mysql_)};
  if (ends_session(native.code)) lost_ = true;
  Error::Fields fields = make_error(native, "commit").fields();
  // A server that answered with an error has not committed; one that was interrupted may have.
  fields.in_doubt = lost_ || native.code == 1317 || native.code == 1969 || native.code == 3024;
  rollback();
  throw Error(std::move(fields));
}

void Session::rollback() noexcept {
  if (lost_) return;
  progress();
  absorb_kill();
  // A transaction left open would be committed by the next START TRANSACTION.
  if (mysql_real_query(mysql_, "ROLLBACK", 8) != 0) sever();
}

void Session::absorb_kill() noexcept {
  if (killed_.exchange(false)) mysql_real_query(mysql_, "DO 0", 4);
}

void Session::fail(std::string_view operation) {
  raise({mysql_errno(mysql_), mysql_sqlstate(mysql_), mysql_error(mysql_)}, operation);
}

void Session::fail(st_mysql_stmt* statement, std::string_view operation) {
  raise({mysql_stmt_errno(statement), mysql_stmt_sqlstate(statement), mysql_stmt_error(statement)},
        operation);
}

void Session::raise(const NativeError& native, std::string_view operation) {
  const bool gone = ends_session(native.code);
  if (gone) lost_ = true;
  check_cancelled();
  const Duration silent{coarse_micros() - call_began_};
  if (gone && silent + std::chrono::milliseconds(50) >= settings_.stall_timeout) {
    interrupt();
    throw Error({.kind = FailureKind::timeout,
                 .message = "the server made no progress within stall_timeout",
                 .code = std::to_string(native.code),
                 .operation = std::string(operation),
                 .hint = "Look for locks on the table, or raise stall_timeout of the connection.",
                 .driver_text = native.text});
  }
  throw make_error(native, operation);
}

}  // namespace tidemark::mysql
