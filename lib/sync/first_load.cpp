#include "sync/first_load.h"

#include <algorithm>

#include "core/guard_switch.h"
#include "sync/feed.h"

namespace tidemark {
namespace {

/// Ranges that write at once may lock each other out by turns in an index; one of them goes again.
constexpr int deadlock_attempts = 5;

void add(PhaseTimes& to, const PhaseTimes& times) {
  for (Duration PhaseTimes::*phase :
       {&PhaseTimes::read, &PhaseTimes::transform, &PhaseTimes::write, &PhaseTimes::commit,
        &PhaseTimes::wait, &PhaseTimes::blocked_read, &PhaseTimes::blocked_write})
    to.*phase += times.*phase;
}

bool is_cancelled(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace

FirstLoad::FirstLoad(Ports ports, Pass pass, std::vector<RangeRecord> ranges, RangeResume resume)
    : ports_(std::move(ports)),
      plan_(ports_.writing.plan),
      pass_(std::move(pass)),
      resume_(resume),
      ranges_(std::move(ranges)) {}

FirstLoad::~FirstLoad() = default;

void FirstLoad::run(std::size_t workers) {
  workers_ = ports_.limits.threads ? std::max<std::size_t>(workers, 1) : 1;
  Progress& progress = ports_.outcome.progress;
  progress.ranges = static_cast<std::uint32_t>(ranges_.size());
  progress.ranges_finished = static_cast<std::uint32_t>(
      std::count_if(ranges_.begin(), ranges_.end(), [](const auto& one) { return one.finished; }));
  RunGuard& guard = ports_.writing.guard;
  guard.begin_reading();
  try {
    work(ports_.sessions);
  } catch (...) {
    fail(std::current_exception());
  }
  for (Helper& helper : helpers_)
    helper.thread.join();
  helpers_.clear();
  guard.begin_reading();
  if (error_) std::rethrow_exception(error_);
}

RangeRecord* FirstLoad::next_range() {
  const std::lock_guard lock(mutex_);
  if (error_) return nullptr;
  while (next_ < ranges_.size() && ranges_[next_].finished)
    ++next_;
  return next_ < ranges_.size() ? &ranges_[next_++] : nullptr;
}

/// Whether one more worker has something to do and something to do it with.
bool FirstLoad::may_staff() {
  // A batch of its own, beside the next one of the worker that asks.
  MemoryBudget::Room room;
  if (!ports_.memory.try_take(2 * pass_.read.batch_bytes, room)) return false;
  const std::lock_guard lock(mutex_);
  if (alone_ || error_ || helping_ + 1 >= workers_) return false;
  const auto left = std::count_if(ranges_.begin() + static_cast<std::ptrdiff_t>(next_),
                                  ranges_.end(), [](const auto& one) { return !one.finished; });
  // One is for the worker that asks.
  if (static_cast<std::size_t>(left) <= helping_) return false;
  ++helping_;
  return true;
}

void FirstLoad::staff() {
  // Who found no session to borrow may be asked again, but at the next range, not at once.
  std::erase_if(helpers_, [this](Helper& helper) {
    {
      const std::lock_guard lock(mutex_);
      if (!helper.over) return false;
    }
    helper.thread.join();
    return true;
  });
  while (helpers_.size() + 1 < workers_ && may_staff()) {
    Helper& helper = helpers_.emplace_back();
    helper.thread = std::thread([this, &helper] { help(helper); });
  }
}

void FirstLoad::help(Helper& self) noexcept {
  try {
    while (help_once()) {
    }
  } catch (...) {
    fail(std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  --helping_;
  self.over = true;
}

/// One range with borrowed sessions; false where there are none, or nothing is left to do.
bool FirstLoad::help_once() {
  RunGuard& guard = ports_.writing.guard;
  std::optional<Connections::Sessions> sessions;
  try {
    sessions = ports_.connections.try_acquire(
        {.source = plan_.job->source_connection, .target = plan_.job->target_connection});
  } catch (const Error& error) {
    // A server that takes no more sessions is no failure: the load goes on with those it has.
    ports_.writing.observer.note(plan_.job->name,
                                 std::string("the first load has fewer sessions: ") + error.what());
    const std::lock_guard lock(mutex_);
    alone_ = true;
  }
  if (!sessions) return false;
  struct Watched {
    RunGuard& guard;
    Connections::Sessions& sessions;
    ~Watched() {
      guard.unwatch(&*sessions.source, &*sessions.target);
      if (!guard.cancelled_sessions()) return;
      sessions.source.discard();
      sessions.target.discard();
    }
  } watched{guard, *sessions};
  guard.watch_beside(&*sessions->source, &*sessions->target);
  RangeRecord* range = next_range();
  if (range == nullptr) return false;
  load(*range, *sessions);
  return true;
}

void FirstLoad::work(Connections::Sessions& sessions) {
  for (;;) {
    staff();
    RangeRecord* range = next_range();
    if (range == nullptr) return;
    load(*range, sessions);
  }
}

Pass FirstLoad::pass_of(const RangeRecord& range) const {
  Pass pass = pass_;
  pass.read.order = ReadOrder::key;
  KeyRange& bounds = pass.read.range.emplace();
  bounds.lower = decode_key(range.lower);
  bounds.upper = decode_key(range.upper);
  if (range.position.empty()) return pass;
  if (resume_ == RangeResume::behind)
    pass.read.after = Position{Value{}, decode_key(range.position)};
  if (resume_ == RangeResume::at) bounds.lower = decode_key(range.position);
  return pass;
}

Writing::Ports FirstLoad::writing_ports(Connections::TargetLease& target, PhaseTimes& times) const {
  const Writing::Ports& own = ports_.writing;
  return {.target = target,
          .plan = own.plan,
          .job = own.job,
          .holder = own.holder,
          .lease = own.lease,
          .guard = own.guard,
          .memory = own.memory,
          .fence = own.fence,
          .observer = own.observer,
          .clock = own.clock,
          .times = times,
          .key_secret = own.key_secret};
}

void FirstLoad::load(RangeRecord& range, Connections::Sessions& sessions) {
  const Writing::Ports& own = ports_.writing;
  PhaseTimes times;
  Writing writing(writing_ports(sessions.target, times));
  writing.fill();
  const Pass pass = pass_of(range);
  Reading reading({.source = *sessions.source,
                   .plan = plan_,
                   .memory = ports_.memory,
                   .guard = own.guard,
                   .clock = own.clock,
                   .source_rate = ports_.connections.rate(plan_.job->source_connection),
                   .target_rate = ports_.connections.rate(plan_.job->target_connection),
                   .digest_key = ports_.digest_key,
                   .key_secret = own.key_secret},
                  pass, std::nullopt);
  feed(reading, {.guard = own.guard, .clock = own.clock, .limits = ports_.limits, .times = times},
       [&](const ReadBatch& item) {
         RangeRecord next = range;
         next.position = encode_key(item.last->key);
         next.finished = item.ends_pass || off(Guard::range_ends_last);
         const WriteCounts written = commit(writing, &item.batch, next);
         count(&item, written, range, next);
       });
  if (!range.finished) {
    RangeRecord next = range;
    next.finished = true;
    commit(writing, nullptr, next);
    count(nullptr, {}, range, next);
  }
  times.read += reading.times().read;
  times.transform += reading.times().transform;
  times.blocked_read += reading.times().blocked_read;
  const std::lock_guard lock(mutex_);
  add(ports_.outcome.phases, times);
}

/// One transaction: the rows, if there are any, and where the range stands with them.
WriteCounts FirstLoad::commit(Writing& writing, const Batch* rows, const RangeRecord& next) {
  for (int left = deadlock_attempts;; --left) {
    try {
      if (rows != nullptr) writing.put(*rows);
      return writing.commit_range(next);
    } catch (const Error& error) {
      if (error.kind() != FailureKind::deadlock || left == 1) throw;
    }
  }
}

void FirstLoad::count(const ReadBatch* item, const WriteCounts& written, RangeRecord& range,
                      const RangeRecord& next) {
  const std::lock_guard lock(mutex_);
  range = next;
  RunCounts& counts = ports_.outcome.counts;
  if (item != nullptr) {
    counts.rows_read += item->rows;
    counts.bytes_read += item->bytes;
    counts.bytes_written += item->batch.bytes();
    ++counts.batches;
  }
  counts.written += written;
  if (next.finished) ++ports_.outcome.progress.ranges_finished;
  ports_.report();
}

/// Keeps the failure that tells most: what was cancelled because of it says nothing.
void FirstLoad::fail(std::exception_ptr error) noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!error_ || is_cancelled(error_)) error_ = std::move(error);
  }
  ports_.writing.guard.end_reading();
}

}  // namespace tidemark
