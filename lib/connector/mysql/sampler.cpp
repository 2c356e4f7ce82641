#include "connector/mysql/sampler.h"

#include <charconv>
#include <cstdlib>
#include <type_traits>
#include <utility>

namespace tidemark::mysql {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// 8 tokens for each of some hundred jobs.
constexpr std::size_t most_notes = 4096;

}  // namespace

/// Has the view to itself for its life; the lock is open meanwhile.
class Sampler::Turn {
 public:
  Turn(Sampler& sampler, Lock& lock) : sampler_(sampler), lock_(lock) {
    sampler_.busy_ = true;
    lock_.unlock();
  }
  ~Turn() {
    lock_.lock();
    sampler_.busy_ = false;
    sampler_.changed_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Sampler& sampler_;
  Lock& lock_;
};

/// Runs `action` on the view, which is opened where there is none. One that was kept may have been
/// closed for idleness; a new one must work.
template <typename Action>
auto Sampler::on_view(const Action& action) {
  const bool kept = view_ != nullptr;
  for (bool again = kept;; again = false) {
    try {
      if (view_ == nullptr) view_ = open_();
      return action(*view_);
    } catch (const Error& error) {
      view_.reset();
      if (!again || error.kind() != FailureKind::connect) throw;
    } catch (...) {
      view_.reset();
      throw;
    }
  }
}

void Sampler::cancel(Caller& caller) noexcept {
  caller.cancelled_ = true;
  // Between a waiter's look at the flag and its sleep there is no room for this.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

SharedSample Sampler::sample(Caller& caller) {
  caller.cancelled_ = false;
  Lock lock(mutex_);
  return await(lock, begun_ + 1, caller);
}

SharedSample Sampler::recent(Caller& caller) {
  caller.cancelled_ = false;
  Lock lock(mutex_);
  if (newest_ && Steady::now() - newest_->begun < pace_.rest) return newest_;
  return await(lock, ended_ + 1, caller);
}

SharedSample Sampler::await(Lock& lock, std::uint64_t wanted, Caller& caller) {
  for (;;) {
    if (caller.cancelled_) throw Cancelled();
    if (newest_ && newest_->number >= wanted) return newest_;
    if (failed_ >= wanted) throw Error(*failure_);
    if (busy_) {
      changed_.wait(lock);
      continue;
    }
    const Turn turn(*this, lock);
    lead(caller);
  }
}

void Sampler::await_turn(Lock& lock, Caller& caller) {
  changed_.wait(lock, [&] { return caller.cancelled_ || !busy_; });
  if (caller.cancelled_) throw Cancelled();
}

/// Looks until the view is new, or long enough. What comes of it, all who wait are told.
void Sampler::lead(Caller& caller) {
  for (int left = pace_.looks;; --left) {
    pause_until(next_look_, caller);
    std::shared_ptr<Sample> sample = look_once();
    if (sample == nullptr) return;
    // Where others look as well, keeping to the shortest rest would freeze the view for them.
    const bool crowded = !sample->fresh || left < pace_.looks;
    next_look_ = Steady::now() + (crowded ? between_looks() : pace_.rest);
    if (sample->fresh || left <= 1) return end_look(std::move(sample));
  }
}

/// nullptr: it failed, and all who wait have been told.
std::shared_ptr<Sample> Sampler::look_once() {
  auto sample = std::make_shared<Sample>();
  {
    const std::lock_guard lock(mutex_);
    sample->number = ++begun_;
  }
  try {
    static_cast<Look&>(*sample) = on_view([&](ServerView& view) {
      sample->begun = Steady::now();
      return view.look();
    });
    sample->server = server_text();
  } catch (const Error& error) {
    fail_look(error);
    return nullptr;
  }
  return sample;
}

void Sampler::fail_look(const Error& error) {
  const std::lock_guard lock(mutex_);
  failed_ = ended_ = begun_;
  failure_ = error;
}

void Sampler::end_look(std::shared_ptr<Sample> sample) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sample->work.threads, [&](const auto& one) { return own_.contains(one.id); });
  std::erase_if(sample->work.transactions,
                [&](const auto& one) { return own_.contains(one.thread); });
  newest_ = std::move(sample);
  ended_ = newest_->number;
}

void Sampler::pause_until(Steady::time_point end, Caller& caller) {
  Lock lock(mutex_);
  if (changed_.wait_until(lock, end, [&] { return caller.cancelled_.load(); })) throw Cancelled();
}

milliseconds Sampler::between_looks() {
  std::uniform_int_distribution<milliseconds::rep> pick(pace_.shortest_retry.count(),
                                                        pace_.longest_retry.count());
  return milliseconds(pick(random_));
}

sql::Result Sampler::ask(const std::string& statement, Caller& caller) {
  caller.cancelled_ = false;
  Lock lock(mutex_);
  await_turn(lock, caller);
  const Turn turn(*this, lock);
  return on_view([&](ServerView& view) { return view.ask(statement); });
}

std::string Sampler::server(Caller& caller) {
  caller.cancelled_ = false;
  Lock lock(mutex_);
  if (newest_) return newest_->server;
  await_turn(lock, caller);
  const Turn turn(*this, lock);
  return on_view([&](ServerView&) { return server_text(); });
}

/// Of the server of the view.
std::string Sampler::server_text() {
  // Both figures it is made from are whole seconds read at different moments.
  const std::int64_t started = view_->started();
  if (std::abs(started - server_start_) > 2) server_start_ = started;
  return view_->identity() + "@" + std::to_string(server_start_);
}

void Sampler::leave_out(std::uint64_t thread) {
  const std::lock_guard lock(mutex_);
  own_.insert(thread);
}

void Sampler::take_in(std::uint64_t thread) {
  const std::lock_guard lock(mutex_);
  own_.erase(thread);
}

void Sampler::remember(const std::string& token, const std::string& value) {
  const std::lock_guard lock(mutex_);
  if (notes_.size() >= most_notes) notes_.erase(notes_.begin());
  notes_[token] = value;
}

std::string Sampler::recall(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto at = notes_.find(token);
  return at == notes_.end() ? std::string() : at->second;
}

bool same_server(const std::string& left, const std::string& right) {
  const auto split = [](const std::string& text) {
    const std::size_t at = text.rfind('@');
    std::int64_t start = 0;
    if (at != std::string::npos)
      std::from_chars(text.data() + at + 1, text.data() + text.size(), start);
    return std::pair(text.substr(0, at), start);
  };
  const auto [left_name, left_start] = split(left);
  const auto [right_name, right_start] = split(right);
  return left_name == right_name && std::abs(left_start - right_start) <= 4;
}

}  // namespace tidemark::mysql
