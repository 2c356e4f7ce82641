#include "runtime/worker_pool.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <set>
#include <thread>

#include "runtime/system.h"

using namespace tidemark;
using namespace std::chrono_literals;
using runtime::WorkerPool;

TEST_CASE("a pool runs as many tasks at a time as it has threads, and no more", "[runtime]") {
  constexpr int threads = 3;
  constexpr int tasks = 12;
  WorkerPool pool(threads);
  CHECK(pool.size() == threads);
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0;
  int most = 0;
  int done = 0;
  bool open = false;
  for (int task = 0; task < tasks; ++task)
    pool.submit([&] {
      std::unique_lock lock(mutex);
      most = std::max(most, ++running);
      changed.notify_all();
      changed.wait_for(lock, 30s, [&] { return open; });
      --running;
      ++done;
      changed.notify_all();
    });
  std::unique_lock lock(mutex);
  REQUIRE(changed.wait_for(lock, 30s, [&] { return running == threads; }));
  CHECK(pool.busy() == threads);
  CHECK(done == 0);
  open = true;
  changed.notify_all();
  REQUIRE(changed.wait_for(lock, 30s, [&] { return done == tasks; }));
  CHECK(most == threads);
}

TEST_CASE("each thread is prepared before its first task and wound up at the end", "[runtime]") {
  std::atomic<int> started{0};
  std::atomic<int> stopped{0};
  thread_local bool prepared = false;
  std::promise<bool> was_prepared;
  {
    WorkerPool pool(2, {.on_start =
                            [&] {
                              prepared = true;
                              ++started;
                            },
                        .on_stop = [&] { ++stopped; }});
    pool.submit([&] { was_prepared.set_value(prepared); });
    CHECK(was_prepared.get_future().get());
    CHECK(stopped == 0);
  }
  CHECK(started == 2);
  CHECK(stopped == 2);
  CHECK_FALSE(prepared);
}

TEST_CASE("joining finishes what runs and drops what waits", "[runtime]") {
  std::atomic<bool> first_ended{false};
  std::atomic<bool> second_ran{false};
  const auto held = std::make_shared<int>(1);
  std::promise<void> running;
  std::promise<void> gate;
  WorkerPool pool(1);
  pool.submit([&] {
    running.set_value();
    gate.get_future().wait();
    first_ended = true;
  });
  pool.submit([&, held] { second_ran = true; });
  running.get_future().wait();
  std::thread joiner([&] { pool.join(); });
  // The waiting task is dropped at once, together with what it holds.
  while (held.use_count() > 1)
    std::this_thread::yield();
  gate.set_value();
  joiner.join();
  CHECK(first_ended);
  CHECK_FALSE(second_ran);
  pool.submit([&] { second_ran = true; });
  CHECK_FALSE(second_ran);
}

TEST_CASE("the system's clocks move and its randomness differs", "[runtime]") {
  const runtime::SystemClock clock;
  const SteadyTime before = clock.steady();
  CHECK(clock.steady() >= before);
  CHECK(clock.now() > WallTime{std::chrono::hours{24 * 365 * 50}});
  runtime::SystemRandom one;
  runtime::SystemRandom other;
  std::set<std::uint64_t> seen;
  for (int draw = 0; draw < 100; ++draw) {
    seen.insert(one.next());
    seen.insert(other.next());
    const double share = one.uniform();
    CHECK(share >= 0);
    CHECK(share < 1);
  }
  CHECK(seen.size() == 200);
}
