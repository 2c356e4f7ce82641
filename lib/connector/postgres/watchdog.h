#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/ports.h"

namespace tidemark::postgres {

/// How a blocking call on one session may be ended from outside. libpq and libpqxx block in the
/// socket; what wakes them is an answer of the server (after a cancel request) or the end of the
/// socket. A cancel request goes only to a server that answers a ping, because PQcancel waits for
/// the server without any limit.
///
/// One thread makes calls (begin, progress, end); any thread may cancel; the Watchdog looks.
class Watch {
 public:
  /// Why the call that just ended was ended, if it was.
  enum class Verdict { none, cancelled, stalled };

  Watch(PGconn* connection, Duration stall_timeout);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void begin();
  /// Bytes came or went.
  void progress() noexcept;
  /// Whether silence is to be expected of the calls to come: then none of them stalls.
  void expect_silence(bool expected) noexcept { silence_expected_ = expected; }
  Verdict end();

  void cancel() noexcept;
  /// The owner's own wish to stop a stream; no verdict follows from it.
  void interrupt() noexcept;

  /// The moment this watch next needs looking at. A call that begins later can't be due earlier.
  std::chrono::steady_clock::time_point deadline();
  /// Asks a stalled call to end, then ends its socket.
  void look(std::chrono::steady_clock::time_point now);

 private:
  enum class Stage { watching, asked, cut };
  using Time = std::chrono::steady_clock::time_point;

  void ask() noexcept;

  PGcancel* cancel_;
  int socket_;
  std::string host_;
  std::string address_;
  std::string port_;
  Duration stall_timeout_;
  std::atomic<std::int64_t> last_progress_{0};
  std::atomic<bool> silence_expected_{false};
  std::mutex mutex_;
  bool running_ = false;
  Verdict verdict_ = Verdict::none;
  Stage stage_ = Stage::watching;
  Time asked_at_{};
};

/// One thread for all sessions of a connector, started with the first of them.
class Watchdog {
 public:
  Watchdog() = default;
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  void add(const std::shared_ptr<Watch>& watch);
  void remove(const std::shared_ptr<Watch>& watch);
  /// A cancel was asked for: its deadline may be earlier than all others.
  void wake() noexcept;

 private:
  void run(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool woken_ = false;
  std::vector<std::shared_ptr<Watch>> watches_;
  std::jthread thread_;
};

}  // namespace tidemark::postgres
