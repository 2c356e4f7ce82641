// Sessions are lent within limits, reused while they live, and replaced by a reload.
#include <catch2/catch.hpp>
#include <future>

#include "bench.h"
#include "support/process.h"

using namespace tidemark;
using namespace tidemark::test;
using std::chrono::seconds;

namespace {

const ConnectionName from{"from"};
const ConnectionName to{"to"};

ConnectionSettings settings_of(const ConnectionName& name, std::uint32_t limit) {
  ConnectionSettings settings;
  settings.name = name;
  settings.type = "memory";
  settings.database = "connections/" + name.text;
  settings.max_connections = limit;
  return settings;
}

struct Pool {
  explicit Pool(std::uint32_t limit = 2)
      : connections(
            {{from, settings_of(from, limit)}, {to, settings_of(to, limit)}},
            [](const ConnectionSettings& settings, const ConnectorContext& context) {
              return memory_connector().make(settings, context);
            },
            clock) {}
  std::size_t open(const ConnectionName& name) const {
    return memory::Database::named("connections/" + name.text)->open_sessions();
  }
  ConnectionUse use(const ConnectionName& name) const {
    for (const ConnectionUse& use : connections.use())
      if (use.name == name) return use;
    return {};
  }
  StillClock clock;
  Connections connections;
};

}  // namespace

TEST_CASE("a session that comes back is lent again", "[sync][connections]") {
  Pool pool;
  const Source* first = nullptr;
  {
    const auto sessions = pool.connections.acquire({.source = from, .target = to}, {});
    first = &*sessions.source;
    CHECK(pool.use(from).in_use == 1);
  }
  CHECK(pool.use(from).in_use == 0);
  CHECK(pool.use(from).idle == 1);
  const auto again = pool.connections.acquire({.source = from}, {});
  CHECK(&*again.source == first);
  CHECK(pool.open(from) == 1);
}

TEST_CASE("a broken session is closed, and so are those that lie idle beside it",
          "[sync][connections]") {
  Pool pool;
  {
    const auto one = pool.connections.acquire({.source = from}, {});
    const auto two = pool.connections.acquire({.source = from}, {});
  }
  CHECK(pool.use(from).idle == 2);
  {
    const auto sessions = pool.connections.acquire({.source = from}, {});
    memory::Database::named("connections/from")->kill_sessions();
    CHECK_THROWS_AS(sessions.source->now(), Error);
  }
  CHECK(pool.use(from).idle == 0);
  CHECK(pool.open(from) == 0);
}

TEST_CASE("a session that died while it was idle is replaced without a word",
          "[sync][connections]") {
  Pool pool;
  { const auto sessions = pool.connections.acquire({.source = from}, {}); }
  memory::Database::named("connections/from")->kill_sessions();
  pool.clock.advance(seconds(30));
  const auto sessions = pool.connections.acquire({.source = from}, {});
  CHECK_NOTHROW(sessions.source->now());
}

TEST_CASE("the limit counts lent and idle sessions of both kinds", "[sync][connections]") {
  Pool pool;
  { const auto one = pool.connections.acquire({.source = from, .target = from}, {}); }
  CHECK(pool.open(from) == 2);
  const auto first = pool.connections.acquire({.source = from}, {});
  const auto second = pool.connections.acquire({.source = from}, {});
  CHECK(pool.open(from) == 2);

  std::stop_source stop;
  std::future<bool> third = std::async(std::launch::async, [&] {
    try {
      pool.connections.acquire({.source = from}, stop.get_token());
      return true;
    } catch (const Cancelled&) {
      return false;
    }
  });
  stop.request_stop();
  CHECK_FALSE(third.get());
}

TEST_CASE("whoever waits gets what comes back", "[sync][connections]") {
  Pool pool(1);
  auto held = std::make_unique<Connections::Sessions>(
      pool.connections.acquire({.source = from, .target = to}, {}));
  std::future<void> other = std::async(std::launch::async, [&] {
    const auto sessions = pool.connections.acquire({.source = from, .target = to}, {});
    sessions.source->now();
  });
  held.reset();
  other.get();
  // A job with one connection on both sides needs two sessions whatever the limit says.
  CHECK_NOTHROW(pool.connections.acquire({.source = from, .target = from}, {}));
}

TEST_CASE("an open that fails leaves no place taken", "[sync][connections]") {
  Pool pool(1);
  memory::Fault fault = lost_connection(memory::Operation::connect);
  memory::Database::named("connections/to")->inject(fault);
  CHECK_THROWS_AS(pool.connections.acquire({.source = from, .target = to}, {}), Error);
  CHECK(pool.use(from).in_use == 0);
  CHECK(pool.use(to).in_use == 0);
  CHECK_NOTHROW(pool.connections.acquire({.source = from, .target = to}, {}));
}

TEST_CASE("a reload changes what is lent next, not what is lent", "[sync][connections]") {
  Pool pool;
  {
    const auto held = pool.connections.acquire({.source = from}, {});
    ConnectionSettings changed = settings_of(from, 5);
    pool.connections.replace({{from, changed}, {to, settings_of(to, 2)}});
    CHECK_NOTHROW(held.source->now());
    CHECK(pool.use(from).limit == 5);
    CHECK(pool.use(from).in_use == 0);
  }
  CHECK(pool.use(from).idle == 0);
  CHECK(pool.open(from) == 0);
  pool.connections.replace({{from, settings_of(from, 5)}});
  CHECK_THROWS_AS(pool.connections.acquire({.target = to}, {}), Error);
  CHECK_FALSE(pool.connections.settings(to));
}

TEST_CASE("a connection that may only be read is no target", "[sync][connections]") {
  Pool pool;
  ConnectionSettings settings = settings_of(to, 2);
  settings.access = Access::read;
  pool.connections.replace({{from, settings_of(from, 2)}, {to, settings}});
  CHECK_THROWS_WITH(pool.connections.acquire({.target = to}, {}),
                    Catch::Matchers::Contains("may only be read"));
  CHECK_NOTHROW(pool.connections.acquire({.source = to}, {}));
}

TEST_CASE("who could do with more sessions gets them at once or not, and after those that wait",
          "[sync][connections]") {
  Pool pool(2);
  const auto first = pool.connections.acquire({.source = from, .target = to}, {});
  auto second = pool.connections.try_acquire({.source = from, .target = to});
  REQUIRE(second);
  CHECK_FALSE(pool.connections.try_acquire({.source = from, .target = to}));
  // Wants two of one connection, so that the one that comes free does not do.
  std::stop_source stop;
  auto waiting = std::async(std::launch::async, [&] {
    try {
      pool.connections.acquire({.source = from, .target = from}, stop.get_token());
      return true;
    } catch (const Cancelled&) {
      return false;
    }
  });
  second.reset();
  // There is room for one, but somebody waits for more: until then it may be had.
  wait_until("the other to wait",
             [&] { return !pool.connections.try_acquire({.source = from, .target = to}); });
  CHECK(pool.connections.try_acquire({.target = to}));
  stop.request_stop();
  CHECK_FALSE(waiting.get());
  CHECK(pool.connections.try_acquire({.source = from, .target = to}));
}

TEST_CASE("short statements beside a run have a session of their own", "[sync][connections]") {
  Pool pool(1);
  const auto held = pool.connections.acquire({.target = to}, {});
  pool.connections.beside(to, [](Target& target) { target.now(); });
  CHECK(pool.open(to) == 2);
  memory::Database::named("connections/to")->kill_sessions();
  CHECK_THROWS_AS(pool.connections.beside(to,
                                          [](Target& target) {
                                            target.now();
                                            throw Cancelled();
                                          }),
                  Cancelled);
  CHECK_NOTHROW(pool.connections.beside(to, [](Target& target) { target.now(); }));
  pool.connections.close_idle();
}

TEST_CASE("rows a second are a bucket that holds one second", "[sync][connections]") {
  StillClock clock;
  RowRate rate(clock);
  CHECK(rate.take(1'000'000) == Duration::zero());
  rate.set(1000);
  CHECK(rate.take(1000) == Duration::zero());
  CHECK(rate.take(500) == Duration(500'000));
  clock.advance(Duration(500'000));
  CHECK(rate.take(100) == Duration(100'000));
  clock.advance(seconds(60));
  CHECK(rate.take(1000) == Duration::zero());
}

TEST_CASE("memory is lent up to its limit and comes back", "[sync][memory]") {
  MemoryBudget budget(100);
  MemoryBudget::Room room;
  REQUIRE(budget.try_take(60, room));
  MemoryBudget::Room other;
  CHECK_FALSE(budget.try_take(50, other));
  std::future<Bytes> waiting = std::async(std::launch::async, [&] {
    return budget.take(1000, {}).bytes();  // more than all counts as all
  });
  room.resize(150);
  CHECK(budget.used() == 150);
  room.release();
  CHECK(waiting.get() == 100);
  CHECK(budget.used() == 0);

  REQUIRE(budget.try_take(100, room));
  std::stop_source stop;
  std::future<bool> cancelled = std::async(std::launch::async, [&] {
    try {
      budget.take(1, stop.get_token());
      return false;
    } catch (const Cancelled&) {
      return true;
    }
  });
  stop.request_stop();
  CHECK(cancelled.get());
}
