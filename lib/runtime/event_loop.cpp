#include "runtime/event_loop.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

namespace tidemark::runtime {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

constexpr Duration heartbeat = std::chrono::milliseconds(500);

std::int64_t steady_micros() {
  return std::chrono::duration_cast<Duration>(Steady::now().time_since_epoch()).count();
}

}  // namespace

/// Beats on the loop; when a beat is late, something blocks it.
struct EventLoop::Heart {
  explicit Heart(asio::io_context& context) : work(context.get_executor()), timer(context) {}

  void beat() {
    const std::int64_t now = steady_micros();
    if (expected != 0) newest_delay = std::max<std::int64_t>(0, now - expected);
    expected = now + heartbeat.count();
    timer.expires_after(heartbeat);
    timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) beat();
    });
  }

  asio::executor_work_guard<asio::io_context::executor_type> work;
  asio::steady_timer timer;
  std::atomic<std::int64_t> expected{0};  // steady microseconds; 0: the loop does not run
  std::atomic<std::int64_t> newest_delay{0};
  std::atomic<std::thread::id> thread{};
};

EventLoop::EventLoop() : heart_(std::make_unique<Heart>(context_)) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  heart_->thread = std::this_thread::get_id();
  context_.restart();
  heart_->beat();
  context_.run();
  heart_->timer.cancel();
  heart_->expected = 0;
  heart_->thread = std::thread::id{};
}

void EventLoop::stop() noexcept {
  context_.stop();
}

bool EventLoop::on_loop() const noexcept {
  const std::thread::id owner = heart_->thread;
  return owner == std::thread::id{} || owner == std::this_thread::get_id();
}

Duration EventLoop::delay() const noexcept {
  const std::int64_t expected = heart_->expected;
  const std::int64_t overdue = expected == 0 ? 0 : steady_micros() - expected;
  return Duration{std::max<std::int64_t>(heart_->newest_delay, overdue)};
}

namespace {

/// Asio may have queued the handler already when a timer is cancelled; `alive` keeps the promise
/// that a destroyed handle's callback never runs.
class AsioTimer final : public TimerHandle {
 public:
  AsioTimer(asio::io_context& context, Duration delay, std::function<void()> callback)
      : timer_(context, delay), alive_(std::make_shared<bool>(true)) {
    timer_.async_wait([alive = std::weak_ptr(alive_),
                       callback = std::move(callback)](const boost::system::error_code& error) {
      if (!error && !alive.expired()) callback();
    });
  }

 private:
  asio::steady_timer timer_;
  std::shared_ptr<bool> alive_;
};

}  // namespace

std::unique_ptr<TimerHandle> AsioTimers::after(Duration delay, std::function<void()> callback) {
  return std::make_unique<AsioTimer>(loop_.context(), std::max(delay, Duration::zero()),
                                     std::move(callback));
}

void AsioTimers::post(std::function<void()> callback) {
  asio::post(loop_.context(), std::move(callback));
}

}  // namespace tidemark::runtime
