#include "sync/connections.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <type_traits>
#include <utility>

#include "core/error.h"

namespace tidemark {
namespace {

// A session that was idle for longer is tried before it is lent: its server may have gone.
constexpr Duration trusted_idle = std::chrono::seconds(1);

template <class Session>
struct Idle {
  std::unique_ptr<Session> session;
  std::uint64_t serial;
  SteadyTime since;
};

std::atomic<std::uint64_t> last_serial{0};

std::uint64_t next_serial() {
  return ++last_serial;
}

[[noreturn]] void refuse(const ConnectionName& name, const std::string& why,
                         const std::string& hint) {
  throw Error({.kind = FailureKind::schema,
               .message = "connection " + name.text + " " + why,
               .operation = "connect",
               .hint = hint});
}

}  // namespace

void RowRate::set(std::uint64_t rows_per_second) {
  const std::lock_guard lock(mutex_);
  if (limit_ == static_cast<double>(rows_per_second)) return;
  limit_ = static_cast<double>(rows_per_second);
  tokens_ = limit_;
  filled_.reset();
}

Duration RowRate::take(std::uint64_t rows) {
  const std::lock_guard lock(mutex_);
  if (limit_ <= 0) return Duration::zero();
  const SteadyTime now = clock_.steady();
  if (filled_) {
    const double seconds = std::chrono::duration<double>(now - *filled_).count();
    tokens_ = std::min(limit_, tokens_ + seconds * limit_);
  }
  filled_ = now;
  tokens_ -= static_cast<double>(rows);
  if (tokens_ >= 0) return Duration::zero();
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(-tokens_ / limit_));
}

/// One connection as it was configured at some time. A reload that changes it puts another in its
/// place; this one lives until the last lease is over.
struct Connections::Slot {
  ConnectionSettings settings;
  std::optional<ConnectionSettings> primary;
  std::shared_ptr<Connector> connector;
  bool retired = false;
  std::size_t lent = 0;
  std::vector<Idle<Source>> sources;
  std::vector<Idle<Target>> targets;
  std::mutex beside_mutex;
  std::unique_ptr<Target> beside;

  std::size_t idle() const { return sources.size() + targets.size(); }

  template <class Session>
  std::vector<Idle<Session>>& idle_of() {
    if constexpr (std::is_same_v<Session, Source>)
      return sources;
    else
      return targets;
  }
  template <class Session>
  std::unique_ptr<Session> open() {
    if constexpr (std::is_same_v<Session, Source>)
      return connector->open_source();
    else
      return connector->open_target();
  }
};

Connections::Connections(SettingsMap settings, MakeConnector make, const Clock& clock)
    : make_(std::move(make)), clock_(clock) {
  replace(std::move(settings));
}

Connections::~Connections() = default;

std::shared_ptr<Connections::Slot> Connections::make_slot(const ConnectionSettings& settings,
                                                          const SettingsMap& all) const {
  auto slot = std::make_shared<Slot>();
  slot->settings = settings;
  if (settings.primary)
    if (const auto primary = all.find(*settings.primary); primary != all.end())
      slot->primary = primary->second;
  slot->connector = make_(settings, {.clock = &clock_, .primary = slot->primary});
  return slot;
}

void Connections::replace(SettingsMap settings) {
  std::map<ConnectionName, std::shared_ptr<Slot>> before;
  {
    const std::lock_guard lock(mutex_);
    before = slots_;
  }
  std::map<ConnectionName, std::shared_ptr<Slot>> after;
  for (const auto& [name, one] : settings) {
    std::optional<ConnectionSettings> primary;
    if (one.primary && settings.contains(*one.primary)) primary = settings.at(*one.primary);
    const auto old = before.find(name);
    const bool same =
        old != before.end() && old->second->settings == one && old->second->primary == primary;
    after.emplace(name, same ? old->second : make_slot(one, settings));
  }
  // Sessions close outside the lock: saying goodbye to a server takes time.
  std::vector<Idle<Source>> sources;
  std::vector<Idle<Target>> targets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, slot] : slots_) {
      const auto kept = after.find(name);
      if (kept != after.end() && kept->second == slot) continue;
      slot->retired = true;
      std::move(slot->sources.begin(), slot->sources.end(), std::back_inserter(sources));
      std::move(slot->targets.begin(), slot->targets.end(), std::back_inserter(targets));
      slot->sources.clear();
      slot->targets.clear();
    }
    slots_ = std::move(after);
    for (const auto& [name, slot] : slots_) {
      std::unique_ptr<RowRate>& rate = rates_[name];
      if (!rate) rate = std::make_unique<RowRate>(clock_);
      rate->set(slot->settings.max_rows_per_second);
    }
  }
  freed_.notify_all();
}

std::shared_ptr<Connections::Slot> Connections::slot_of(const ConnectionName& name) const {
  const auto at = slots_.find(name);
  if (at != slots_.end()) return at->second;
  refuse(name, "is not configured",
         "Add it under `connections`, or correct the job's name for it.");
}

std::optional<Connections::Places> Connections::room(const Wanted& wanted) const {
  Places places;
  if (wanted.source) places.source = slot_of(*wanted.source);
  if (wanted.target) places.target = slot_of(*wanted.target);
  const std::size_t both = places.source && places.source == places.target ? 2 : 1;
  for (const auto& slot : {places.source, places.target}) {
    if (!slot) continue;
    const std::size_t limit = std::max<std::size_t>(slot->settings.max_connections, both);
    if (slot->lent + both > limit) return std::nullopt;
  }
  return places;
}

std::size_t Connections::waiting_of(const ConnectionName& name) const {
  const auto found = waiting_.find(name);
  return found == waiting_.end() ? 0 : static_cast<std::size_t>(found->second);
}

void Connections::count_waiting(const Wanted& wanted, int by) {
  for (const auto& name : {wanted.source, wanted.target})
    if (name) waiting_[*name] += by;
}

Connections::Sessions Connections::acquire(const Wanted& wanted, const std::stop_token& stop) {
  const SteadyTime asked = clock_.steady();
  std::unique_lock lock(mutex_);
  std::optional<Places> places = room(wanted);
  if (!places) {
    struct Waiting {
      Connections& owner;
      const Wanted& wanted;
      Waiting(Connections& by, const Wanted& what) : owner(by), wanted(what) {
        owner.count_waiting(wanted, 1);
      }
      ~Waiting() { owner.count_waiting(wanted, -1); }
    } waiting(*this, wanted);
    if (!freed_.wait(lock, stop, [&] { return (places = room(wanted)).has_value(); }))
      throw Cancelled();
  }
  if (wait_told_)
    for (const auto& name : {wanted.source, wanted.target})
      if (name) wait_told_(*name, clock_.steady() - asked);
  return lend(wanted, *places, std::move(lock));
}

std::optional<Connections::Sessions> Connections::try_acquire(const Wanted& wanted) {
  std::unique_lock lock(mutex_);
  for (const auto& name : {wanted.source, wanted.target})
    if (name && waiting_[*name] > 0) return std::nullopt;
  const std::optional<Places> places = room(wanted);
  if (!places) return std::nullopt;
  return lend(wanted, *places, std::move(lock));
}

/// Called with the lock, which is given up before a session is opened or closed.
Connections::Sessions Connections::lend(const Wanted& wanted, const Places& places,
                                        std::unique_lock<std::mutex> lock) {
  const auto& [source, target] = places;
  Sessions sessions;
  std::vector<Idle<Source>> closing_sources;
  std::vector<Idle<Target>> closing_targets;
  if (target && target->settings.access == Access::read)
    refuse(*wanted.target, "may only be read",
           "Set `access: write`, or choose another target for the job.");
  const auto give = [&](auto& lease, const std::shared_ptr<Slot>& slot, std::uint64_t preferred) {
    using Session = std::remove_reference_t<decltype(*lease)>;
    using Place = typename Lease<Session>::Place;
    lease.place_ = std::make_unique<Place>(Place{this, slot});
    ++slot->lent;
    auto& idle = slot->template idle_of<Session>();
    auto chosen = std::find_if(idle.begin(), idle.end(), [&](const auto& one) {
      return one.serial == preferred && one.session->usable();
    });
    if (chosen == idle.end() && !idle.empty() && idle.back().session->usable() &&
        clock_.steady() - idle.back().since <= trusted_idle)
      chosen = std::prev(idle.end());
    if (chosen != idle.end()) {
      lease.session_ = std::move(chosen->session);
      lease.serial_ = chosen->serial;
      idle.erase(chosen);
    }
    // Lent and idle together stay within the limit: what is idle of the other kind makes room.
    while (slot->lent + slot->idle() > slot->settings.max_connections && slot->idle() > 0) {
      if (!slot->sources.empty()) {
        closing_sources.push_back(std::move(slot->sources.back()));
        slot->sources.pop_back();
      } else {
        closing_targets.push_back(std::move(slot->targets.back()));
        slot->targets.pop_back();
      }
    }
  };
  if (source) give(sessions.source, source, wanted.source_serial);
  if (target) give(sessions.target, target, wanted.target_serial);
  lock.unlock();
  closing_sources.clear();
  closing_targets.clear();
  if (sessions.source.place_) fill(sessions.source, sessions.source.place_->slot);
  if (sessions.target.place_) fill(sessions.target, sessions.target.place_->slot);
  return sessions;
}

std::uint64_t Connections::newest_serial() noexcept {
  return last_serial;
}

template <class Session>
void Connections::fill(Lease<Session>& lease, const std::shared_ptr<Slot>& slot) {
  while (!lease.session_) {
    std::optional<Idle<Session>> idle;
    {
      const std::lock_guard lock(mutex_);
      auto& all = slot->template idle_of<Session>();
      if (all.empty()) break;
      idle = std::move(all.back());
      all.pop_back();
    }
    try {
      idle->session->now();
      lease.session_ = std::move(idle->session);
      lease.serial_ = idle->serial;
    } catch (const Error&) {
      // It died while it was idle; that is no failure of the run that would have used it.
    }
  }
  if (lease.session_) return;
  lease.session_ = slot->template open<Session>();
  lease.serial_ = next_serial();
}

template <class Session>
void Connections::Lease<Session>::reopen() {
  session_.reset();
  discarded_ = false;
  session_ = place_->slot->template open<Session>();
  serial_ = next_serial();
}

template <class Session>
void Connections::Lease<Session>::give_back() noexcept {
  if (!place_) return;
  const std::unique_ptr<Place> place = std::move(place_);
  Slot& slot = *place->slot;
  const bool broken = session_ && !session_->usable();
  if (broken || discarded_) session_.reset();
  std::vector<Idle<Source>> dead_sources;
  std::vector<Idle<Target>> dead_targets;
  {
    const std::lock_guard lock(place->owner->mutex_);
    --slot.lent;
    if (session_ && !slot.retired)
      slot.template idle_of<Session>().push_back(
          {std::move(session_), serial_, place->owner->clock_.steady()});
    if (broken) {
      // What broke one connection has most likely broken those that lie idle too.
      dead_sources.swap(slot.sources);
      dead_targets.swap(slot.targets);
    }
  }
  place->owner->freed_.notify_all();
  session_.reset();
}

template class Connections::Lease<Source>;
template class Connections::Lease<Target>;

void Connections::beside(const ConnectionName& target, const std::function<void(Target&)>& action) {
  std::shared_ptr<Slot> slot;
  {
    const std::lock_guard lock(mutex_);
    slot = slot_of(target);
  }
  const std::lock_guard lock(slot->beside_mutex);
  if (!slot->beside || !slot->beside->usable()) slot->beside = slot->connector->open_target();
  try {
    action(*slot->beside);
  } catch (...) {
    slot->beside.reset();
    throw;
  }
}

std::shared_ptr<Connector> Connections::connector(const ConnectionName& name) {
  const std::lock_guard lock(mutex_);
  return slot_of(name)->connector;
}

std::optional<ConnectionSettings> Connections::settings(const ConnectionName& name) const {
  const std::lock_guard lock(mutex_);
  const auto at = slots_.find(name);
  if (at == slots_.end()) return std::nullopt;
  return at->second->settings;
}

RowRate& Connections::rate(const ConnectionName& name) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<RowRate>& rate = rates_[name];
  if (!rate) rate = std::make_unique<RowRate>(clock_);
  return *rate;
}

std::vector<ConnectionUse> Connections::use() const {
  const std::lock_guard lock(mutex_);
  std::vector<ConnectionUse> all;
  for (const auto& [name, slot] : slots_)
    all.push_back({.name = name,
                   .type = slot->settings.type,
                   .in_use = slot->lent,
                   .idle = slot->idle(),
                   .limit = slot->settings.max_connections,
                   .waiting = waiting_of(name)});
  return all;
}

void Connections::close_idle() {
  std::vector<std::shared_ptr<Slot>> all;
  std::vector<Idle<Source>> sources;
  std::vector<Idle<Target>> targets;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, slot] : slots_) {
      all.push_back(slot);
      std::move(slot->sources.begin(), slot->sources.end(), std::back_inserter(sources));
      std::move(slot->targets.begin(), slot->targets.end(), std::back_inserter(targets));
      slot->sources.clear();
      slot->targets.clear();
    }
  }
  for (const auto& slot : all) {
    const std::lock_guard lock(slot->beside_mutex);
    slot->beside.reset();
  }
}

}  // namespace tidemark
