#include "connector/mysql/server_view.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

#include "connector/mysql/control_session.h"
#include "core/error.h"
#include "core/temporal.h"

namespace tidemark::mysql {
namespace {

/// MySQL shows read-only transactions under numbers from here on; they have no real one.
constexpr std::uint64_t first_pretended_id = 1ULL << 47;

using Cells = std::vector<std::optional<std::string>>;

template <typename Number>
Number number(const std::optional<std::string>& text) {
  Number value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

bool is_idle(const std::string& command) {
  return command == "Sleep" || command == "Daemon" || command.starts_with("Binlog Dump");
}

BusyThread thread_of(const Cells& row) {
  BusyThread thread{.id = number<std::uint64_t>(row[0]),
                    .busy = !is_idle(row[2].value_or("")),
                    .user = row[1].value_or("")};
  if (row[3] == "1") thread.query_id = number<std::uint64_t>(row[5]);
  thread.age = std::chrono::milliseconds(number<std::int64_t>(row[4]));
  return thread;
}

OpenTransaction transaction_of(const Cells& row) {
  OpenTransaction one{.thread = number<std::uint64_t>(row[0]), .id = number<std::uint64_t>(row[1])};
  if (one.id >= first_pretended_id) one.id = 0;
  one.started = number<std::int64_t>(row[2]);
  one.age = std::chrono::seconds(std::max<std::int64_t>(0, number<std::int64_t>(row[3])));
  return one;
}

class SessionView final : public ServerView {
 public:
  explicit SessionView(const ConnectionSettings& server)
      : session_(server,
                 {.connect = server.connect_timeout,
                  .read = std::min<Duration>(server.stall_timeout, std::chrono::seconds(30)),
                  .batches = true}),
        identity_(identity_of(session_, session_.mariadb())) {
    const sql::Result uptime = session_.execute("SHOW GLOBAL STATUS LIKE 'Uptime'");
    started_ = number<std::int64_t>(session_.execute("SELECT UNIX_TIMESTAMP()").scalar()) -
               number<std::int64_t>(uptime.rows.at(0).at(1));
  }

  Look look() override;
  sql::Result ask(const std::string& statement) override { return session_.execute(statement); }
  const std::string& identity() const override { return identity_; }
  std::int64_t started() const override { return started_; }

 private:
  bool take_transactions(const sql::Result& result, OpenWork& work) const;

  ControlSession session_;
  std::string identity_;
  std::int64_t started_ = 0;
  std::uint64_t looks_ = 0;
};

Look SessionView::look() {
  const bool mariadb = session_.mariadb();
  // MySQL has no QUERY_ID: there a session must be seen idle, or gone, or in another transaction.
  const std::string number_of_statement = mariadb ? "QUERY_ID" : "0";
  const auto results = session_.execute_all(
      {"START TRANSACTION WITH CONSISTENT SNAPSHOT",
       std::string("SELECT ID, USER, COMMAND, ") +
           (mariadb ? "INFO IS NOT NULL, TIME_MS, QUERY_ID" : "0, TIME * 1000, 0") +
           ", UTC_TIMESTAMP(6) FROM information_schema.PROCESSLIST",
       // The number stands in front: what the copy keeps of a statement is its first kilobyte.
       "SELECT " + std::to_string(++looks_) +
           " AS look, trx_mysql_thread_id, trx_id, UNIX_TIMESTAMP(trx_started), "
           "TIMESTAMPDIFF(SECOND, trx_started, NOW()), trx_query "
           "FROM information_schema.INNODB_TRX",
       "SELECT " + number_of_statement +
           " FROM information_schema.PROCESSLIST WHERE ID = CONNECTION_ID()",
       "COMMIT"});
  Look look;
  for (const Cells& row : results[1].rows) {
    BusyThread thread = thread_of(row);
    if (thread.id != session_.thread_id()) {
      look.work.threads.push_back(std::move(thread));
      continue;
    }
    look.first = thread.query_id;
    look.clock = wall_time_of(row[6].value_or(""));
  }
  look.last = number<std::uint64_t>(results[3].scalar());
  look.fresh = take_transactions(results[2], look.work);
  if (!look.fresh) look.work = {};
  const auto& open = look.work.transactions;
  if (std::any_of(open.begin(), open.end(), [](const auto& one) { return one.thread == 0; })) {
    try {
      for (const auto& row : session_.execute("XA RECOVER").rows)
        look.work.prepared_gids +=
            (look.work.prepared_gids.empty() ? "" : " ") + row.back().value_or("");
    } catch (const Error& error) {
      // Only a name for people; MySQL wants a privilege of its own for it.
      if (error.kind() == FailureKind::connect) throw;
    }
  }
  return look;
}

/// All but our own, which is how we know that the copy is new.
bool SessionView::take_transactions(const sql::Result& result, OpenWork& work) const {
  const std::string canary = "SELECT " + std::to_string(looks_) + " AS look,";
  bool fresh = false;
  for (const Cells& row : result.rows) {
    OpenTransaction one = transaction_of({row.begin() + 1, row.end()});
    if (one.thread == session_.thread_id())
      fresh = row[5] && row[5]->starts_with(canary);
    else
      work.transactions.push_back(one);
  }
  return fresh;
}

}  // namespace

std::unique_ptr<ServerView> open_server_view(const ConnectionSettings& server) {
  return std::make_unique<SessionView>(server);
}

WallTime wall_time_of(std::string_view text) {
  return WallTime(Duration(parse_timestamp(text) + unix_to_2000_seconds * micros_per_second));
}

std::string identity_of(sql::Session& session, bool mariadb) {
  const char* question = mariadb ? "SELECT CONCAT('mariadb:', @@hostname, ':', @@port, '/', "
                                   "@@server_id)"
                                 : "SELECT CONCAT('mysql:', @@server_uuid)";
  return session.execute(question).scalar().value_or("");
}

}  // namespace tidemark::mysql
