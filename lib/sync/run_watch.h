#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/ports.h"

namespace tidemark {

class RunGuard;

/// Starts the threads of guards whose runs last. Most polls are over before they need one, and to
/// start and end a thread takes as much CPU as a poll's queries, and a heap for each that lives at
/// the same time. One for all runs of a process; any thread.
class RunWatch {
  struct Watched {
    RunGuard& guard;
    std::chrono::steady_clock::time_point since;
    bool urgent = false;
    bool started = false;
  };

 public:
  /// A run that has lasted for `patience` has its guard's thread started: nothing that a guard does
  /// by itself is due sooner.
  explicit RunWatch(Duration patience = std::chrono::milliseconds(100));
  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;

  /// Watches a guard as long as this lives; afterwards its thread won't be started.
  class Entry {
   public:
    /// `watch` may be nullptr: then nothing is.
    Entry(RunWatch* watch, RunGuard& guard);
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    /// The guard has something to do now.
    void attend() noexcept;

   private:
    RunWatch* watch_;
    std::list<Watched>::iterator place_;
  };

 private:
  void work(const std::stop_token& over);
  void start_due();

  const Duration patience_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Watched> watched_;
  std::size_t waiting_ = 0;    // without a thread
  std::uint64_t entered_ = 0;  // ever
  bool idle_ = false;          // the thread waits for an entry
  bool urgent_ = false;
  std::jthread thread_;  // last: starts when all else is there
};

}  // namespace tidemark
