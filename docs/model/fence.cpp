// Two daemons and one job: fence, the checkpoint in the rows' transaction, a COMMIT whose answer is
// lost, and a target that goes back to a backup (docs/adr/0006, 0011). A lease may run out at any
// moment, as it seems to who was paused: it keeps peace, and none of what is promised here rests on
// it.
#include <array>

#include "explorer.h"

namespace tidemark::model {
namespace {

/// Guards, as bits: where one stands behind another, a mutant is without both.
enum Off : std::uint8_t {
  nothing = 0,
  fence = 1,            ///< a save does not look at the fence
  revision = 2,         ///< nor at the checkpoint that it stands on
  lock = 4,             ///< the fence is read without a lock, before the save
  one_commit = 8,       ///< rows first, the checkpoint in a transaction of its own
  doubt = 16,           ///< a commit without an answer counts as done
  wait_for_doubt = 32,  ///< it is decided by a plain read, without waiting for the session's end
};

constexpr std::uint8_t last_row = 2;
constexpr std::uint8_t last_fence = 3;

enum Stage : std::uint8_t { out, holding, in_doubt };
enum Phase : std::uint8_t {
  none,
  open,     ///< rows are written
  checked,  ///< only without `lock`: the fence was read
  saved,    ///< the checkpoint too; the job's row is locked
  asked,    ///< COMMIT was sent
  half,     ///< only without `one_commit`: the rows are there, the checkpoint is not
};

struct Session {
  Phase phase;
  std::uint8_t row;    ///< that it writes
  std::uint8_t fence;  ///< of its daemon when it began
};

struct Daemon {
  Stage stage;
  std::uint8_t fence;
  std::uint8_t position;  ///< as far as it knows
  Session session;
  Session left;  ///< a session that it lost, and the server has not ended yet
};

struct Stored {
  std::uint8_t fence;
  std::uint8_t holder;  ///< daemon + 1
  std::uint8_t position;
  std::array<std::uint8_t, last_row> rows;  ///< how often each arrived
};

struct FenceState {
  std::array<Daemon, 2> daemon;
  Stored stored;
  Stored backup;
  std::uint8_t has_backup;
  std::uint8_t locked;  ///< 1 + 2 * daemon + (1 for `left`); 0: free
};

class Fence {
 public:
  using State = FenceState;
  /// `ranged`: a key range of a first load, which is saved on its own, under a shared lock and the
  /// fence alone.
  Fence(bool ranged, unsigned off) : ranged_(ranged), off_(off) {}

  State start() const { return {}; }

  const char* broken(const State& state) const {
    for (std::uint8_t row = 0; row < last_row; ++row) {
      if (state.stored.rows[row] > 1) return "a row arrived twice";
      if (row < state.stored.position && state.stored.rows[row] == 0)
        return "a row below the checkpoint is not there";
      if (row >= state.stored.position && state.stored.rows[row] != 0 && !is_half(state))
        return "a row is there that the checkpoint does not know";
    }
    return nullptr;
  }

  template <class Take>
  void steps(const State& state, const Take& take) const {
    for (std::size_t who = 0; who < 2; ++who) {
      daemon_steps(state, who, take);
      left_steps(state, who, take);
    }
    if (state.has_backup == 0 && !is_half(state)) {
      State next = state;
      next.backup = state.stored;
      next.has_backup = 1;
      take("the target is backed up", -1, next);
    }
    if (state.has_backup == 1) {
      State next = state;
      next.stored = state.backup;
      next.backup = {};
      next.has_backup = 2;
      next.locked = 0;
      for (Daemon& daemon : next.daemon) {
        // Who had asked for nothing goes on with what it remembers; a run of a first load begins by
        // asking where its ranges stand.
        if (daemon.session.phase == asked) daemon.stage = in_doubt;
        if (ranged_ && daemon.stage == holding) daemon.stage = out;
        daemon.session = daemon.left = {};
      }
      take("the target goes back to its backup", -1, next);
    }
  }

  std::string show(const State& state) const {
    static constexpr const char* stages[] = {"out", "holding", "in doubt"};
    static constexpr const char* phases[] = {"-", "open", "checked", "saved", "asked", "half"};
    std::string text = "stored: fence " + std::to_string(state.stored.fence) + " position " +
                       std::to_string(state.stored.position) + " rows";
    for (const std::uint8_t count : state.stored.rows)
      text += " " + std::to_string(count);
    for (const Daemon& daemon : state.daemon)
      text += std::string("; ") + stages[daemon.stage] + " fence " + std::to_string(daemon.fence) +
              " at " + std::to_string(daemon.position) + " " + phases[daemon.session.phase] + "/" +
              phases[daemon.left.phase];
    return text;
  }

 private:
  bool without(Off guard) const { return (off_ & guard) != 0; }
  static bool is_half(const State& state) {
    for (const Daemon& daemon : state.daemon)
      if (daemon.session.phase == half) return true;
    return false;
  }

  template <class Take>
  void daemon_steps(const State& state, std::size_t at, const Take& take) const {
    const int who = static_cast<int>(at);
    const Daemon& daemon = state.daemon[at];
    State next = state;
    if (daemon.stage != out || daemon.session.phase != none) {
      // Killed: what it had sent stays with the server.
      if (daemon.left.phase == none) {
        lose(next, at);
        next.daemon[at].stage = out;
        take("is killed", who, next);
        next = state;
      }
    }
    if (daemon.stage == out) return acquire(state, at, take);
    if (daemon.stage == in_doubt) return recover(state, at, take);
    session_steps(state, at, take);
  }

  /// Taking a job, at the end of a lease or as its own successor.
  template <class Take>
  void acquire(const State& state, std::size_t at, const Take& take) const {
    if (state.locked != 0 || state.stored.fence == last_fence) return;
    State next = state;
    Daemon& daemon = next.daemon[at];
    daemon.fence = ++next.stored.fence;
    next.stored.holder = static_cast<std::uint8_t>(at + 1);
    daemon.position = state.stored.position;
    daemon.stage = holding;
    take("takes the job and raises the fence", static_cast<int>(at), next);
  }

  template <class Take>
  void recover(const State& state, std::size_t at, const Take& take) const {
    State next = state;
    Daemon& daemon = next.daemon[at];
    const int who = static_cast<int>(at);
    daemon.stage = holding;
    if (without(doubt)) {
      ++daemon.position;
      return take("takes it that the commit arrived", who, next);
    }
    if (without(wait_for_doubt)) {
      daemon.position = state.stored.position;
      return take("reads the checkpoint and goes on", who, next);
    }
    if (state.locked != 0) return;
    if (state.stored.holder != at + 1) {
      daemon.stage = out;
      return take("finds that another has the job", who, next);
    }
    if (state.stored.fence == last_fence) return;
    daemon.fence = ++next.stored.fence;
    daemon.position = state.stored.position;
    take("locks the job's row, raises the fence and reads", who, next);
  }

  bool may_save(const State& state, std::size_t at) const {
    const Daemon& daemon = state.daemon[at];
    if (!without(fence) && !without(lock) && state.stored.fence != daemon.session.fence)
      return false;
    return ranged_ || without(revision) || state.stored.position == daemon.session.row;
  }

  template <class Take>
  void session_steps(const State& state, std::size_t at, const Take& take) const {
    const int who = static_cast<int>(at);
    const Daemon& daemon = state.daemon[at];
    State next = state;
    Daemon& changed = next.daemon[at];
    Session& session = changed.session;
    switch (daemon.session.phase) {
      case none:
        if (daemon.position == last_row) return;
        session = {.phase = open, .row = daemon.position, .fence = daemon.fence};
        return take("writes a row", who, next);
      case open:
        if (without(lock)) {
          if (state.stored.fence != daemon.fence) return give_up(state, at, take);
          session.phase = checked;
          return take("reads the fence, without a lock", who, next);
        }
        [[fallthrough]];
      case checked:
        if (state.locked != 0) return;
        if (!may_save(state, at)) return give_up(state, at, take);
        session.phase = saved;
        next.locked = static_cast<std::uint8_t>(1 + 2 * at);
        return take("saves the checkpoint", who, next);
      case saved:
        session.phase = asked;
        take("sends COMMIT", who, next);
        if (daemon.left.phase != none) return;
        next = state;
        lose(next, at);
        next.daemon[at].stage = out;
        return take("loses its connection before the COMMIT", who, next);
      case asked:
        arrive(next, session.row, without(one_commit));
        if (without(one_commit)) {
          session.phase = half;
          next.locked = 0;
          return take("its rows are committed", who, next);
        }
        next.locked = 0;
        session = {};
        changed.position = static_cast<std::uint8_t>(daemon.session.row + 1);
        take("is committed and told so", who, next);
        if (daemon.left.phase != none) return;
        next = state;
        lose(next, at);
        next.daemon[at].stage = in_doubt;
        return take("loses its connection behind the COMMIT", who, next);
      case half:
        next.stored.position = static_cast<std::uint8_t>(daemon.session.row + 1);
        changed.position = next.stored.position;
        session = {};
        return take("its checkpoint is committed", who, next);
    }
  }

  template <class Take>
  static void give_up(const State& state, std::size_t at, const Take& take) {
    State next = state;
    next.daemon[at].session = {};
    next.daemon[at].stage = out;
    take("is refused, and rolled back", static_cast<int>(at), next);
  }

  /// The connection is gone; the session is the server's now.
  static void lose(State& state, std::size_t at) {
    Daemon& daemon = state.daemon[at];
    if (daemon.session.phase == none) return;
    if (daemon.session.phase == half) {
      daemon.session = {};
      return;
    }
    daemon.left = daemon.session;
    daemon.session = {};
    if (state.locked == 1 + 2 * at) ++state.locked;
  }

  static void arrive(State& state, std::uint8_t row, bool rows_only) {
    ++state.stored.rows[row];
    if (!rows_only) state.stored.position = static_cast<std::uint8_t>(row + 1);
  }

  /// What the server does with a session whose client is gone: COMMIT may be on its way still.
  template <class Take>
  void left_steps(const State& state, std::size_t at, const Take& take) const {
    const Session& left = state.daemon[at].left;
    if (left.phase == none) return;
    State next = state;
    next.daemon[at].left = {};
    if (state.locked == 2 + 2 * at) next.locked = 0;
    take("has a lost session rolled back", static_cast<int>(at), next);
    if (left.phase != asked) return;
    arrive(next, left.row, false);
    take("has a lost session committed", static_cast<int>(at), next);
  }

  bool ranged_;
  unsigned off_;
};

template <bool ranged, unsigned off>
Result run() {
  return explore(Fence(ranged, off));
}

}  // namespace

Checked fence_model() {
  return {
      "fence",
      "lib/connector/sql/checkpoint_store.cpp",
      run<false, nothing>,
      {{"a save looks at neither fence nor revision", run<false, fence | revision>},
       {"the revision is not looked at (backups)", run<false, revision>},
       {"rows and checkpoint commit one after the other", run<false, one_commit>},
       {"a commit without an answer counts as done", run<false, doubt | revision>},
       {"a commit in doubt is decided by a plain read", run<false, wait_for_doubt | revision>}}};
}

Checked range_fence_model() {
  return {"fence, ranges",
          "lib/connector/sql/checkpoint_store.cpp",
          run<true, nothing>,
          {{"a range is saved without the fence", run<true, fence>},
           {"the fence is read without a lock", run<true, lock>},
           {"a commit without an answer counts as done", run<true, doubt>},
           {"a commit in doubt is decided by a plain read", run<true, wait_for_doubt>}}};
}

}  // namespace tidemark::model
