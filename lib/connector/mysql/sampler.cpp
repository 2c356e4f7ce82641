#include "connector/mysql/sampler.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <random>
#include <utility>

#include "core/error.h"

namespace tidemark::mysql {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// InnoDB renews the view when nobody read it for 100 ms; a little more, for the server's clock.
constexpr auto view_rest = milliseconds(106);
/// Not the same each time: two samplers of one server that fell into step would keep the view from
/// being renewed for both.
milliseconds between_looks() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return milliseconds(std::uniform_int_distribution<int>(130, 230)(random));
}
constexpr int looks = 7;
constexpr std::size_t most_notes = 256;
/// MySQL shows read-only transactions under numbers from here on; they have no real one.
constexpr std::uint64_t first_pretended_id = 1ULL << 47;

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

std::int64_t signed_number(const std::optional<std::string>& text) {
  std::int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

bool is_idle(const std::string& command) {
  return command == "Sleep" || command == "Daemon" || command.starts_with("Binlog Dump");
}

const BusyThread* find_thread(const OpenWork& work, std::uint64_t id) {
  const auto at = std::find_if(work.threads.begin(), work.threads.end(),
                               [id](const BusyThread& one) { return one.id == id; });
  return at == work.threads.end() ? nullptr : &*at;
}

bool knows_prepared(const std::vector<Pending>& pending, std::uint64_t id) {
  return std::any_of(pending.begin(), pending.end(),
                     [id](const Pending& one) { return one.thread == 0 && one.transaction == id; });
}

/// A prepared transaction without a session that the token did not see as such: it may be what a
/// blocker without a number left behind when its session ended.
bool has_stray_prepared(const std::vector<Pending>& pending, const OpenWork& later) {
  return std::any_of(later.transactions.begin(), later.transactions.end(),
                     [&](const OpenTransaction& one) {
                       return one.thread == 0 && !knows_prepared(pending, one.id);
                     });
}

bool is_open(const Pending& blocker, const OpenWork& later, bool stray_prepared) {
  const OpenTransaction* listed = nullptr;
  for (const OpenTransaction& one : later.transactions) {
    if (blocker.transaction != 0 && one.id == blocker.transaction) return true;
    if (blocker.thread != 0 && one.thread == blocker.thread) listed = &one;
  }
  if (blocker.thread == 0) return false;
  if (listed != nullptr) {
    // Another number than a real one is another transaction; 0 may have become a number since. So
    // is one that began at another time.
    if (blocker.transaction != 0) return false;
    return blocker.started == 0 || listed->started == blocker.started;
  }
  if (blocker.transaction == 0 && stray_prepared) return true;
  const BusyThread* thread = find_thread(later, blocker.thread);
  if (thread == nullptr || !thread->busy) return false;
  return blocker.query_id == 0 || thread->query_id == 0 || thread->query_id == blocker.query_id;
}

}  // namespace

std::vector<Pending> blockers_of(const OpenWork& work) {
  std::map<std::uint64_t, Pending> by_thread;
  std::vector<Pending> pending;
  for (const BusyThread& thread : work.threads)
    if (thread.busy) by_thread[thread.id] = {.thread = thread.id, .query_id = thread.query_id};
  for (const OpenTransaction& transaction : work.transactions) {
    if (transaction.thread == 0) {
      pending.push_back({.transaction = transaction.id, .started = transaction.started});
      continue;
    }
    Pending& entry = by_thread[transaction.thread];
    entry.thread = transaction.thread;
    entry.transaction = transaction.id;
    entry.started = transaction.started;
  }
  for (const auto& [id, entry] : by_thread)
    pending.push_back(entry);
  return pending;
}

std::vector<Pending> still_open(const std::vector<Pending>& pending, const OpenWork& later) {
  const bool stray = has_stray_prepared(pending, later);
  std::vector<Pending> open;
  for (const Pending& blocker : pending)
    if (is_open(blocker, later, stray)) open.push_back(blocker);
  return open;
}

std::string to_text(const std::vector<Pending>& pending) {
  std::string text;
  for (const Pending& one : pending)
    text += (text.empty() ? "" : ",") + std::to_string(one.thread) + "." +
            std::to_string(one.query_id) + "." + std::to_string(one.transaction) + "." +
            std::to_string(one.started);
  return text;
}

std::vector<Pending> pending_from(const std::string& text) {
  std::vector<Pending> pending;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto take = [&](auto& into, char stop) {
    const auto [next, error] = std::from_chars(at, end, into);
    const bool last = stop == ',' && next == end;
    if (error != std::errc{} || (!last && (next == end || *next != stop)))
      throw Error({.kind = FailureKind::position_lost,
                   .message = "the checkpoint holds a horizon that can't be read",
                   .hint = "It was written by another version: run `tidemark resync`."});
    at = last ? next : next + 1;
  };
  while (at != end) {
    Pending& one = pending.emplace_back();
    take(one.thread, '.');
    take(one.query_id, '.');
    take(one.transaction, '.');
    take(one.started, ',');
  }
  return pending;
}

std::vector<Blocker> describe(const std::vector<Pending>& pending, const OpenWork& work) {
  std::vector<Blocker> blockers;
  for (const Pending& one : pending) {
    Blocker blocker;
    const BusyThread* thread = one.thread == 0 ? nullptr : find_thread(work, one.thread);
    // A session that is gone while the transaction is not has left it prepared.
    const bool prepared = thread == nullptr;
    blocker.kind = prepared ? "prepared" : "transaction";
    blocker.id = std::to_string(prepared && one.transaction != 0 ? one.transaction : one.thread);
    if (prepared) blocker.gid = work.prepared_gids;
    if (thread != nullptr) {
      blocker.user = thread->user;
      blocker.age = thread->busy ? thread->age : Duration{};
    }
    for (const OpenTransaction& transaction : work.transactions)
      if ((one.transaction != 0 && transaction.id == one.transaction) ||
          (one.thread != 0 && transaction.thread == one.thread))
        blocker.age = std::max(blocker.age, transaction.age);
    blockers.push_back(std::move(blocker));
  }
  return blockers;
}

/// Three connections, used by one caller at a time.
struct Sampler::Sessions {
  explicit Sessions(const ConnectionSettings& server)
      : timeouts{.connect = server.connect_timeout,
                 .read = std::min<Duration>(server.stall_timeout, std::chrono::seconds(30))},
        asker(server, timeouts),
        canaries{std::make_unique<ControlSession>(server, timeouts),
                 std::make_unique<ControlSession>(server, timeouts)} {}

  ControlSession& canary() const { return *canaries[turn]; }
  ControlSession& other() const { return *canaries[1 - turn]; }

  ControlSession::Timeouts timeouts;
  ControlSession asker;
  std::array<std::unique_ptr<ControlSession>, 2> canaries;
  std::size_t turn = 0;
  Steady::time_point last_look{};
};

Sampler::Sessions& Sampler::connected() {
  if (!sessions_) sessions_ = std::make_shared<Sessions>(server_);
  return *sessions_;
}

namespace {

/// Marks the sessions as in use for its life; the lock is open meanwhile.
class Turn {
 public:
  Turn(std::unique_lock<std::mutex>& lock, std::condition_variable& changed, bool& busy)
      : lock_(lock), changed_(changed), busy_(busy) {
    busy_ = true;
    lock_.unlock();
  }
  ~Turn() {
    lock_.lock();
    busy_ = false;
    changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::unique_lock<std::mutex>& lock_;
  std::condition_variable& changed_;
  bool& busy_;
};

}  // namespace

void Sampler::cancel(Caller& caller) noexcept {
  caller.cancelled_ = true;
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

void Sampler::pause_until(Steady::time_point end, Caller& caller) {
  std::unique_lock lock(mutex_);
  if (changed_.wait_until(lock, end, [&] { return caller.cancelled_.load(); })) throw Cancelled();
}

std::shared_ptr<const OpenWork> Sampler::sample(Caller& caller) {
  caller.cancelled_ = false;
  std::unique_lock lock(mutex_);
  const std::uint64_t wanted = started_ + 1;
  for (;;) {
    if (caller.cancelled_) throw Cancelled();
    if (completed_ >= wanted) return newest_;
    if (busy_) {
      changed_.wait(lock);
      continue;
    }
    const std::uint64_t mine = ++started_;
    std::shared_ptr<const OpenWork> work;
    {
      const Turn turn(lock, changed_, busy_);
      const bool kept = sessions_ != nullptr;
      try {
        work = take(connected(), caller);
      } catch (const Error& error) {
        sessions_.reset();
        // Kept connections may have been closed for idleness; new ones must work.
        if (!kept || error.kind() != FailureKind::connect) throw;
        work = take(connected(), caller);
      }
    }
    completed_ = mine;
    newest_ = work;
    return work;
  }
}

std::shared_ptr<const OpenWork> Sampler::take(Sessions& sessions, Caller& caller) {
  // Reading too early would not only give an old view, it would keep the view from being renewed.
  pause_until(sessions.last_look + view_rest, caller);
  sessions.canary().execute("START TRANSACTION WITH CONSISTENT SNAPSHOT");
  for (int look_number = 1; look_number <= looks; ++look_number) {
    OpenWork work = look(sessions);
    if (shows_new_canary(work, sessions)) {
      sessions.canary().execute("COMMIT");
      sessions.turn = 1 - sessions.turn;
      drop_own(work, sessions);
      return std::make_shared<const OpenWork>(std::move(work));
    }
    if (look_number != looks) pause_until(Steady::now() + between_looks(), caller);
  }
  // The frozen view may list one of these canaries for ever: go on with others.
  for (auto& canary : sessions.canaries)
    canary = std::make_unique<ControlSession>(server_, sessions.timeouts);
  return nullptr;
}

OpenWork Sampler::look(Sessions& sessions) {
  OpenWork work;
  ControlSession& asker = sessions.asker;
  // MySQL has no QUERY_ID: there a session must be seen idle, or gone, or in another transaction.
  const sql::Result threads = asker.execute(
      asker.mariadb() ? "SELECT ID, USER, COMMAND, INFO IS NOT NULL, TIME_MS, QUERY_ID "
                        "FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()"
                      : "SELECT ID, USER, COMMAND, 0, TIME * 1000, 0 "
                        "FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()");
  const sql::Result transactions = asker.execute(
      "SELECT trx_mysql_thread_id, trx_id, UNIX_TIMESTAMP(trx_started), "
      "TIMESTAMPDIFF(SECOND, trx_started, NOW()) FROM information_schema.INNODB_TRX");
  sessions.last_look = Steady::now();
  bool prepared = false;
  for (const auto& row : threads.rows) {
    BusyThread thread{
        .id = number(row[0]), .busy = !is_idle(row[2].value_or("")), .user = row[1].value_or("")};
    if (row[3] == "1") thread.query_id = number(row[5]);
    thread.age = std::chrono::milliseconds(signed_number(row[4]));
    work.threads.push_back(std::move(thread));
  }
  for (const auto& row : transactions.rows) {
    OpenTransaction one{.thread = number(row[0]), .id = number(row[1])};
    if (one.id >= first_pretended_id) one.id = 0;
    one.started = signed_number(row[2]);
    one.age = std::chrono::seconds(std::max<std::int64_t>(0, signed_number(row[3])));
    prepared = prepared || one.thread == 0;
    work.transactions.push_back(one);
  }
  if (prepared) {
    try {
      for (const auto& row : asker.execute("XA RECOVER").rows)
        work.prepared_gids += (work.prepared_gids.empty() ? "" : " ") + row.back().value_or("");
    } catch (const Error& error) {
      // Only a name for people; MySQL wants a privilege of its own for it.
      if (error.kind() == FailureKind::connect) throw;
    }
  }
  return work;
}

bool Sampler::shows_new_canary(const OpenWork& work, const Sessions& sessions) const {
  bool ours = false;
  for (const OpenTransaction& one : work.transactions) {
    if (one.thread == sessions.other().thread_id()) return false;
    ours = ours || one.thread == sessions.canary().thread_id();
  }
  return ours;
}

void Sampler::drop_own(OpenWork& work, const Sessions& sessions) const {
  std::set<std::uint64_t> own;
  {
    const std::lock_guard lock(mutex_);
    own = own_;
  }
  own.insert(sessions.asker.thread_id());
  for (const auto& canary : sessions.canaries)
    own.insert(canary->thread_id());
  std::erase_if(work.threads, [&](const BusyThread& one) { return own.contains(one.id); });
  std::erase_if(work.transactions,
                [&](const OpenTransaction& one) { return own.contains(one.thread); });
}

sql::Result Sampler::ask(const std::string& statement) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  const Turn turn(lock, changed_, busy_);
  const bool kept = sessions_ != nullptr;
  try {
    return connected().asker.execute(statement);
  } catch (const Error& error) {
    if (!kept || error.kind() != FailureKind::connect) throw;
    sessions_.reset();
    return connected().asker.execute(statement);
  }
}

std::string Sampler::server() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  std::string identity;
  std::int64_t start = 0;
  {
    const Turn turn(lock, changed_, busy_);
    const auto both = [&] {
      ControlSession& asker = connected().asker;
      identity = identity_of(asker, asker.mariadb());
      const sql::Result uptime = asker.execute("SHOW GLOBAL STATUS LIKE 'Uptime'");
      start = signed_number(asker.execute("SELECT UNIX_TIMESTAMP()").scalar()) -
              signed_number(uptime.rows.at(0).at(1));
    };
    const bool kept = sessions_ != nullptr;
    try {
      both();
    } catch (const Error& error) {
      if (!kept || error.kind() != FailureKind::connect) throw;
      sessions_.reset();
      both();
    }
  }
  // Both figures are whole seconds read at different moments.
  if (std::abs(start - start_) > 2) start_ = start;
  return identity + "@" + std::to_string(start_);
}

void Sampler::leave_out(std::uint64_t thread) {
  const std::lock_guard lock(mutex_);
  own_.insert(thread);
}

void Sampler::take_in(std::uint64_t thread) {
  const std::lock_guard lock(mutex_);
  own_.erase(thread);
}

void Sampler::remember(const std::string& token, const std::string& value) {
  const std::lock_guard lock(mutex_);
  if (notes_.size() >= most_notes) notes_.erase(notes_.begin());
  notes_[token] = value;
}

std::string Sampler::recall(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto at = notes_.find(token);
  return at == notes_.end() ? std::string() : at->second;
}

std::string identity_of(sql::Session& session, bool mariadb) {
  const char* question = mariadb ? "SELECT CONCAT('mariadb:', @@hostname, ':', @@port, '/', "
                                   "@@server_id)"
                                 : "SELECT CONCAT('mysql:', @@server_uuid)";
  return session.execute(question).scalar().value_or("");
}

bool same_server(const std::string& left, const std::string& right) {
  const auto split = [](const std::string& text) {
    const std::size_t at = text.rfind('@');
    std::int64_t start = 0;
    if (at != std::string::npos)
      std::from_chars(text.data() + at + 1, text.data() + text.size(), start);
    return std::pair(text.substr(0, at), start);
  };
  const auto [left_name, left_start] = split(left);
  const auto [right_name, right_start] = split(right);
  return left_name == right_name && std::abs(left_start - right_start) <= 4;
}

}  // namespace tidemark::mysql
