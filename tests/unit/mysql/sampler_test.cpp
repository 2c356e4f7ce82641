// The series of samples that jobs share, over a view of a server that a script plays.
#include "connector/mysql/sampler.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "support/process.h"

using namespace tidemark;
using namespace tidemark::mysql;
using namespace tidemark::test;
using std::chrono::milliseconds;

namespace {

/// A server of which a test says what each look at it finds. Looks can be held until let go.
class Scene {
 public:
  /// Called with the number of the look, from 1; may throw.
  std::function<Look(int)> script = [](int) { return Look{.fresh = true}; };

  OpenView opener() {
    return [this] {
      ++opened_;
      return std::make_unique<View>(*this);
    };
  }
  int looks() const { return looks_; }
  int opened() const { return opened_; }
  void hold() { held_ = true; }
  void let_go() {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
    }
    changed_.notify_all();
  }

 private:
  class View final : public ServerView {
   public:
    explicit View(Scene& scene) : scene_(scene) {}
    Look look() override { return scene_.look(); }
    sql::Result ask(const std::string&) override { return {}; }
    const std::string& identity() const override { return identity_; }
    std::int64_t started() const override { return 1000; }

   private:
    Scene& scene_;
    std::string identity_ = "scene";
  };

  Look look() {
    const int number = ++looks_;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
    lock.unlock();
    Look look = script(number);
    look.first = static_cast<std::uint64_t>(number) * 10;
    look.last = look.first + 5;
    return look;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> held_ = false;
  std::atomic<int> looks_ = 0;
  std::atomic<int> opened_ = 0;
};

/// As fast as it goes: a script needs no rest.
const Sampler::Pace fast{.rest = milliseconds(1),
                         .shortest_retry = milliseconds(1),
                         .longest_retry = milliseconds(2),
                         .looks = 3};
/// So slow that only a cancel or somebody else's look ends a wait.
const Sampler::Pace slow{.rest = std::chrono::hours(1),
                         .shortest_retry = std::chrono::hours(1),
                         .longest_retry = std::chrono::hours(1),
                         .looks = 3};

Error away() {
  return Error({.kind = FailureKind::timeout, .message = "the server is silent"});
}

/// Callers on threads of their own, and how each call ended.
class Callers {
 public:
  explicit Callers(std::size_t count) : callers_(count) {}
  ~Callers() { join(); }
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  void start(const std::function<void(Sampler::Caller&)>& call) {
    for (Sampler::Caller& caller : callers_)
      threads_.emplace_back([this, &caller, call] {
        try {
          call(caller);
          ++served;
        } catch (const Cancelled&) {
          ++cancelled;
        } catch (const Error&) {
          ++failed;
        }
      });
  }
  Sampler::Caller& operator[](std::size_t at) { return callers_[at]; }
  /// All calls have ended: a call that hangs fails the test.
  void finish() {
    wait_until("all callers to be answered",
               [this] { return ended() == static_cast<int>(threads_.size()); });
    join();
  }
  int ended() const { return served + cancelled + failed; }

  std::atomic<int> served = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<int> failed = 0;

 private:
  void join() {
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  std::vector<Sampler::Caller> callers_;
  std::vector<std::thread> threads_;
};

void wait_for_looks(const Scene& scene, int count) {
  wait_until("a look to begin", [&] { return scene.looks() >= count; });
}

}  // namespace

TEST_CASE("a look that is under way does not serve who asks during it", "[unit][mysql][sampler]") {
  Scene scene;
  Sampler sampler(scene.opener(), fast);
  scene.hold();
  Callers first(1);
  std::atomic<std::uint64_t> early = 0;
  first.start([&](Sampler::Caller& caller) { early = sampler.sample(caller)->number; });
  wait_for_looks(scene, 1);
  Callers second(1);
  std::atomic<std::uint64_t> late = 0;
  std::atomic<bool> asking = false;
  second.start([&](Sampler::Caller& caller) {
    asking = true;
    late = sampler.sample(caller)->number;
  });
  wait_until("the second to ask", [&] { return asking.load(); });
  scene.let_go();
  first.finish();
  second.finish();
  CHECK(early == 1);
  // The second may have been on its way to the lock yet: then its look is an even later one.
  CHECK(late >= 2);
}

TEST_CASE("all who wait for the view to rest share the next look", "[unit][mysql][sampler]") {
  Scene scene;
  const Sampler::Pace pace{.rest = milliseconds(300)};
  Sampler sampler(scene.opener(), pace);
  Sampler::Caller caller;
  sampler.sample(caller);
  Callers many(16);
  many.start([&](Sampler::Caller& one) { sampler.sample(one); });
  many.finish();
  CHECK(many.served == 16);
  // Two where a thread was started so late that it missed the first.
  CHECK(scene.looks() <= 3);
}

TEST_CASE("a server that is silent costs all who wait one timeout together",
          "[unit][mysql][sampler]") {
  Scene scene;
  scene.script = [](int) -> Look { throw away(); };
  Sampler sampler(scene.opener(), fast);
  scene.hold();
  Callers first(1);
  first.start([&](Sampler::Caller& caller) { sampler.sample(caller); });
  wait_for_looks(scene, 1);
  Callers more(8);
  more.start([&](Sampler::Caller& caller) { sampler.recent(caller); });
  scene.let_go();
  first.finish();
  more.finish();
  CHECK(first.failed == 1);
  CHECK(more.failed == 8);
  CHECK(scene.looks() <= 9);
  // What failed is over: who asks now gets a look of its own.
  scene.script = [](int) { return Look{.fresh = true}; };
  Sampler::Caller caller;
  CHECK(sampler.recent(caller)->fresh);
  CHECK(sampler.sample(caller)->fresh);
}

TEST_CASE("who waits goes on when the one who was to look is cancelled", "[unit][mysql][sampler]") {
  Scene scene;
  Sampler sampler(scene.opener(), slow);
  Sampler::Caller caller;
  sampler.sample(caller);
  // All of these wait for an hour's rest, one of them to look and the others for it.
  Callers waiting(6);
  std::atomic<int> asking = 0;
  waiting.start([&](Sampler::Caller& one) {
    ++asking;
    sampler.sample(one);
  });
  wait_until("all to ask", [&] { return asking == 6; });
  for (int at = 0; at < 6; ++at) {
    // A cancel before the wait has begun is none.
    wait_until("one more to be cancelled", [&] {
      sampler.cancel(waiting[static_cast<std::size_t>(at)]);
      return waiting.cancelled == at + 1;
    });
    CHECK(waiting.ended() == at + 1);
  }
  waiting.finish();
  CHECK(scene.looks() == 1);
}

TEST_CASE("a cancel ends a wait for somebody else's look, however long that takes",
          "[unit][mysql][sampler]") {
  Scene scene;
  Sampler sampler(scene.opener(), fast);
  scene.hold();
  Callers looking(1);
  looking.start([&](Sampler::Caller& caller) { sampler.sample(caller); });
  wait_for_looks(scene, 1);
  Callers waiting(3);
  std::atomic<int> turn = 0;
  waiting.start([&](Sampler::Caller& caller) {
    switch (turn++) {
      case 0:
        sampler.sample(caller);
        break;
      case 1:
        sampler.ask("SELECT 1", caller);
        break;
      default:
        sampler.server(caller);
    }
  });
  wait_until("all three to be cancelled", [&] {
    for (std::size_t at = 0; at < 3; ++at)
      sampler.cancel(waiting[at]);
    return waiting.cancelled == 3;
  });
  CHECK(looking.ended() == 0);
  scene.let_go();
  looking.finish();
  CHECK(looking.served == 1);
}

TEST_CASE("a session that was closed is opened again, once", "[unit][mysql][sampler]") {
  Scene scene;
  Sampler sampler(scene.opener(), fast);
  Sampler::Caller caller;
  sampler.sample(caller);
  CHECK(scene.opened() == 1);
  const auto lost = Error({.kind = FailureKind::connect, .message = "the connection is gone"});
  scene.script = [&](int number) {
    if (number == 2) throw lost;
    return Look{.fresh = true};
  };
  CHECK(sampler.sample(caller)->fresh);
  CHECK(scene.opened() == 2);
  scene.script = [&](int) -> Look { throw lost; };
  CHECK_THROWS_AS(sampler.sample(caller), Error);
  CHECK(scene.opened() == 3);
  CHECK(scene.looks() == 5);
}

TEST_CASE("a view that stays frozen is called so to all who wait", "[unit][mysql][sampler]") {
  Scene scene;
  scene.script = [](int) { return Look{}; };
  Sampler sampler(scene.opener(), fast);
  Sampler::Caller caller;
  CHECK_FALSE(sampler.sample(caller)->fresh);
  CHECK(scene.looks() == fast.looks);
  scene.script = [](int number) { return Look{.fresh = number == fast.looks + 2}; };
  const SharedSample sample = sampler.sample(caller);
  CHECK(sample->fresh);
  CHECK(scene.looks() == fast.looks + 2);
}

TEST_CASE("while the view must rest, the newest sample is the answer", "[unit][mysql][sampler]") {
  Scene scene;
  Sampler sampler(scene.opener(), slow);
  Sampler::Caller caller;
  const SharedSample first = sampler.sample(caller);
  for (int asked = 0; asked < 100; ++asked)
    CHECK(sampler.recent(caller) == first);
  CHECK(scene.looks() == 1);
  CHECK(sampler.server(caller) == "scene@1000");
}

TEST_CASE("sessions of our own are left out of a sample", "[unit][mysql][sampler]") {
  Scene scene;
  scene.script = [](int) {
    Look look{.fresh = true};
    look.work.threads = {{.id = 7, .busy = true, .user = "u"},
                         {.id = 8, .busy = true, .user = "u"}};
    look.work.transactions = {{.thread = 7, .id = 70}, {.thread = 8, .id = 80}};
    return look;
  };
  Sampler sampler(scene.opener(), fast);
  sampler.leave_out(7);
  Sampler::Caller caller;
  CHECK(blockers_of(sampler.sample(caller)->work).size() == 1);
  sampler.take_in(7);
  CHECK(blockers_of(sampler.sample(caller)->work).size() == 2);
}

TEST_CASE("nobody hangs, whatever comes together", "[unit][mysql][sampler]") {
  Scene scene;
  scene.script = [](int number) {
    if (number % 7 == 0)
      throw Error({.kind = number % 2 == 0 ? FailureKind::connect : FailureKind::timeout,
                   .message = "the server is away"});
    return Look{.fresh = number % 3 != 0};
  };
  Sampler sampler(scene.opener(), fast);
  constexpr std::size_t callers = 8;
  Callers many(callers);
  std::atomic<unsigned> kinds = 0;
  std::atomic<bool> backwards = false;
  many.start([&](Sampler::Caller& caller) {
    const unsigned kind = kinds++;
    std::uint64_t newest = 0;
    for (int call = 0; call < 200; ++call) {
      try {
        const bool anew = (kind + static_cast<unsigned>(call)) % 2 == 0;
        const SharedSample sample = anew ? sampler.sample(caller) : sampler.recent(caller);
        // The series only goes forward, for each who follows it.
        if (sample->number < newest) backwards = true;
        newest = sample->number;
        if (call % 16 == 0) sampler.ask("SELECT 1", caller);
      } catch (const Cancelled&) {
      } catch (const Error&) {
      }
    }
  });
  while (many.ended() < static_cast<int>(callers))
    for (std::size_t at = 0; at < callers; ++at)
      sampler.cancel(many[at]);
  many.finish();
  CHECK(many.served == static_cast<int>(callers));
  CHECK_FALSE(backwards);
}
