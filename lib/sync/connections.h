#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/connector.h"
#include "core/ports.h"
#include "core/settings.h"

namespace tidemark {

/// Rows a second of one connection, over all jobs: a token bucket that holds one second. Any
/// thread.
class RowRate {
 public:
  explicit RowRate(const Clock& clock) : clock_(clock) {}
  /// 0: no limit.
  void set(std::uint64_t rows_per_second);
  /// Takes rows, in debt if need be, and says how long to wait before the next are taken.
  Duration take(std::uint64_t rows);

 private:
  const Clock& clock_;
  std::mutex mutex_;
  double limit_ = 0;
  double tokens_ = 0;
  std::optional<SteadyTime> filled_;
};

/// How one connection is used, for metrics and `status`.
struct ConnectionUse {
  ConnectionName name;
  std::string type;
  std::size_t in_use = 0;
  std::size_t idle = 0;
  std::size_t limit = 0;
  std::size_t waiting = 0;  ///< runs that have no session yet
};

/// Sessions of all configured connections, lent to runs. Any thread.
///
/// At most `max_connections` sessions of a connection exist at a time, lent and idle together.
/// A session comes back when its lease ends and is lent again, unless it is broken, was discarded
/// or its connection's settings have changed since. A run takes all it needs in one step, so runs
/// do not wait for each other in a circle. Sessions are opened and tried outside the lock.
class Connections {
  struct Slot;

 public:
  /// How a connector is made; the daemon looks the type up in the generated list.
  using MakeConnector =
      std::function<std::unique_ptr<Connector>(const ConnectionSettings&, const ConnectorContext&)>;
  using SettingsMap = std::map<ConnectionName, ConnectionSettings>;

  /// The clock outlives this object.
  Connections(SettingsMap settings, MakeConnector make, const Clock& clock);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// A reload. Sessions lent under changed settings finish their run and are closed then.
  void replace(SettingsMap settings);

  /// A session lent to one run. Returned on destruction, closed instead when it is not usable any
  /// more. Used by one thread at a time; must not outlive its Connections.
  template <class Session>
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&& other) noexcept {
      if (this == &other) return *this;
      give_back();
      place_ = std::move(other.place_);
      session_ = std::move(other.session_);
      serial_ = other.serial_;
      discarded_ = other.discarded_;
      return *this;
    }
    ~Lease() { give_back(); }
    Session& operator*() const { return *session_; }
    Session* operator->() const { return session_.get(); }
    explicit operator bool() const noexcept { return session_ != nullptr; }
    /// Tells this session from every other of the process; one that was opened later has a
    /// greater one. Changes with `reopen`.
    std::uint64_t serial() const noexcept { return serial_; }
    /// Closes the session and opens another in its place.
    void reopen();
    /// Not to be lent again: a cancel may still be on its way to it.
    void discard() noexcept { discarded_ = true; }

   private:
    friend class Connections;
    void give_back() noexcept;
    struct Place {
      Connections* owner;
      std::shared_ptr<Slot> slot;
    };
    std::unique_ptr<Place> place_;
    std::unique_ptr<Session> session_;
    std::uint64_t serial_ = 0;
    bool discarded_ = false;
  };
  using SourceLease = Lease<Source>;
  using TargetLease = Lease<Target>;

  /// Of the session that was opened last. Any thread.
  static std::uint64_t newest_serial() noexcept;

  struct Wanted {
    std::optional<ConnectionName> source = {};
    std::optional<ConnectionName> target = {};
    /// Serials of sessions that are preferred where they lie idle; they are not tried before.
    std::uint64_t source_serial = 0;
    std::uint64_t target_serial = 0;
  };
  struct Sessions {
    SourceLease source;
    TargetLease target;
  };
  /// Waits for room, then opens what is not idle. Throws Cancelled when asked to stop, Error from
  /// the connectors, Error{schema} for a connection that is not configured or may not be a target.
  Sessions acquire(const Wanted& wanted, const std::stop_token& stop);

  /// The same without waiting: nullopt where there is no room, or somebody waits for a session of
  /// one of the two. For a run that has its sessions and could do with more.
  std::optional<Sessions> try_acquire(const Wanted& wanted);

  /// Calls `action` with a session kept apart for short statements of all runs on that target
  /// (lease renewal while a run's own session is busy). Not counted in the limit: one a connection.
  void beside(const ConnectionName& target, const std::function<void(Target&)>& action);

  /// For check, probe and grants; makes no session.
  std::shared_ptr<Connector> connector(const ConnectionName& name);
  std::optional<ConnectionSettings> settings(const ConnectionName& name) const;
  RowRate& rate(const ConnectionName& name);
  std::vector<ConnectionUse> use() const;
  /// Told, on the run's thread, how long each `acquire` waited for room. Before the first one.
  using WaitTold = std::function<void(const ConnectionName&, Duration)>;
  void on_wait(WaitTold told) { wait_told_ = std::move(told); }
  /// Closes what is idle: at stop, and after a long pause.
  void close_idle();

 private:
  /// Where the sessions of one request come from.
  struct Places {
    std::shared_ptr<Slot> source;
    std::shared_ptr<Slot> target;
  };
  std::optional<Places> room(const Wanted& wanted) const;
  void count_waiting(const Wanted& wanted, int by);
  std::size_t waiting_of(const ConnectionName& name) const;
  Sessions lend(const Wanted& wanted, const Places& places, std::unique_lock<std::mutex> lock);
  template <class Session>
  void fill(Lease<Session>& lease, const std::shared_ptr<Slot>& slot);
  std::shared_ptr<Slot> slot_of(const ConnectionName& name) const;
  std::shared_ptr<Slot> make_slot(const ConnectionSettings& settings, const SettingsMap& all) const;

  MakeConnector make_;
  const Clock& clock_;
  WaitTold wait_told_;
  mutable std::mutex mutex_;
  std::condition_variable_any freed_;
  std::map<ConnectionName, std::shared_ptr<Slot>> slots_;
  std::map<ConnectionName, int> waiting_;  ///< requests in `acquire` that have no room yet
  std::map<ConnectionName, std::unique_ptr<RowRate>> rates_;  // never removed: runs hold references
};

}  // namespace tidemark
