#pragma once

#include <cstdint>

namespace tidemark {

/// What keeps the promises, one guard each, so that a test can switch one off and see that it is
/// missed: a guard that nobody misses is not tested (tests/simulation). In the program each is
/// always on and `off` is a constant; only the simulator's build has switches.
enum class Guard : std::uint8_t {
  // The mark.
  sample_before_reading,  ///< the horizon is sampled before the rows are read
  wait_for_transactions,  ///< a mark waits for the transactions that were open at its sampling
  read_after_waiting,     ///< the read that settles begins after they have ended
  settle_by_the_settled,  ///< of several open horizons, one that has settled gives the mark
  distrust_stale_view,    ///< a frozen view of transactions settles nothing
  drop_lost_token,        ///< nor does a server that was restarted since
  append_waits,           ///< an append reads only what has settled
  settle_from_mark_on,    ///< the bound of the next read includes the mark's own value
  keep_lookback,          ///< without proof the mark stays back
  notice_clock_step,      ///< a source clock that was set back opens an epoch
  notice_identity,        ///< so does a source with another history
  // The position.
  position_has_key,   ///< a page may end within rows that share a cursor value
  compare_whole_row,  ///< a row is known already only if all of it is
  // The target.
  rows_with_checkpoint,  ///< rows and checkpoint commit in one transaction
  save_on_top,           ///< a checkpoint is saved only on top of the one before it
  heed_fence,            ///< who was overtaken can't save
  find_out_doubt,        ///< a commit without an answer counts only if the target has it
  replace_at_once,       ///< a full job changes the table once, at its end
  // The first load.
  first_load_waits,  ///< it proves nothing about transactions that were open when it began
  range_ends_last,   ///< a range is finished with its last row
  fill_untouched,    ///< a table without its key is filled by one load only, from its making on
  count_,
};

#ifdef TIDEMARK_GUARD_SWITCHES
bool off(Guard guard) noexcept;
#else
constexpr bool off(Guard) noexcept {
  return false;
}
#endif

}  // namespace tidemark
