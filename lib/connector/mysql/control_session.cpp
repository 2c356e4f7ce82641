#include "connector/mysql/control_session.h"

#include <cppconn/connection.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>

#include <algorithm>
#include <mutex>

#include "connector/mysql/errors.h"
#include "connector/mysql/session.h"

namespace tidemark::mysql {
namespace {

int whole_seconds(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<int>(std::clamp<std::int64_t>(seconds, 1, 1 << 20));
}

::sql::Driver& driver() {
  // The driver registers itself in a map without a lock: once, whoever comes first.
  static ::sql::Driver* const instance = get_driver_instance();
  return *instance;
}

std::string endpoint(const ConnectionSettings& settings) {
  if (!settings.unix_socket.empty()) return "unix://" + settings.unix_socket;
  const bool bare_ipv6 = settings.host.find(':') != std::string::npos;
  return "tcp://" + (bare_ipv6 ? "[" + settings.host + "]" : settings.host) + ":" +
         std::to_string(settings.port == 0 ? 3306 : settings.port);
}

::sql::ConnectOptionsMap options_of(const ConnectionSettings& settings,
                                    const ControlSession::Options& wanted) {
  ::sql::ConnectOptionsMap options;
  options["hostName"] = ::sql::SQLString(endpoint(settings));
  options["userName"] = ::sql::SQLString(settings.user);
  options["password"] = ::sql::SQLString(settings.password.reveal());
  options["schema"] = ::sql::SQLString(settings.database);
  options["OPT_CHARSET_NAME"] = ::sql::SQLString("utf8mb4");
  options["OPT_CONNECT_TIMEOUT"] = whole_seconds(wanted.connect);
  options["OPT_READ_TIMEOUT"] = whole_seconds(wanted.read);
  options["OPT_WRITE_TIMEOUT"] = whole_seconds(wanted.read);
  options["OPT_LOCAL_INFILE"] = 0;
  if (wanted.batches) options["CLIENT_MULTI_STATEMENTS"] = true;
  const TlsSettings& tls = settings.tls;
  if (tls.mode == TlsMode::disable || !settings.unix_socket.empty()) return options;
  // OPT_SSL_MODE is silently ignored by this driver: a connection with it alone is plain text.
  options["sslEnforce"] = true;
  if (!tls.key.empty()) options["sslKey"] = ::sql::SQLString(tls.key);
  if (!tls.cert.empty()) options["sslCert"] = ::sql::SQLString(tls.cert);
  if (tls.mode == TlsMode::require) return options;
  options["sslCA"] =
      ::sql::SQLString(tls.ca.empty() ? "/etc/ssl/certs/ca-certificates.crt" : tls.ca);
  if (tls.mode == TlsMode::verify_full) options["sslVerify"] = true;
  return options;
}

Error translated(const ::sql::SQLException& exception, std::string_view operation) {
  return make_error({static_cast<unsigned>(exception.getErrorCode()), exception.getSQLStateCStr(),
                     exception.what()},
                    operation);
}

::tidemark::sql::Result result_of(::sql::Statement& statement, bool has_rows) {
  ::tidemark::sql::Result result;
  if (!has_rows) {
    result.affected = statement.getUpdateCount();
    return result;
  }
  const std::unique_ptr<::sql::ResultSet> rows(statement.getResultSet());
  const unsigned columns = rows->getMetaData()->getColumnCount();
  for (unsigned at = 1; at <= columns; ++at)
    result.columns.push_back(rows->getMetaData()->getColumnLabel(at).asStdString());
  while (rows->next()) {
    auto& cells = result.rows.emplace_back();
    for (unsigned at = 1; at <= columns; ++at) {
      ::sql::SQLString text = rows->getString(at);
      if (rows->wasNull())
        cells.emplace_back(std::nullopt);
      else
        cells.emplace_back(text.asStdString());
    }
  }
  return result;
}

}  // namespace

ControlSession::ControlSession(const ConnectionSettings& settings, const Options& options) {
  check_settings(settings);
  auto native = options_of(settings, options);
  try {
    connection_.reset(driver().connect(native));
  } catch (const ::sql::SQLException& exception) {
    throw translated(exception, "connect");
  }
  if (settings.tls.mode != TlsMode::disable && settings.unix_socket.empty()) {
    const auto status = execute("SHOW STATUS LIKE 'Ssl_cipher'");
    if (status.rows.empty() || status.rows[0].size() < 2 || status.rows[0][1].value_or("").empty())
      throw Error({.kind = FailureKind::tls,
                   .message = "the connection is not encrypted though tls.mode asks for it",
                   .operation = "connect",
                   .hint = "Turn TLS on at the server, or set tls.mode to disable."});
  }
  execute("SET SESSION time_zone = '+00:00'");
  execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  const auto who = execute("SELECT CONNECTION_ID(), VERSION()");
  thread_id_ = std::stoull(who.rows.at(0).at(0).value());
  mariadb_ = who.rows[0].at(1).value_or("").find("MariaDB") != std::string::npos;
}

ControlSession::~ControlSession() = default;

::tidemark::sql::Result ControlSession::execute(std::string_view statement) {
  try {
    const std::unique_ptr<::sql::Statement> running(connection_->createStatement());
    const bool rows = running->execute(::sql::SQLString(statement.data(), statement.size()));
    return result_of(*running, rows);
  } catch (const ::sql::SQLException& exception) {
    throw translated(exception, "run a statement");
  }
}

std::vector<::tidemark::sql::Result> ControlSession::execute_all(
    const std::vector<std::string>& statements) {
  std::string text;
  for (const std::string& statement : statements)
    text += (text.empty() ? "" : "; ") + statement;
  std::vector<::tidemark::sql::Result> results;
  try {
    const std::unique_ptr<::sql::Statement> running(connection_->createStatement());
    bool rows = running->execute(::sql::SQLString(text));
    results.push_back(result_of(*running, rows));
    while (results.size() < statements.size()) {
      rows = running->getMoreResults();
      results.push_back(result_of(*running, rows));
    }
  } catch (const ::sql::SQLException& exception) {
    throw translated(exception, "run a statement");
  }
  return results;
}

}  // namespace tidemark::mysql
