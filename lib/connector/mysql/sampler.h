#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "connector/mysql/control_session.h"
#include "core/horizon.h"
#include "core/settings.h"

namespace tidemark::mysql {

/// A session of the server that does something, as PROCESSLIST shows it.
struct BusyThread {
  std::uint64_t id = 0;
  bool busy = false;
  /// Of the statement under way; 0 where it is not sure whose number stands there.
  std::uint64_t query_id = 0;
  std::string user;
  Duration age{};
};

/// An InnoDB transaction; `thread` 0 is a prepared one that no session holds.
struct OpenTransaction {
  std::uint64_t thread = 0;
  std::uint64_t id = 0;      ///< 0: has not written (yet)
  std::int64_t started = 0;  ///< seconds since 1970
  Duration age{};
};

/// What was open at one moment. PROCESSLIST was read before INNODB_TRX.
struct OpenWork {
  std::vector<BusyThread> threads;
  std::vector<OpenTransaction> transactions;
  std::string prepared_gids;
};

/// One thing that a token waits for. Serialised as "thread.query.transaction.started".
struct Pending {
  std::uint64_t thread = 0;
  std::uint64_t query_id = 0;
  std::uint64_t transaction = 0;
  std::int64_t started = 0;
};

/// All that may still commit something assigned before the sample. Pure; any thread.
std::vector<Pending> blockers_of(const OpenWork& work);
/// Those of `pending` that a later sample does not show to have ended.
std::vector<Pending> still_open(const std::vector<Pending>& pending, const OpenWork& later);
std::string to_text(const std::vector<Pending>& pending);
/// Throws Error{position_lost} for a text that this version did not write.
std::vector<Pending> pending_from(const std::string& text);
/// For people: who they are in `work`.
std::vector<Blocker> describe(const std::vector<Pending>& pending, const OpenWork& work);

/// Samples open transactions of one server for all jobs of a connection: the drain with canary
/// (docs/horizon.md; correctness: A3).
///
/// InnoDB's INNODB_TRX is a cache that is renewed only when nobody has read it for 100 ms, so a
/// monitor that polls it freezes it for everybody. A canary, a transaction of our own begun after
/// the question was asked, shows whether a view is new: it counts when it lists this canary and not
/// the one of the sample before (two connections are used in turn). PROCESSLIST is read before
/// INNODB_TRX: a statement that ends between the two has its transaction listed; the other order
/// would miss it. A server sets COMMAND before it sets the statement's clock, and the clock before
/// QUERY_ID, and the text (INFO) after both (MariaDB, sql_parse.cc): so a statement whose NOW() is
/// before the sample is listed as busy, and its QUERY_ID is its own where INFO is there.
///
/// Any thread: concurrent callers share one sample, provided that it began after they asked.
class Sampler {
 public:
  explicit Sampler(ConnectionSettings server) : server_(std::move(server)) {}

  /// Who asks. `cancel` ends its wait for a sample, and no other caller's.
  class Caller {
    friend class Sampler;
    std::atomic<bool> cancelled_ = false;
  };

  /// A sample begun after this call, or nullptr when the view stays frozen (about a second). Throws
  /// Cancelled after a `cancel` of the same caller that came meanwhile.
  std::shared_ptr<const OpenWork> sample(Caller& caller);
  /// Any thread; harmless while the caller does not wait.
  void cancel(Caller& caller) noexcept;
  /// One statement on the server that is sampled.
  sql::Result ask(const std::string& statement);
  /// "identity@start": the start is stable over reconnects, to a second or two.
  std::string server();

  /// Threads of our own read-only sessions, which never block anything.
  void leave_out(std::uint64_t thread);
  void take_in(std::uint64_t thread);

  /// Keeps what belongs to a token but could not be written into it: blockers sampled late, or the
  /// position a replica has to reach. Bounded; losing an entry costs time, never rows.
  void remember(const std::string& token, const std::string& value);
  std::string recall(const std::string& token) const;

 private:
  struct Sessions;
  std::shared_ptr<const OpenWork> take(Sessions& sessions, Caller& caller);
  void pause_until(std::chrono::steady_clock::time_point end, Caller& caller);
  OpenWork look(Sessions& sessions);
  bool shows_new_canary(const OpenWork& work, const Sessions& sessions) const;
  void drop_own(OpenWork& work, const Sessions& sessions) const;
  Sessions& connected();

  ConnectionSettings server_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false;          ///< somebody uses the sessions
  std::uint64_t started_ = 0;  ///< samples begun
  std::uint64_t completed_ = 0;
  std::shared_ptr<const OpenWork> newest_;
  std::set<std::uint64_t> own_;
  std::map<std::string, std::string> notes_;
  std::int64_t start_ = 0;  ///< of the server, seconds since 1970
  std::shared_ptr<Sessions> sessions_;
};

/// Who the server is: server_uuid on MySQL, host name, port and server id on MariaDB.
std::string identity_of(sql::Session& session, bool mariadb);
/// Whether two answers of Sampler::server mean one running server.
bool same_server(const std::string& left, const std::string& right);

}  // namespace tidemark::mysql
