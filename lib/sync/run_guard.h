#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/ports.h"
#include "core/source.h"
#include "core/target.h"
#include "sync/run_watch.h"

namespace tidemark {

/// Watches one run: carries a wish to stop to the databases, renews the lease while the run is
/// busy, and ends a run that makes no progress. For that it gets a thread of its own when the run
/// lasts or is to stop (RunWatch), which is gone when the guard is destroyed. Methods are for the
/// run's thread, `sleep` and `stopping` for both of its threads.
class RunGuard {
 public:
  struct Ports {
    const Clock& clock;
    std::stop_token stop;   ///< end after the batch in flight
    std::stop_token abort;  ///< end at once
    Duration stall_timeout{};
    Duration lease{};
    /// Renews the lease; an Error with code "fenced" ends the run, others are tried again.
    std::function<void()> renew = {};
    RunWatch* watch = nullptr;  ///< none: only stop and abort are heeded (RunLimits::threads)
  };
  explicit RunGuard(Ports ports);
  RunGuard(const RunGuard&) = delete;
  RunGuard& operator=(const RunGuard&) = delete;

  /// What to cancel; nullptr: nothing any more. Both outlive the guard, or are taken back here.
  void watch(Source* source);
  void watch(Target* target);
  /// A further pair of the run's, used by another of its threads, until `unwatch`.
  void watch_beside(Source* source, Target* target);
  void unwatch(Source* source, Target* target);
  /// From now on the lease is held and must be kept.
  void keep_lease();
  /// A batch was written: not stalled. After a commit the lease is new too.
  void progress(bool committed);
  /// For as long as it lives, the run is not stalled: the database works on something long, of
  /// which nothing is heard until it is done.
  class Patience {
   public:
    explicit Patience(RunGuard& guard) : guard_(guard) { guard_.wait_patiently(true); }
    ~Patience() { guard_.wait_patiently(false); }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

   private:
    RunGuard& guard_;
  };
  /// The writing side failed: the reading side is to end.
  void end_reading() noexcept;
  /// The next read may begin: undoes `end_reading`.
  void begin_reading();

  /// Asked to end soon, for whatever reason: nothing new is begun.
  bool stopping() const noexcept;
  /// Asked to end, or to stop reading: for waits of the reading side.
  std::stop_token token() const;
  /// Waits unless asked to end; false then.
  bool sleep(Duration length);
  /// A cancel was sent to the sessions: they are not fit for another run.
  bool cancelled_sessions() const noexcept;
  /// Why the run was ended by the guard itself: stalled or fenced.
  std::optional<Error> verdict() const;

 private:
  friend class RunWatch;
  void start();
  void wait_patiently(bool patient);
  void work(const std::stop_token& over);
  Duration next_look() const;
  void end(const std::optional<Error>& why);
  void cancel_sessions(bool target_too);
  void look(std::unique_lock<std::mutex>& lock);
  void renew_lease(std::unique_lock<std::mutex>& lock);

  Ports ports_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::stop_source ending_;   // the run's end was asked for
  std::stop_source reading_;  // that of the reading side, or the run's
  bool lease_held_ = false;
  SteadyTime progressed_;
  bool patient_ = false;
  SteadyTime renewed_;
  std::optional<Error> verdict_;
  mutable std::mutex sessions_mutex_;  // never with mutex_: a cancel may take its time
  Source* source_ = nullptr;
  Target* target_ = nullptr;
  std::vector<std::pair<Source*, Target*>> beside_;
  bool cancelled_ = false;
  // In this order: no callback is under way when the entry goes, and without it no thread starts.
  std::jthread thread_;
  RunWatch::Entry watched_;
  std::stop_callback<std::function<void()>> on_stop_;
  std::stop_callback<std::function<void()>> on_abort_;
};

}  // namespace tidemark
