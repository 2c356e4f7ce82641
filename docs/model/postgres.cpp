// PostgreSQL's three ways to prove a mark (docs/horizon.md): P3 for times, P4 for serials, P1 for
// transaction ids. The server's own answers are modelled: who is shown in pg_stat_activity, which
// xids run, what a snapshot's xmin and xmax are.
#include <algorithm>
#include <array>

#include "explorer.h"

namespace tidemark::model {
namespace {

enum class Proof : std::uint8_t { times, numbers, xids };

enum class Off : std::uint8_t {
  nothing,
  wait_for_transactions,
  read_after_waiting,
  open_transactions,  ///< pg_stat_activity is not looked at
  running_xids,       ///< what runs by its xid is not waited for
  mark_first,         ///< the xid is noted before the mark is taken
  next_xid,           ///< the snapshot's xmax in its place
  margin,             ///< no allowance between reading the clock and being shown
  list_before_xid,    ///< the xid is noted before those on the list have ended
};

constexpr int writers = 3;
constexpr int last_tick = 3;
/// Longest time, in ticks, between reading the clock and being shown: the one assumption on time.
constexpr int gap = 1;

enum Phase : std::uint8_t {
  away,
  starting,  ///< has read the clock, is not shown yet
  shown,     ///< in pg_stat_activity, without an xid
  drew,      ///< P4: holds a number of the sequence, without an xid
  written,   ///< has an xid and has written its row
  prepared,  ///< keeps the xid, is not shown any more
  committed,
};

struct Writer {
  Phase phase;
  std::uint8_t value;  ///< of its row, or to be
  std::uint8_t xid;
  std::uint8_t since;  ///< the tick at which it read the clock
};

enum Poller : std::uint8_t { idle, marked, listing, waiting, drained };

struct PgState {
  std::array<Writer, writers> writer;
  std::uint8_t clock;
  std::uint8_t next_xid;
  std::uint8_t next_number;
  Poller poller;
  std::uint8_t settled;
  std::uint8_t mark;
  std::uint8_t bound;   ///< no xid below it may run any more
  std::uint8_t listed;  ///< P4: who was open when the list was made
  std::uint8_t target;
};

class Postgres {
 public:
  using State = PgState;
  Postgres(Proof proof, Off off) : proof_(proof), off_(off) {}

  State start() const {
    State state{};
    state.clock = state.next_xid = state.next_number = 1;
    if (proof_ == Proof::times) state.clock = 2;
    return state;
  }

  const char* broken(const State& state) const {
    for (std::size_t who = 0; who < writers; ++who)
      if (state.writer[who].phase == committed && value_of(state.writer[who]) < state.settled &&
          (state.target >> who & 1U) == 0)
        return "a row below the settled mark was never read";
    return nullptr;
  }

  template <class Take>
  void steps(const State& state, const Take& take) const {
    for (std::size_t who = 0; who < writers; ++who)
      writer_steps(state, who, take);
    if (proof_ == Proof::times && state.clock < last_tick + 2 && clock_may_move(state)) {
      State next = state;
      ++next.clock;
      take("the clock moves on", -1, next);
    }
    poller_steps(state, take);
  }

  std::string show(const State& state) const {
    static constexpr const char* names[] = {"away",    "starting", "shown",    "drew",
                                            "written", "prepared", "committed"};
    std::string text = "mark " + std::to_string(state.mark) + ", settled " +
                       std::to_string(state.settled) + ", xids below " +
                       std::to_string(state.bound);
    for (const Writer& writer : state.writer)
      text += std::string(", ") + names[writer.phase] + " value " +
              std::to_string(value_of(writer)) + " xid " + std::to_string(writer.xid);
    return text;
  }

 private:
  std::uint8_t value_of(const Writer& writer) const {
    return proof_ == Proof::xids ? writer.xid : writer.value;
  }

  bool clock_may_move(const State& state) const {
    return std::none_of(state.writer.begin(), state.writer.end(), [&](const Writer& writer) {
      return writer.phase == starting && state.clock - writer.since >= gap;
    });
  }

  static bool runs(const Writer& writer) {
    return writer.phase == written || writer.phase == prepared;
  }
  /// The lowest xid that runs; the next one where none does.
  static std::uint8_t xmin(const State& state) {
    std::uint8_t lowest = state.next_xid;
    for (const Writer& writer : state.writer)
      if (runs(writer)) lowest = std::min(lowest, writer.xid);
    return lowest;
  }
  /// One behind the newest xid that has ended.
  static std::uint8_t xmax(const State& state) {
    std::uint8_t newest = 0;
    for (const Writer& writer : state.writer)
      if (writer.phase == committed) newest = std::max(newest, writer.xid);
    return static_cast<std::uint8_t>(newest + 1);
  }
  static bool is_shown(const Writer& writer) {
    return writer.phase == shown || writer.phase == drew || writer.phase == written;
  }

  template <class Take>
  void writer_steps(const State& state, std::size_t who, const Take& take) const {
    State next = state;
    Writer& writer = next.writer[who];
    const auto to = [&](Phase phase, const char* what) {
      writer.phase = phase;
      take(what, static_cast<int>(who), next);
    };
    switch (writer.phase) {
      case away:
        if (proof_ != Proof::times) return to(shown, "begins");
        writer.value = writer.since = state.clock;
        return to(starting, "begins: reads the clock");
      case starting:
        return to(shown, "is shown in pg_stat_activity");
      case shown:
        if (proof_ == Proof::numbers) {
          writer.value = next.next_number++;
          return to(drew, "draws a number");
        }
        [[fallthrough]];
      case drew:
        writer.xid = next.next_xid++;
        return to(written, "writes, with an xid");
      case written:
        to(committed, "commits");
        return to(prepared, "prepares");
      case prepared:
        return to(committed, "is committed by COMMIT PREPARED");
      default:
        return;
    }
  }

  /// The candidate, by the server's own words.
  std::uint8_t candidate(const State& state) const {
    if (proof_ == Proof::xids) return xmax(state);
    if (proof_ == Proof::numbers) {
      std::uint8_t highest = 0;
      for (const Writer& writer : state.writer)
        if (writer.phase == committed) highest = std::max(highest, writer.value);
      return static_cast<std::uint8_t>(highest + 1);
    }
    auto mark = static_cast<std::uint8_t>(off_ == Off::margin ? state.clock : state.clock - gap);
    if (off_ == Off::open_transactions) return mark;
    for (const Writer& writer : state.writer)
      if (is_shown(writer)) mark = std::min(mark, writer.value);
    return mark;
  }

  std::uint8_t noted_xid(const State& state) const {
    return off_ == Off::next_xid ? xmax(state) : state.next_xid;
  }

  template <class Take>
  void poller_steps(const State& state, const Take& take) const {
    State next = state;
    switch (state.poller) {
      case idle:
        if (off_ == Off::mark_first) {
          next.bound = noted_xid(state);
          next.poller = marked;
          return take("an xid is noted", -1, next);
        }
        next.mark = candidate(state);
        next.poller = marked;
        if (next.mark > state.settled) take("the mark is taken", -1, next);
        return;
      case marked:
        next.poller = waiting;
        if (off_ == Off::mark_first) {
          next.mark = candidate(state);
          if (next.mark > state.settled) take("the mark is taken", -1, next);
          return;
        }
        if (proof_ == Proof::numbers) return list_open(next, take);
        next.bound = proof_ == Proof::xids ? state.mark : noted_xid(state);
        return take("the next xid is noted", -1, next);
      case listing:
        // Only when all of the list have ended, by their session and the start of the transaction.
        for (std::size_t who = 0; who < writers; ++who)
          if ((state.listed >> who & 1U) != 0 && is_shown(state.writer[who])) return;
        next.bound = noted_xid(state);
        next.poller = waiting;
        return take("the list has ended: the next xid is noted", -1, next);
      case waiting: {
        const bool ended = off_ == Off::running_xids || xmin(state) >= state.bound;
        if (!ended && off_ != Off::wait_for_transactions) return;
        if (off_ == Off::read_after_waiting) {
          // What is read now was read before the wait, as in the state it had then: nothing new.
          settle(next);
          return take("settled, by what was read before", -1, next);
        }
        next.poller = drained;
        return take("no xid below runs any more", -1, next);
      }
      case drained:
        read(next);
        settle(next);
        return take("the interval is read and settled", -1, next);
    }
  }

  template <class Take>
  void list_open(State& next, const Take& take) const {
    next.listed = 0;
    for (std::size_t who = 0; who < writers; ++who)
      if (is_shown(next.writer[who]) && off_ != Off::open_transactions)
        next.listed = static_cast<std::uint8_t>(next.listed | 1U << who);
    next.poller = listing;
    if (off_ == Off::list_before_xid) {
      next.bound = noted_xid(next);
      next.poller = waiting;
    }
    if (off_ == Off::read_after_waiting) read(next);
    take("who is open is listed", -1, next);
  }

  void read(State& state) const {
    for (std::size_t who = 0; who < writers; ++who) {
      const std::uint8_t value = value_of(state.writer[who]);
      if (state.writer[who].phase == committed && value >= state.settled && value < state.mark)
        state.target = static_cast<std::uint8_t>(state.target | 1U << who);
    }
  }

  static void settle(State& state) {
    state.settled = std::max(state.settled, state.mark);
    state.poller = idle;
    state.mark = state.bound = state.listed = 0;
  }

  Proof proof_;
  Off off_;
};

template <Proof proof, Off off>
Result run() {
  return explore(Postgres(proof, off));
}

}  // namespace

Checked times_model() {
  constexpr Proof p = Proof::times;
  return {"times (P3)",
          "lib/connector/postgres/horizon.cpp",
          run<p, Off::nothing>,
          {{"the mark waits for nobody", run<p, Off::wait_for_transactions>},
           {"read before the wait has ended", run<p, Off::read_after_waiting>},
           {"only xids (pg_stat_activity not asked)", run<p, Off::open_transactions>},
           {"only pg_stat_activity (xids not asked)", run<p, Off::running_xids>},
           {"the xid is noted before the mark", run<p, Off::mark_first>},
           {"the snapshot's xmax for the next xid", run<p, Off::next_xid>},
           {"no margin between clock and being shown", run<p, Off::margin>}}};
}

Checked numbers_model() {
  constexpr Proof p = Proof::numbers;
  return {"numbers (P4)",
          "lib/connector/postgres/horizon.cpp",
          run<p, Off::nothing>,
          {{"the mark waits for nobody", run<p, Off::wait_for_transactions>},
           {"read before the wait has ended", run<p, Off::read_after_waiting>},
           {"only xids (nobody is listed)", run<p, Off::open_transactions>},
           {"only the list (xids not asked)", run<p, Off::running_xids>},
           {"the xid is noted with the list", run<p, Off::list_before_xid>},
           {"the snapshot's xmax for the next xid", run<p, Off::next_xid>}}};
}

Checked xids_model() {
  constexpr Proof p = Proof::xids;
  return {"xids (P1, P2)",
          "lib/connector/postgres/snapshot_proof.cpp",
          run<p, Off::nothing>,
          {{"the mark waits for nobody", run<p, Off::wait_for_transactions>},
           {"read before the wait has ended", run<p, Off::read_after_waiting>}}};
}

}  // namespace tidemark::model
