#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>

#include "connector/mysql/server_view.h"
#include "core/error.h"

namespace tidemark::mysql {

/// A look that all jobs of a server share.
struct Sample : Look {
  std::uint64_t number = 0;  ///< of the look within its sampler
  std::string server = {};   ///< as Sampler::server
  std::chrono::steady_clock::time_point begun{};
};
using SharedSample = std::shared_ptr<const Sample>;

/// The one series of samples of a server, for all jobs of a connection: the drain with canary
/// (docs/horizon.md). Any sample that began after a token's own was over may judge that token, so
/// callers share what is there and a token needs no sample of its own but the first.
///
/// There is no thread of its own: one of the callers takes the sample while the others wait for it.
/// The mutex is never held over a statement or a pause, and who waits for somebody else's sample is
/// told of its failure, too, so that a server that is silent costs all of them one timeout together
/// and not one each. Any thread.
class Sampler {
 public:
  /// How often a server is looked at.
  struct Pace {
    /// InnoDB renews the view when nobody read it for 100 ms; a little more, for the server's
    /// clock.
    std::chrono::milliseconds rest{106};
    /// After a look at a view that somebody else keeps from being renewed. Not the same each time:
    /// two samplers of one server that fell into step would freeze it for each other.
    std::chrono::milliseconds shortest_retry{130};
    std::chrono::milliseconds longest_retry{230};
    int looks = 7;  ///< then the view is called frozen
  };
  explicit Sampler(OpenView open) : Sampler(std::move(open), Pace()) {}
  Sampler(OpenView open, const Pace& pace) : open_(std::move(open)), pace_(pace) {}

  /// Who asks. `cancel` ends its wait, and no other caller's.
  class Caller {
    friend class Sampler;
    std::atomic<bool> cancelled_ = false;
  };

  /// A sample begun after this call; one that is not `fresh` when the view stays frozen (for about
  /// a second). Throws Error, and Cancelled after a `cancel` of the same caller that came
  /// meanwhile.
  SharedSample sample(Caller& caller);
  /// The newest sample while the view must rest, otherwise one that ends after this call: never
  /// waits for the rest. Throws as `sample` does.
  SharedSample recent(Caller& caller);
  /// Any thread; harmless while the caller does not wait.
  void cancel(Caller& caller) noexcept;
  /// One statement on the server that is sampled. Throws as `sample` does.
  sql::Result ask(const std::string& statement, Caller& caller);
  /// "identity@start" of the server: the start is stable over reconnects, to a second or two.
  /// Throws as `sample` does.
  std::string server(Caller& caller);

  /// Threads of our own read-only sessions, which never block anything.
  void leave_out(std::uint64_t thread);
  void take_in(std::uint64_t thread);

  /// Keeps what belongs to a token but could not be written into it: blockers sampled late, or the
  /// position a replica has to reach. Bounded; losing an entry costs time, never rows.
  void remember(const std::string& token, const std::string& value);
  std::string recall(const std::string& token) const;

 private:
  using Lock = std::unique_lock<std::mutex>;
  class Turn;

  SharedSample await(Lock& lock, std::uint64_t wanted, Caller& caller);
  void await_turn(Lock& lock, Caller& caller);
  void lead(Caller& caller);
  std::shared_ptr<Sample> look_once();
  void end_look(std::shared_ptr<Sample> sample);
  void fail_look(const Error& error);
  void pause_until(std::chrono::steady_clock::time_point end, Caller& caller);
  template <typename Action>
  auto on_view(const Action& action);
  std::string server_text();
  std::chrono::milliseconds between_looks();

  const OpenView open_;
  const Pace pace_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool busy_ = false;         ///< somebody uses what stands below the next line
  std::uint64_t begun_ = 0;   ///< looks
  std::uint64_t ended_ = 0;   ///< the newest look whose outcome is known
  std::uint64_t failed_ = 0;  ///< the newest one that failed
  std::optional<Error> failure_;
  SharedSample newest_;
  std::set<std::uint64_t> own_;
  std::map<std::string, std::string> notes_;

  // Used by who has the turn.
  std::unique_ptr<ServerView> view_;
  std::chrono::steady_clock::time_point next_look_{};
  std::int64_t server_start_ = 0;  ///< seconds since 1970
  std::minstd_rand random_{std::random_device{}()};
};

/// Whether two answers of Sampler::server mean one running server.
bool same_server(const std::string& left, const std::string& right);

}  // namespace tidemark::mysql
