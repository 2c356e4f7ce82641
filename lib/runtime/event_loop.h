#pragma once

#include <utility>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "core/ports.h"

namespace tidemark::runtime {

/// The loop: one io_context, run by one thread. Everything that owns a job lives on it.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  boost::asio::io_context& context() noexcept { return context_; }
  /// Runs callbacks until `stop`; the calling thread is the loop's meanwhile.
  void run();
  /// Makes `run` return after the callback under way. Any thread.
  void stop() noexcept;
  /// Whether the caller stands on the loop's thread. True before the first `run`.
  bool on_loop() const noexcept;

  /// How late the loop came to its newest heartbeat: what event_loop_delay_seconds shows. Any
  /// thread. While a callback blocks the loop the value grows.
  Duration delay() const noexcept;

 private:
  struct Heart;
  boost::asio::io_context context_;
  std::unique_ptr<Heart> heart_;
};

/// Timers over an EventLoop's context, on the steady clock. A callback that throws ends the
/// process: loop code does not throw.
class AsioTimers final : public Timers {
 public:
  explicit AsioTimers(EventLoop& loop) : loop_(loop) {}
  std::unique_ptr<TimerHandle> after(Duration delay, std::function<void()> callback) override;
  void post(std::function<void()> callback) override;

 private:
  EventLoop& loop_;
};

}  // namespace tidemark::runtime
