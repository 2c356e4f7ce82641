#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <pqxx/connection>
#include <string>
#include <string_view>
#include <vector>

#include "connector/postgres/connect_options.h"
#include "connector/postgres/errors.h"
#include "connector/postgres/rows.h"
#include "connector/postgres/watchdog.h"
#include "connector/sql/session.h"
#include "core/settings.h"

namespace tidemark::postgres {

/// A column of a statement's result, as the server describes it without running the statement.
struct ResultColumn {
  std::string name;
  Oid type = 0;
  int modifier = -1;
  Oid table = 0;  ///< 0 where it is not a plain column of a table
  int attribute = 0;
};

/// One session: opened within connect_timeout, pinned, never silently opened again. libpqxx owns
/// it; statements run through libpq on the same session. libpqxx 6 has no binary COPY, drops the
/// diagnostics fields that errors are told by, and leaks the result of every statement during
/// which the connection is lost, because it asks for the client encoding before it takes it over.
///
/// One thread at a time; `cancel` from any. Every call that waits for the server ends with
/// Error{timeout} after stall_timeout without a byte, with Cancelled after `cancel`, and with
/// Error{connect} when the connection is lost; after that last one `usable` is false.
class Connection final : public sql::Session {
 public:
  Connection(const ConnectionSettings& settings, Role role, Watchdog& watchdog);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sql::Result execute(std::string_view statement) override;
  /// As `execute`; errors name `table` in place of the relation that the server names.
  sql::Result execute_for(std::string_view statement, const std::string& table);
  /// As `execute_for`, of a statement that may work for hours before it answers, such as one that
  /// builds an index: stall_timeout is not for it. `cancel` and a lost connection end it.
  sql::Result execute_long(std::string_view statement, const std::string& table);
  /// The same for our own questions, whose answers are read by type.
  Rows query(const std::string& statement) { return Rows(execute(statement)); }
  /// Several questions in one message, so for the price of one round trip: a transaction of their
  /// own, each statement with a snapshot of its own, in this order.
  std::vector<Rows> query_all(const std::vector<std::string>& statements);
  std::vector<ResultColumn> describe(const std::string& statement);

  /// Whether the server replays another's changes. Asked until it is a primary: that can become a
  /// standby by a restart only, which ends this session.
  bool on_standby();

  /// Starts COPY (select) TO STDOUT (FORMAT binary); then `copied` until it gives nothing. Returns
  /// the columns, described by the transaction that reads: no table changes between the two. The
  /// bytes are valid until the next call. `begin_wait` and `end_wait` bracket a run of calls, so
  /// that the time between two batches does not count as a stall.
  std::vector<ResultColumn> copy_out(const std::string& select);
  void begin_wait();
  void end_wait();
  std::optional<std::string_view> copied();
  /// Between copy_out and the end of its stream, an error or abandon_copy.
  bool streaming() const noexcept { return streaming_; }
  /// Ends a COPY out early: the session can be used again, or is not usable any more.
  void abandon_copy(bool nearly_done) noexcept;

  /// COPY `relation` … FROM STDIN; errors name `table` and the row.
  void copy_in(const std::string& statement, const std::string& relation, const std::string& table);
  void put(std::string_view bytes);
  std::uint64_t finish_copy();
  void fail_copy() noexcept;

  /// COMMIT. Error with in_doubt when it was sent and no answer came.
  void commit();
  void rollback() noexcept;

  void cancel() noexcept;
  bool usable() const noexcept;

  int server_version() const noexcept { return PQserverVersion(raw_); }
  std::string server_version_text() const;
  /// "TLSv1.3", "off", "local".
  std::string tls() const;
  /// "pid:start": what pg_terminate_backend and the horizon's samples know this session by.
  const std::string& session_id() const noexcept { return session_id_; }
  /// Identity and start of the server, for as long as this session lives; "" until a horizon's
  /// sample has told it.
  std::string& server() noexcept { return server_; }

 private:
  class Link;
  struct ResultDeleter {
    void operator()(PGresult* result) const noexcept { PQclear(result); }
  };
  using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

  bool lost() const noexcept { return PQstatus(raw_) != CONNECTION_OK; }
  [[noreturn]] void fail(Watch::Verdict verdict, const PGresult* result,
                         const FailureContext& context);
  ResultPtr run(std::string_view statement, ExecStatusType wanted, const FailureContext& context);
  std::vector<ResultPtr> run_all(const std::string& statements, ExecStatusType last);
  void drain() noexcept;

  Duration stall_timeout_;
  std::unique_ptr<Link> link_;
  PGconn* raw_ = nullptr;
  Watchdog& watchdog_;
  std::shared_ptr<Watch> watch_;
  std::string session_id_;
  std::string server_;
  char* copied_ = nullptr;
  bool streaming_ = false;
  bool on_primary_ = false;
  FailureContext copy_context_;
};

}  // namespace tidemark::postgres
