// From the first load, in key ranges, to the first interval behind its mark (docs/architecture.md,
// "The first load"). Rows change, move to other keys and appear while ranges are read in snapshots
// of their own and interrupted; horizons are as the other models prove them.
#include <algorithm>
#include <array>

#include "explorer.h"

namespace tidemark::model {
namespace {

enum class Off : std::uint8_t {
  nothing,
  first_load_waits,     ///< the load counts as proof though its mark has not settled
  mark_first,           ///< the mark is taken when the load is done
  range_ends_last,      ///< a range is finished with its first row
  moving_cursor,        ///< the cursor stays when the key changes, and ranges are used all the same
  settle_from_mark_on,  ///< the catch-up begins behind the mark
  append_waits,         ///< an append loads before its mark has settled
  append_below_mark,    ///< an append loads what lies behind the mark too
  position_with_rows,   ///< an interrupted range begins anew
};

constexpr std::size_t rows = 2;
constexpr std::size_t keys = 4;  ///< range 0: keys 0 and 1; range 1: keys 2 and 3
constexpr std::size_t ranges = 2;
constexpr std::uint8_t nowhere = keys;
constexpr std::uint8_t last_tick = 3;

/// A row of the source: what is committed, and one change that is under way.
struct Row {
  std::uint8_t key;  ///< nowhere: not there yet
  std::uint8_t value;
  std::uint8_t changing;  ///< 0 no, 1 has its value, not committed
  std::uint8_t next_key;
  std::uint8_t next_value;
  std::uint8_t changes;  ///< so far
};

struct Range {
  std::uint8_t reading;   ///< a snapshot is open
  std::uint8_t position;  ///< keys of it that were done, from its lower end
  std::uint8_t finished;
  /// The snapshot: value + 1 of the row at each of its keys, 0 for none; which row in the upper
  /// bit.
  std::array<std::uint8_t, 2> seen;
};

enum Stage : std::uint8_t { begin, taken, loading, caught_up };

struct HandoverState {
  std::array<Row, rows> row;
  std::array<Range, ranges> range;
  std::uint8_t clock;
  Stage stage;
  std::uint8_t mark;
  std::uint8_t waiting;  ///< rows whose change was open when the mark was taken, bit each
  std::uint8_t settled_at_start;
  std::uint8_t settled;                     ///< everything below is promised
  std::array<std::uint8_t, rows> target;    ///< newest value + 1 there; 0: none
  std::array<std::uint8_t, rows> at_key;    ///< where it stands there
  std::array<std::uint8_t, rows> arrivals;  ///< append: bit per value, in two groups: once, twice
};

class Handover {
 public:
  using State = HandoverState;
  Handover(bool append, Off off) : append_(append), off_(off) {}

  State start() const {
    State state{};
    state.clock = 1;
    state.row[0].key = 1;
    state.row[1].key = nowhere;
    state.at_key = {nowhere, nowhere};
    return state;
  }

  const char* broken(const State& state) const {
    for (std::size_t at = 0; at < rows; ++at) {
      const Row& row = state.row[at];
      if ((state.arrivals[at] >> 4U & 15U) != 0) return "a row version was appended twice";
      if (row.key == nowhere || row.value >= state.settled) continue;
      const bool there = append_ ? (state.arrivals[at] >> row.value & 1U) != 0
                                 : state.target[at] == row.value + 1 && state.at_key[at] == row.key;
      if (!there) return "a row below the settled mark is not in the target";
    }
    return nullptr;
  }

  template <class Take>
  void steps(const State& state, const Take& take) const {
    for (std::size_t at = 0; at < rows; ++at)
      change(state, at, take);
    if (state.clock < last_tick) {
      State next = state;
      ++next.clock;
      take("the clock moves on", -1, next);
    }
    switch (state.stage) {
      case begin:
        return begin_load(state, take);
      case taken:
        return decide(state, take);
      case loading:
        for (std::size_t at = 0; at < ranges; ++at)
          load(state, at, take);
        return finish(state, take);
      case caught_up:
        return catch_up(state, take);
    }
  }

  std::string show(const State& state) const {
    std::string text = "clock " + std::to_string(state.clock) + ", mark " +
                       std::to_string(state.mark) + ", settled " + std::to_string(state.settled);
    for (std::size_t at = 0; at < rows; ++at) {
      const Row& row = state.row[at];
      text += ", row " + std::to_string(at + 1) +
              (row.key == nowhere
                   ? std::string(" absent")
                   : " at " + std::to_string(row.key) + " value " + std::to_string(row.value));
      if (row.changing != 0)
        text +=
            " (to " + std::to_string(row.next_key) + ", " + std::to_string(row.next_value) + ")";
      text += state.target[at] == 0 ? " / none" : " / " + std::to_string(state.target[at] - 1);
    }
    return text;
  }

 private:
  static bool key_is_free(const State& state, std::uint8_t key) {
    return std::none_of(state.row.begin(), state.row.end(), [&](const Row& row) {
      return row.key == key || (row.changing != 0 && row.next_key == key);
    });
  }

  template <class Take>
  void change(const State& state, std::size_t at, const Take& take) const {
    const Row& row = state.row[at];
    State next = state;
    Row& changed = next.row[at];
    if (row.changing != 0) {
      changed = {.key = row.next_key,
                 .value = row.next_value,
                 .changing = 0,
                 .next_key = 0,
                 .next_value = 0,
                 .changes = row.changes};
      next.waiting = static_cast<std::uint8_t>(state.waiting & ~(1U << at));
      return take("the change commits", static_cast<int>(at), next);
    }
    // Two changes of one row and one of the other show all that more would, and are fewer states.
    if (row.changes == 2 - at) return;
    for (std::uint8_t key = 0; key < keys; ++key) {
      if (key != row.key && !key_is_free(state, key)) continue;
      const bool moves = row.key != nowhere && key != row.key;
      changed = row;
      changed.changing = 1;
      changed.next_key = key;
      changed.next_value = moves && off_ == Off::moving_cursor ? row.value : state.clock;
      ++changed.changes;
      take("a change is written, and stays open", static_cast<int>(at), next);
    }
  }

  static std::uint8_t open_changes(const State& state) {
    std::uint8_t open = 0;
    for (std::size_t at = 0; at < rows; ++at)
      if (state.row[at].changing != 0) open = static_cast<std::uint8_t>(open | 1U << at);
    return open;
  }

  template <class Take>
  void begin_load(const State& state, const Take& take) const {
    State next = state;
    next.mark = state.clock;
    next.waiting = open_changes(state);
    next.stage = taken;
    take("the mark is taken", -1, next);
  }

  /// The wait for the mark is bounded: an upsert may begin without it.
  template <class Take>
  void decide(const State& state, const Take& take) const {
    State next = state;
    next.stage = loading;
    next.settled_at_start = state.waiting == 0 || off_ == Off::first_load_waits ? 1 : 0;
    if (append_ && next.settled_at_start == 0 && off_ != Off::append_waits) return;
    take(next.settled_at_start != 0 ? "the load begins, the mark has settled"
                                    : "the load begins, the mark has not settled",
         -1, next);
  }

  template <class Take>
  void load(const State& state, std::size_t at, const Take& take) const {
    const Range& range = state.range[at];
    if (range.finished != 0) return;
    const int who = static_cast<int>(at);
    State next = state;
    Range& changed = next.range[at];
    if (range.reading == 0) {
      changed.reading = 1;
      changed.seen = {};
      for (std::size_t one = 0; one < rows; ++one) {
        const Row& row = state.row[one];
        if (row.key == nowhere || row.key / 2 != at) continue;
        if (append_ && row.value >= state.mark && off_ != Off::append_below_mark) continue;
        changed.seen[row.key % 2U] = static_cast<std::uint8_t>((row.value + 1U) | one << 4U);
      }
      return take("range: a snapshot is opened", who, next);
    }
    // A crash, a lost connection, a stop.
    changed.reading = 0;
    changed.seen = {};
    if (off_ == Off::position_with_rows) changed.position = 0;
    take("range: the read is cut off", who, next);
    next = state;
    // The next key's row and the position, in one transaction of the target.
    const std::uint8_t cell = range.seen[range.position];
    if (cell != 0)
      write(next, cell >> 4U, static_cast<std::uint8_t>((cell & 15U) - 1U),
            static_cast<std::uint8_t>(2 * at + range.position));
    const bool last = ++changed.position == 2;
    if (last || off_ == Off::range_ends_last) {
      changed.finished = 1;
      changed.reading = 0;
      changed.seen = {};
    }
    take("range: a row is written with the position", who, next);
  }

  void write(State& state, std::size_t at, std::uint8_t value, std::uint8_t key) const {
    state.target[at] = static_cast<std::uint8_t>(value + 1);
    state.at_key[at] = key;
    if (!append_) return;
    std::uint8_t& seen = state.arrivals[at];
    const unsigned bit = 1U << value;
    seen = static_cast<std::uint8_t>(seen | ((seen & bit) != 0 ? bit << 4U : bit));
  }

  template <class Take>
  void finish(const State& state, const Take& take) const {
    for (const Range& range : state.range)
      if (range.finished == 0) return;
    State next = state;
    next.stage = caught_up;
    // Where each range came to says nothing any more.
    next.range = {};
    if (off_ == Off::mark_first) next.mark = state.clock;
    next.settled =
        state.settled_at_start != 0 || off_ == Off::mark_first ? next.mark : std::uint8_t{0};
    next.mark = 0;
    take(next.settled != 0 ? "the load ends: its mark is the settled mark"
                           : "the load ends, and proves nothing yet",
         -1, next);
  }

  /// One interval of the incremental job, up to a mark that nothing open lies below.
  template <class Take>
  void catch_up(const State& state, const Take& take) const {
    State next = state;
    std::uint8_t mark = state.clock;
    for (const Row& row : state.row)
      if (row.changing != 0) mark = std::min(mark, row.next_value);
    if (mark <= state.settled) return;
    for (std::size_t at = 0; at < rows; ++at) {
      const Row& row = state.row[at];
      const bool from = off_ == Off::settle_from_mark_on && state.settled != 0
                            ? row.value > state.settled
                            : row.value >= state.settled;
      if (row.key != nowhere && from && row.value < mark) write(next, at, row.value, row.key);
    }
    next.settled = mark;
    take("an interval is read and settled", -1, next);
  }

  bool append_;
  Off off_;
};

template <bool append, Off off>
Result run() {
  return explore(Handover(append, off));
}

}  // namespace

Checked handover_model() {
  return {"handover",
          "lib/sync/job_first_load.cpp, first_load.cpp",
          run<false, Off::nothing>,
          {{"the mark of a load that did not wait", run<false, Off::first_load_waits>},
           {"the mark is taken behind the load", run<false, Off::mark_first>},
           {"a range ends before its last row", run<false, Off::range_ends_last>},
           {"ranges though the cursor stays with a new key", run<false, Off::moving_cursor>},
           {"the catch-up begins behind the mark", run<false, Off::settle_from_mark_on>}}};
}

Checked append_handover_model() {
  return {"handover, append",
          "lib/sync/job_first_load.cpp, first_load.cpp",
          run<true, Off::nothing>,
          {{"loads before the mark has settled", run<true, Off::append_waits>},
           {"loads what lies behind the mark", run<true, Off::append_below_mark>},
           {"a range that was cut off begins anew", run<true, Off::position_with_rows>},
           {"the catch-up begins behind the mark", run<true, Off::settle_from_mark_on>}}};
}

}  // namespace tidemark::model
