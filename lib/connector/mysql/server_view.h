#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "connector/mysql/open_work.h"
#include "connector/sql/session.h"
#include "core/settings.h"

namespace tidemark::mysql {

/// One look at what is open on a server.
struct Look {
  /// INNODB_TRX was filled by this very look. If not, it is older, and `work` shows nothing.
  bool fresh = false;
  WallTime clock{};  ///< of the server, before PROCESSLIST was read
  /// The server's own number (QUERY_ID) of the first statement that looked, and of one after the
  /// last: they order the looks of all who look at this server. 0 on MySQL, which has none.
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  OpenWork work = {};
};

/// A session that looks at the open transactions of one server. Worker threads, one at a time.
/// Throws Error; then the view is of no use any more.
class ServerView {
 public:
  virtual ~ServerView() = default;
  virtual Look look() = 0;
  /// One statement on the server that is looked at.
  virtual sql::Result ask(const std::string& statement) = 0;
  /// Who the server is, and when it was started (seconds since 1970, good to a second or two). They
  /// can't change while a session lasts, so they are asked once.
  virtual const std::string& identity() const = 0;
  virtual std::int64_t started() const = 0;
};

using OpenView = std::function<std::unique_ptr<ServerView>()>;

/// Looks over a session of its own, all of it in one round trip (docs/horizon.md).
///
/// InnoDB's INNODB_TRX is a copy that is renewed only when nobody has read it for 100 ms, so a
/// monitor that polls it freezes it for everybody. The look opens a transaction of its own, the
/// canary, and its statement over INNODB_TRX bears a number of its own: the copy lists each
/// transaction with the statement that its session is in, so one that lists the canary with this
/// statement was made while it ran. PROCESSLIST is read before INNODB_TRX: a statement that ends
/// between the two has its transaction listed; the other order would miss it. A server sets COMMAND
/// before it sets the statement's clock, and the clock before QUERY_ID, and the text (INFO) after
/// both (MariaDB, sql_parse.cc): so a statement whose NOW() is before the look is listed as busy,
/// and its QUERY_ID is its own where INFO is there.
std::unique_ptr<ServerView> open_server_view(const ConnectionSettings& server);

/// A time as the server writes it in UTC.
WallTime wall_time_of(std::string_view text);
/// Who the server is: server_uuid on MySQL, host name, port and server id on MariaDB.
std::string identity_of(sql::Session& session, bool mariadb);

}  // namespace tidemark::mysql
