// MariaDB: the drain with canary (docs/horizon.md). What blocks a mark, and what has ended since,
// is decided by the very functions of the program: blockers_of and still_open.
#include <array>

#include "connector/mysql/open_work.h"
#include "explorer.h"

namespace tidemark::model {
namespace {

enum class Off : std::uint8_t {
  nothing,
  sample_before_reading,
  wait_for_transactions,
  read_after_waiting,
  processlist_first,
  canary,
  canaries_in_turn,
  prepared_transactions,
  waiting_statements,
  settle_from_mark_on,
};

constexpr int writers = 2;
constexpr int last_tick = 2;

/// A session of the application; its transaction writes one row with the statement's time.
enum Phase : std::uint8_t {
  asleep,
  busy,       ///< COMMAND is set, the clock was not read
  waiting,    ///< has its time, waits for a lock; no transaction shows yet
  writing,    ///< in a transaction
  open,       ///< the statement has ended, the transaction has not
  prepared,   ///< XA PREPARE, and the session is gone
  committed,  ///< and asleep again
  next_busy,  ///< in the next statement, which writes nothing
  phases_
};

struct Writer {
  Phase phase;
  std::uint8_t value;
  std::uint8_t statement;  ///< QUERY_ID
};

enum Poller : std::uint8_t {
  idle,
  marked,
  sampling,  ///< the canary has begun
  listed,    ///< PROCESSLIST was read
  drained,   ///< nothing is waited for any more
};

struct DrainState {
  std::array<Writer, writers> writer;
  std::uint8_t clock;
  Poller poller;
  std::uint8_t first;    ///< the first sample of a token: blockers are found
  std::uint8_t settled;  ///< everything below must be in the target
  std::uint8_t mark;
  std::uint8_t target;                          ///< bit per writer
  std::uint8_t turn;                            ///< whose canary it is
  std::uint8_t canaries;                        ///< open ones, bit each
  std::array<std::uint8_t, writers> seen_busy;  ///< statement + 1 of busy ones
  std::array<std::uint8_t, writers>
      seen_open;                           ///< for the order that is wrong: INNODB_TRX, read first
  std::array<std::uint8_t, writers> view;  ///< INNODB_TRX as it was last renewed
  std::uint8_t view_canaries;
  std::array<std::uint8_t, writers>
      pending;  ///< 0, or statement + 1, +64 transaction, +128 prepared
};

class Drain {
 public:
  using State = DrainState;
  explicit Drain(Off off) : off_(off) {}

  State start() const {
    State state{};
    state.clock = 1;
    return state;
  }

  template <class Take>
  void steps(const State& state, const Take& take) const {
    for (int who = 0; who < writers; ++who)
      writer_steps(state, who, take);
    if (state.clock < last_tick) {
      State next = state;
      ++next.clock;
      take("the clock moves on", -1, next);
    }
    poller_steps(state, take);
  }

  const char* broken(const State& state) const {
    for (int who = 0; who < writers; ++who) {
      const Writer& writer = state.writer[static_cast<std::size_t>(who)];
      const bool visible = writer.phase == committed || writer.phase == next_busy;
      if (visible && writer.value < state.settled && (state.target >> who & 1U) == 0)
        return "a row below the settled mark was never read";
    }
    return nullptr;
  }

  std::string show(const State& state) const {
    static constexpr const char* names[] = {"asleep", "busy",     "waiting",   "writing",
                                            "open",   "prepared", "committed", "busy again"};
    std::string text = "clock " + std::to_string(state.clock) + ", mark " +
                       std::to_string(state.mark) + ", settled " + std::to_string(state.settled);
    for (const Writer& writer : state.writer)
      text += std::string(", ") + names[writer.phase] + "@" + std::to_string(writer.value);
    return text;
  }

 private:
  static std::uint8_t transaction_of(const Writer& writer) {
    if (writer.phase == writing || writer.phase == open) return 1;
    return writer.phase == prepared ? 2 : 0;
  }
  static bool is_busy(const Writer& writer) {
    return writer.phase == busy || writer.phase == waiting || writer.phase == writing ||
           writer.phase == next_busy;
  }

  template <class Take>
  void writer_steps(const State& state, int who, const Take& take) const {
    State next = state;
    Writer& writer = next.writer[static_cast<std::size_t>(who)];
    const auto to = [&](Phase phase, const char* what) {
      const Writer before = writer;
      writer.phase = phase;
      take(what, who, next);
      writer = before;
    };
    switch (writer.phase) {
      case asleep:
        ++writer.statement;
        return to(busy, "begins a statement");
      case busy:
        writer.value = state.clock;
        return to(waiting, "reads the clock");
      case waiting:
        return to(writing, "gets its lock and writes");
      case writing:
        to(open, "ends the statement");
        return to(committed, "commits with the statement");
      case open:
        to(committed, "commits");
        to(prepared, "prepares, and its session ends");
        if (++writer.statement > 2) return;
        return to(writing, "begins another statement in the transaction");
      case prepared:
        return to(committed, "is committed by XA COMMIT");
      case committed:
        // A prepared transaction's session does not come back; that it might costs nothing.
        ++writer.statement;
        return to(next_busy, "begins a statement that writes nothing");
      default:
        return;
    }
  }

  template <class Take>
  void poller_steps(const State& state, const Take& take) const {
    State next = state;
    switch (state.poller) {
      case idle:
        if (off_ != Off::sample_before_reading) next.mark = state.clock;
        next.first = 1;
        next.poller = marked;
        if (next.mark > state.settled || off_ == Off::sample_before_reading)
          take("the mark is taken", -1, next);
        return;
      case marked:
        next.canaries = static_cast<std::uint8_t>(state.canaries | 1U << state.turn);
        next.poller = sampling;
        return take("the canary begins", -1, next);
      case sampling:
        read_processlist(next);
        if (off_ == Off::processlist_first) {
          // The other way round: the transactions now, the sessions at the next step.
          renew(next);
          next.seen_open = next.view;
        }
        next.poller = listed;
        return take(off_ == Off::processlist_first ? "INNODB_TRX is read" : "PROCESSLIST is read",
                    -1, next);
      case listed:
        if (off_ == Off::processlist_first) {
          read_processlist(next);
          next.view = state.seen_open;
          sampled(next, take, "PROCESSLIST is read");
          return;
        }
        sampled(next, take, "a kept INNODB_TRX is read");
        next = state;
        renew(next);
        sampled(next, take, "a new INNODB_TRX is read");
        return;
      case drained:
        for (int who = 0; who < writers; ++who) {
          const Writer& writer = state.writer[static_cast<std::size_t>(who)];
          const bool visible = writer.phase == committed || writer.phase == next_busy;
          const bool above = off_ == Off::settle_from_mark_on ? writer.value > state.settled
                                                              : writer.value >= state.settled;
          if (visible && above && writer.value < state.mark && off_ != Off::read_after_waiting)
            next.target = static_cast<std::uint8_t>(next.target | 1U << who);
        }
        settle(next);
        return take("the interval is read and settled", -1, next);
    }
  }

  static void settle(State& state) {
    state.settled = std::max(state.settled, state.mark);
    state.poller = idle;
    state.mark = 0;
    state.pending = {};
    state.seen_busy = state.seen_open = {};
  }

  void read_processlist(State& state) const {
    for (std::size_t who = 0; who < writers; ++who) {
      const Writer& writer = state.writer[who];
      state.seen_busy[who] =
          is_busy(writer) ? static_cast<std::uint8_t>(writer.statement + 1) : std::uint8_t{0};
    }
  }

  static void renew(State& state) {
    for (std::size_t who = 0; who < writers; ++who)
      state.view[who] = transaction_of(state.writer[who]);
    state.view_canaries = state.canaries;
  }

  /// The program's own judgement over what this look saw.
  template <class Take>
  void sampled(State next, const Take& take, const char* what) const {
    const unsigned mine = 1U << next.turn;
    const bool shown = (next.view_canaries & mine) != 0 && (next.view_canaries & ~mine) == 0;
    if (off_ != Off::canary && !shown) {
      next.poller = sampling;
      return take(what, -1, next);
    }
    const mysql::OpenWork work = seen(next);
    std::vector<mysql::Pending> pending =
        next.first != 0 ? mysql::blockers_of(work) : mysql::still_open(waited_for(next), work);
    if (off_ == Off::wait_for_transactions) pending.clear();
    next.pending = {};
    for (const mysql::Pending& one : pending) {
      const std::uint64_t who = one.thread != 0 ? one.thread - 1 : one.transaction - 1;
      next.pending[who] = static_cast<std::uint8_t>(next.pending[who] | one.query_id |
                                                    (one.transaction != 0 ? 64U : 0U) |
                                                    (one.thread == 0 ? 128U : 0U) | 32U);
    }
    const bool first = next.first != 0;
    next.first = 0;
    next.canaries = 0;
    if (off_ != Off::canaries_in_turn) next.turn = static_cast<std::uint8_t>(1 - next.turn);
    next.seen_busy = next.seen_open = {};
    if (first && off_ == Off::sample_before_reading) next.mark = next.clock;
    if (first && off_ == Off::read_after_waiting) read_early(next);
    next.poller = pending.empty() ? drained : marked;
    take(what, -1, next);
  }

  /// A read that begins before the wait has ended: it sees what is there now, and settles later.
  static void read_early(State& state) {
    for (int who = 0; who < writers; ++who) {
      const Writer& writer = state.writer[static_cast<std::size_t>(who)];
      if (writer.phase == committed || writer.phase == next_busy)
        state.target = static_cast<std::uint8_t>(state.target | 1U << who);
    }
  }

  mysql::OpenWork seen(const State& state) const {
    mysql::OpenWork work;
    for (std::size_t who = 0; who < writers; ++who) {
      if (state.seen_busy[who] != 0 && off_ != Off::waiting_statements)
        work.threads.push_back(
            {.id = who + 1, .busy = true, .query_id = state.seen_busy[who], .user = {}});
      if (state.view[who] == 0) continue;
      if (state.view[who] == 2 && off_ == Off::prepared_transactions) continue;
      work.transactions.push_back(
          {.thread = state.view[who] == 1 ? who + 1 : 0, .id = who + 1, .started = 1});
    }
    return work;
  }

  static std::vector<mysql::Pending> waited_for(const State& state) {
    std::vector<mysql::Pending> pending;
    for (std::size_t who = 0; who < writers; ++who) {
      const unsigned one = state.pending[who];
      if (one == 0) continue;
      const bool transaction = (one & 64U) != 0;
      pending.push_back({.thread = (one & 128U) != 0 ? 0 : who + 1,
                         .query_id = one & 31U,
                         .transaction = transaction ? who + 1 : 0,
                         .started = transaction ? 1 : 0});
    }
    return pending;
  }

  Off off_;
};

template <Off off>
Result run() {
  return explore(Drain(off));
}

}  // namespace

Checked drain_model() {
  return {"drain",
          "lib/connector/mysql/open_work.cpp",
          run<Off::nothing>,
          {{"sampled before the mark is taken", run<Off::sample_before_reading>},
           {"the mark waits for nobody", run<Off::wait_for_transactions>},
           {"read before the wait has ended", run<Off::read_after_waiting>},
           {"INNODB_TRX before PROCESSLIST", run<Off::processlist_first>},
           {"no canary: a frozen view is believed", run<Off::canary>},
           {"one canary for every sample", run<Off::canaries_in_turn>},
           {"prepared transactions are overlooked", run<Off::prepared_transactions>},
           {"only transactions block (min trx_started)", run<Off::waiting_statements>},
           {"the next interval begins behind the mark", run<Off::settle_from_mark_on>}}};
}

}  // namespace tidemark::model
