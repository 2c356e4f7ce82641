#include "connector/postgres/watchdog.h"

#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>

namespace tidemark::postgres {
namespace {

using std::chrono::steady_clock;

/// From asking the server to cancel until its silence is taken for the end of the connection.
constexpr std::chrono::milliseconds cancel_grace{1500};

std::string text_or_empty(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

Watch::Watch(PGconn* connection, Duration stall_timeout)
    : cancel_(PQgetCancel(connection)),
      socket_(PQsocket(connection)),
      host_(text_or_empty(PQhost(connection))),
      address_(text_or_empty(PQhostaddr(connection))),
      port_(text_or_empty(PQport(connection))),
      stall_timeout_(stall_timeout) {}

Watch::~Watch() {
  PQfreeCancel(cancel_);
}

void Watch::begin() {
  const std::scoped_lock lock(mutex_);
  progress();
  verdict_ = Verdict::none;
  stage_ = Stage::watching;
  running_ = true;
}

void Watch::progress() noexcept {
  // Called for each row: the coarse clock is good enough, to some milliseconds.
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  const auto since = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  last_progress_.store(steady_clock::duration(since).count(), std::memory_order_relaxed);
}

Watch::Verdict Watch::end() {
  // Waits for a cancel request under way: one that arrived after the call's end would hit the next.
  const std::scoped_lock lock(mutex_);
  running_ = false;
  return verdict_;
}

void Watch::ask() noexcept {
  const bool by_path = host_.starts_with('/');
  const std::array<const char*, 7> keywords{"host",    "port",       "connect_timeout",
                                            "sslmode", "gssencmode", by_path ? nullptr : "hostaddr",
                                            nullptr};
  const std::array<const char*, 7> values{
      host_.c_str(), port_.c_str(), "2", "disable", "disable", by_path ? nullptr : address_.c_str(),
      nullptr};
  const PGPing ping = PQpingParams(keywords.data(), values.data(), 0);
  std::array<char, 256> message{};
  if (cancel_ == nullptr || (ping != PQPING_OK && ping != PQPING_REJECT) ||
      PQcancel(cancel_, message.data(), static_cast<int>(message.size())) == 0) {
    ::shutdown(socket_, SHUT_RDWR);
    stage_ = Stage::cut;
    return;
  }
  stage_ = Stage::asked;
  asked_at_ = steady_clock::now();
}

void Watch::cancel() noexcept {
  const std::scoped_lock lock(mutex_);
  if (!running_) return;
  verdict_ = Verdict::cancelled;
  if (stage_ == Stage::watching) ask();
}

void Watch::interrupt() noexcept {
  const std::scoped_lock lock(mutex_);
  if (running_ && stage_ == Stage::watching) ask();
}

Watch::Time Watch::deadline() {
  const std::scoped_lock lock(mutex_);
  const bool quiet = !running_ || (silence_expected_ && stage_ == Stage::watching);
  if (quiet) return steady_clock::now() + stall_timeout_;
  if (stage_ == Stage::cut) return Time::max();
  if (stage_ == Stage::asked) return asked_at_ + cancel_grace;
  return Time(steady_clock::duration(last_progress_.load(std::memory_order_relaxed))) +
         stall_timeout_;
}

void Watch::look(Time now) {
  const std::scoped_lock lock(mutex_);
  if (!running_ || stage_ == Stage::cut) return;
  if (stage_ == Stage::asked) {
    if (now < asked_at_ + cancel_grace) return;
    ::shutdown(socket_, SHUT_RDWR);
    stage_ = Stage::cut;
    return;
  }
  if (silence_expected_) return;
  const Time last(steady_clock::duration(last_progress_.load(std::memory_order_relaxed)));
  if (now < last + stall_timeout_) return;
  verdict_ = Verdict::stalled;
  ask();
}

Watchdog::~Watchdog() {
  thread_.request_stop();
  changed_.notify_all();
}

void Watchdog::add(const std::shared_ptr<Watch>& watch) {
  const std::scoped_lock lock(mutex_);
  watches_.push_back(watch);
  if (!thread_.joinable())
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  woken_ = true;
  changed_.notify_all();
}

void Watchdog::remove(const std::shared_ptr<Watch>& watch) {
  const std::scoped_lock lock(mutex_);
  std::erase(watches_, watch);
}

void Watchdog::wake() noexcept {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void Watchdog::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    // Looking may take as long as a ping, so it is done on a copy and without the lock: a session
    // that closes meanwhile keeps its Watch alive through the copy.
    const std::vector<std::shared_ptr<Watch>> watches = watches_;
    woken_ = false;
    lock.unlock();
    auto next = steady_clock::time_point::max();
    for (const auto& watch : watches) {
      watch->look(steady_clock::now());
      next = std::min(next, watch->deadline());
    }
    lock.lock();
    const auto due = [&] { return woken_; };
    if (next == steady_clock::time_point::max())
      changed_.wait(lock, stop, due);
    else
      changed_.wait_until(lock, stop, next, due);
  }
}

}  // namespace tidemark::postgres
