#include "runtime/event_loop.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

using namespace tidemark;
using namespace std::chrono_literals;
using runtime::AsioTimers;
using runtime::EventLoop;

TEST_CASE("timers fire in the order of their times, not of their making", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  std::vector<int> order;
  auto third = timers.after(30ms, [&] {
    order.push_back(3);
    loop.stop();
  });
  auto first = timers.after(1ms, [&] { order.push_back(1); });
  auto second = timers.after(15ms, [&] { order.push_back(2); });
  auto at_once = timers.after(-5s, [&] { order.push_back(0); });
  loop.run();
  CHECK(order == std::vector<int>{0, 1, 2, 3});
}

TEST_CASE("a timer whose handle is gone never fires, even if it was due already", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  bool fired = false;
  // Both are due in the same turn of the loop: the first one destroys the second one's handle.
  std::unique_ptr<TimerHandle> second;
  auto first = timers.after(0ms, [&] { second.reset(); });
  second = timers.after(0ms, [&] { fired = true; });
  std::this_thread::sleep_for(2ms);
  auto end = timers.after(20ms, [&] { loop.stop(); });
  loop.run();
  CHECK_FALSE(fired);
}

TEST_CASE("a callback may destroy its own handle", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  std::unique_ptr<TimerHandle> handle;
  auto witness = std::make_shared<int>(0);
  handle = timers.after(0ms, [&, witness] {
    handle.reset();
    *witness = 7;
    loop.stop();
  });
  loop.run();
  CHECK(*witness == 7);
}

TEST_CASE("what other threads post runs on the loop, in their order", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  std::vector<int> seen;
  std::thread::id where;
  std::thread poster([&] {
    for (int number = 0; number < 1000; ++number)
      timers.post([&seen, number] { seen.push_back(number); });
    timers.post([&] {
      where = std::this_thread::get_id();
      loop.stop();
    });
  });
  loop.run();
  poster.join();
  CHECK(seen.size() == 1000);
  CHECK(std::is_sorted(seen.begin(), seen.end()));
  CHECK(where == std::this_thread::get_id());
}

TEST_CASE("the loop knows its own thread", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  CHECK(loop.on_loop());
  bool inside = false;
  bool outside = true;
  timers.post([&] {
    inside = loop.on_loop();
    std::thread([&] { outside = loop.on_loop(); }).join();
    loop.stop();
  });
  loop.run();
  CHECK(inside);
  CHECK_FALSE(outside);
  CHECK(loop.on_loop());
}

TEST_CASE("a blocked loop shows as delay while it lasts, and after", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  CHECK(loop.delay() == Duration::zero());
  Duration seen_outside{};
  timers.post([&] {
    std::thread([&] {
      const auto deadline = std::chrono::steady_clock::now() + 10s;
      while (loop.delay() < 200ms && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(5ms);
      seen_outside = loop.delay();
    }).join();
  });
  auto end = timers.after(50ms, [&] { loop.stop(); });
  loop.run();
  CHECK(seen_outside >= 200ms);
}

TEST_CASE("a loop that was stopped can run again", "[runtime]") {
  EventLoop loop;
  AsioTimers timers(loop);
  int runs = 0;
  for (int round = 0; round < 3; ++round) {
    timers.post([&] {
      ++runs;
      loop.stop();
    });
    loop.run();
  }
  CHECK(runs == 3);
}
