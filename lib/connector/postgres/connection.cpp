#include "connector/postgres/connection.h"

#include <poll.h>

#include <charconv>
#include <pqxx/except>

#include "connector/postgres/dialect.h"

namespace tidemark::postgres {
namespace {

using std::chrono::steady_clock;

struct Closer {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
};
using RawPtr = std::unique_ptr<PGconn, Closer>;

Error connect_timeout_error() {
  return Error({.kind = FailureKind::connect,
                .message = "the server did not answer within connect_timeout",
                .operation = "connect"});
}

void wait_for(PGconn* connection, bool to_read, steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) throw connect_timeout_error();
    pollfd waiting{PQsocket(connection), static_cast<short>(to_read ? POLLIN : POLLOUT), 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw lost_connection("poll failed");
  }
}

/// Opens a connection step by step: PQconnectdb would neither keep to a deadline for the whole nor
/// tell SQLSTATEs, which only verbose errors show before the login.
RawPtr open(const ConnectionSettings& settings) {
  const ConnectOptions options = connect_options(settings);
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : options) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  const auto deadline = steady_clock::now() + settings.connect_timeout;
  RawPtr connection(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection)
    throw Error(
        {.kind = FailureKind::resource, .message = "out of memory", .operation = "connect"});
  PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD && status != PGRES_POLLING_OK &&
         status != PGRES_POLLING_FAILED) {
    wait_for(connection.get(), status == PGRES_POLLING_READING, deadline);
    status = PQconnectPoll(connection.get());
  }
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    Error error = connect_error(PQerrorMessage(connection.get()),
                                PQconnectionNeedsPassword(connection.get()) != 0);
    throw Error(error.with_context("connect", ""));
  }
  PQsetErrorVerbosity(connection.get(), PQERRORS_DEFAULT);
  return connection;
}

/// Hands libpqxx a connection that is open already, once.
class Opened final : public pqxx::connectionpolicy {
 public:
  explicit Opened(RawPtr connection)
      : pqxx::connectionpolicy(std::string()), connection_(std::move(connection)) {}
  handle do_startconnect(handle held) override {
    if (held != nullptr) return held;
    if (!connection_) throw pqxx::broken_connection("a session is not opened a second time");
    return connection_.release();
  }

 private:
  RawPtr connection_;
};

sql::Result to_result(const PGresult* from) {
  sql::Result result;
  const int columns = PQnfields(from);
  for (int column = 0; column < columns; ++column)
    result.columns.emplace_back(PQfname(from, column));
  const int rows = PQntuples(from);
  result.rows.reserve(static_cast<std::size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    auto& cells = result.rows.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(from, row, column) != 0)
        cells.emplace_back(std::nullopt);
      else
        cells.emplace_back(std::string(PQgetvalue(from, row, column),
                                       static_cast<std::size_t>(PQgetlength(from, row, column))));
    }
  }
  return result;
}

std::vector<ResultColumn> columns_of(const PGresult* result) {
  std::vector<ResultColumn> columns;
  for (int index = 0; index < PQnfields(result); ++index)
    columns.push_back({.name = PQfname(result, index),
                       .type = PQftype(result, index),
                       .modifier = PQfmod(result, index),
                       .table = PQftable(result, index),
                       .attribute = PQftablecol(result, index)});
  return columns;
}

std::uint64_t affected_rows(PGresult* result) {
  const std::string_view text = PQcmdTuples(result);
  std::uint64_t rows = 0;
  std::from_chars(text.data(), text.data() + text.size(), rows);
  return rows;
}

}  // namespace

class Connection::Link final : public pqxx::connection_base {
 public:
  explicit Link(RawPtr connection)
      : pqxx::connection_base(opened_), opened_(std::move(connection)) {
    try {
      init();
    } catch (...) {
      close();
      throw;
    }
// Deprecated because libpqxx 7 never reactivates; in 6 it is the only way to stop it from opening
// a second session behind our back, without pins and without our transaction.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    inhibit_reactivation(true);
#pragma GCC diagnostic pop
  }
  ~Link() noexcept {
    close();
  }

 private:
  Opened opened_;
};

Connection::Connection(const ConnectionSettings& settings, Role role, Watchdog& watchdog)
    : stall_timeout_(settings.stall_timeout), watchdog_(watchdog) {
  RawPtr opened = open(settings);
  raw_ = opened.get();
  watch_ = std::make_shared<Watch>(raw_, stall_timeout_);
  watch_->begin();
  try {
    link_ = std::make_unique<Link>(std::move(opened));
  } catch (const std::exception& thrown) {
    // libpqxx only takes over what is open; what it says then is one disguise or other of a loss.
    watch_->end();
    throw lost_connection(thrown.what());
  }
  watch_->end();
  watchdog_.add(watch_);
  try {
    for (const std::string& statement : session_statements(role, settings.access))
      execute(statement);
    for (const std::string& statement : settings.init_sql)
      execute(statement);
    session_id_ = query("SELECT pid || ':' || " + micros("backend_start") +
                        " FROM pg_stat_activity WHERE pid = pg_backend_pid()")[0][0]
                      .c_str();
  } catch (Error& error) {
    watchdog_.remove(watch_);
    throw Error(error.with_context("connect", ""));
  } catch (...) {
    watchdog_.remove(watch_);
    throw;
  }
}

Connection::~Connection() {
  if (copied_ != nullptr) PQfreemem(copied_);
  watchdog_.remove(watch_);
}

void Connection::fail(Watch::Verdict verdict, const PGresult* result,
                      const FailureContext& context) {
  FailureContext known = context;
  known.connection_lost = lost();
  if (verdict == Watch::Verdict::cancelled) throw Cancelled();
  if (verdict == Watch::Verdict::stalled)
    throw Error({.kind = FailureKind::timeout,
                 .message = "no byte came or went for " +
                            std::to_string(
                                std::chrono::ceil<std::chrono::seconds>(stall_timeout_).count()) +
                            " s (stall_timeout)",
                 .table = context.table});
  if (result == nullptr) {
    if (known.connection_lost) throw lost_connection(PQerrorMessage(raw_));
    throw Error({.kind = FailureKind::resource,
                 .message = "the client library could not send or receive",
                 .driver_text = PQerrorMessage(raw_)});
  }
  throw error_from(result, known);
}

Connection::ResultPtr Connection::run(std::string_view statement, ExecStatusType wanted,
                                      const FailureContext& context) {
  if (lost()) throw lost_connection("");
  watch_->begin();
  ResultPtr result(PQexec(raw_, std::string(statement).c_str()));
  const Watch::Verdict verdict = watch_->end();
  const ExecStatusType status = PQresultStatus(result.get());
  const bool done =
      status == wanted ||
      (wanted == PGRES_TUPLES_OK && (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY));
  if (!done) fail(verdict, result.get(), context);
  // A server may say that a COPY begins only together with what ended it: that call was stopped.
  if (verdict != Watch::Verdict::none && status == PGRES_COPY_IN) {
    fail_copy();
    fail(verdict, nullptr, context);
  }
  return result;
}

sql::Result Connection::execute(std::string_view statement) {
  return execute_for(statement, {});
}

sql::Result Connection::execute_for(std::string_view statement, const std::string& table) {
  const ResultPtr result = run(statement, PGRES_TUPLES_OK, {.table = table});
  sql::Result answer = to_result(result.get());
  answer.affected = affected_rows(result.get());
  return answer;
}

/// Every answer to statements that are one message; the last one may begin a COPY.
std::vector<Connection::ResultPtr> Connection::run_all(const std::string& statements,
                                                       ExecStatusType last) {
  if (lost()) throw lost_connection("");
  watch_->begin();
  std::vector<ResultPtr> results;
  if (PQsendQuery(raw_, statements.c_str()) == 1) {
    while (PGresult* result = PQgetResult(raw_)) {
      results.emplace_back(result);
      if (PQresultStatus(result) == PGRES_COPY_OUT) break;
    }
  }
  const Watch::Verdict verdict = watch_->end();
  const ExecStatusType ended =
      results.empty() ? PGRES_EMPTY_QUERY : PQresultStatus(results.back().get());
  if (ended != last) fail(verdict, results.empty() ? nullptr : results.back().get(), {});
  // As above: it was stopped.
  if (verdict != Watch::Verdict::none && ended == PGRES_COPY_OUT) {
    streaming_ = true;
    abandon_copy(true);
    fail(verdict, nullptr, {});
  }
  return results;
}

std::vector<Rows> Connection::query_all(const std::vector<std::string>& statements) {
  std::string message;
  for (const std::string& statement : statements)
    message += statement + ";\n";
  std::vector<Rows> answers;
  for (const ResultPtr& result : run_all(message, PGRES_TUPLES_OK))
    answers.emplace_back(to_result(result.get()));
  if (answers.size() != statements.size())
    throw Error({.kind = FailureKind::internal,
                 .message = "the server answered another number of questions than were asked"});
  return answers;
}

bool Connection::on_standby() {
  if (!on_primary_) on_primary_ = !query("SELECT pg_is_in_recovery()")[0][0].as<bool>();
  return !on_primary_;
}

sql::Result Connection::execute_long(std::string_view statement, const std::string& table) {
  struct Silence {
    Watch& watch;
    ~Silence() { watch.expect_silence(false); }
  } silence{*watch_};
  watch_->expect_silence(true);
  return execute_for(statement, table);
}

std::vector<ResultColumn> Connection::describe(const std::string& statement) {
  if (lost()) throw lost_connection("");
  watch_->begin();
  ResultPtr result(PQprepare(raw_, "", statement.c_str(), 0, nullptr));
  if (PQresultStatus(result.get()) == PGRES_COMMAND_OK) result.reset(PQdescribePrepared(raw_, ""));
  const Watch::Verdict verdict = watch_->end();
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail(verdict, result.get(), {});
  return columns_of(result.get());
}

std::vector<ResultColumn> Connection::copy_out(const std::string& select) {
  const std::vector<ResultPtr> results =
      run_all("SELECT * FROM (" + select + "\n) AS described LIMIT 0; COPY (" + select +
                  "\n) TO STDOUT (FORMAT binary)",
              PGRES_COPY_OUT);
  copy_context_ = {};
  streaming_ = true;
  return columns_of(results.front().get());
}

void Connection::begin_wait() {
  watch_->begin();
}
void Connection::end_wait() {
  watch_->end();
}

std::optional<std::string_view> Connection::copied() {
  if (copied_ != nullptr) PQfreemem(std::exchange(copied_, nullptr));
  const int size = PQgetCopyData(raw_, &copied_, 0);
  if (size > 0) {
    watch_->progress();
    return std::string_view(copied_, static_cast<std::size_t>(size));
  }
  streaming_ = false;
  const ResultPtr result(PQgetResult(raw_));
  if (size == -1 && PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
    drain();
    return std::nullopt;
  }
  const Watch::Verdict verdict = watch_->end();
  const bool answered = PQresultStatus(result.get()) == PGRES_FATAL_ERROR;
  if (!lost()) drain();
  fail(verdict, answered ? result.get() : nullptr, {});
}

void Connection::drain() noexcept {
  while (PGresult* rest = PQgetResult(raw_))
    PQclear(rest);
}

void Connection::abandon_copy(bool nearly_done) noexcept {
  if (!std::exchange(streaming_, false) || lost()) return;
  watch_->begin();
  if (!nearly_done) watch_->interrupt();
  int size = 0;
  do {
    if (copied_ != nullptr) PQfreemem(std::exchange(copied_, nullptr));
    size = PQgetCopyData(raw_, &copied_, 0);
  } while (size > 0);
  drain();
  watch_->end();
}

void Connection::copy_in(const std::string& statement, const std::string& relation,
                         const std::string& table) {
  copy_context_ = {.copied_relation = relation, .table = table};
  run(statement, PGRES_COPY_IN, copy_context_);
}

void Connection::put(std::string_view bytes) {
  watch_->begin();
  const int sent = PQputCopyData(raw_, bytes.data(), static_cast<int>(bytes.size()));
  const Watch::Verdict verdict = watch_->end();
  if (sent != 1) fail(verdict, nullptr, copy_context_);
}

std::uint64_t Connection::finish_copy() {
  watch_->begin();
  const int sent = PQputCopyEnd(raw_, nullptr);
  ResultPtr result(sent == 1 ? PQgetResult(raw_) : nullptr);
  const Watch::Verdict verdict = watch_->end();
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    if (!lost()) drain();
    fail(verdict, result.get(), copy_context_);
  }
  drain();
  return affected_rows(result.get());
}

void Connection::fail_copy() noexcept {
  if (lost()) return;
  watch_->begin();
  PQputCopyEnd(raw_, "a value does not fit");
  drain();
  watch_->end();
}

void Connection::commit() {
  if (lost()) throw lost_connection("");
  watch_->begin();
  const ResultPtr result(PQexec(raw_, "COMMIT"));
  const Watch::Verdict verdict = watch_->end();
  const bool done = PQresultStatus(result.get()) == PGRES_COMMAND_OK;
  if (done && std::string_view(PQcmdStatus(result.get())) == "COMMIT") return;
  if (done)
    throw Error({.kind = FailureKind::internal,
                 .message = "the server rolled back a transaction that had failed before"});
  // An ERROR in answer to COMMIT is a rollback for certain. No answer may be either, and that is
  // what the caller must hear even where it was a cancel that cut the connection.
  if (lost())
    throw Error({.kind = FailureKind::connect,
                 .message = "the connection was lost while COMMIT was under way",
                 .driver_text = PQerrorMessage(raw_),
                 .in_doubt = true});
  fail(verdict, result.get(), {});
}

void Connection::rollback() noexcept {
  if (lost()) return;
  if (PQtransactionStatus(raw_) == PQTRANS_IDLE) return;
  watch_->begin();
  PQclear(PQexec(raw_, "ROLLBACK"));
  watch_->end();
}

void Connection::cancel() noexcept {
  watch_->cancel();
  watchdog_.wake();
}

bool Connection::usable() const noexcept {
  if (lost()) return false;
  pollfd peer{PQsocket(raw_), POLLRDHUP, 0};
  return ::poll(&peer, 1, 0) == 0;
}

std::string Connection::server_version_text() const {
  const char* text = PQparameterStatus(raw_, "server_version");
  return text == nullptr ? std::to_string(server_version()) : text;
}

std::string Connection::tls() const {
  const char* host = PQhost(raw_);
  if (host != nullptr && host[0] == '/') return "local";
  const char* protocol = PQsslAttribute(raw_, "protocol");
  return PQsslInUse(raw_) == 0 || protocol == nullptr ? "off" : protocol;
}

}  // namespace tidemark::postgres
