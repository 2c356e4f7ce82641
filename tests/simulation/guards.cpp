#include "simulation/guards.h"

namespace tidemark {
namespace {

const sim::GuardName* switched_off = nullptr;

}  // namespace

bool off(Guard guard) noexcept {
  return switched_off != nullptr &&
         (switched_off->guard == guard || switched_off->backed_by == guard);
}

namespace sim {

const std::array<GuardName, static_cast<std::size_t>(Guard::count_)>& guards() {
  static constexpr std::array<GuardName, static_cast<std::size_t>(Guard::count_)> all{{
      {Guard::sample_before_reading, "sample_before_reading"},
      {Guard::wait_for_transactions, "wait_for_transactions"},
      {Guard::read_after_waiting, "read_after_waiting"},
      {Guard::settle_by_the_settled, "settle_by_the_settled"},
      {Guard::distrust_stale_view, "distrust_stale_view"},
      {Guard::drop_lost_token, "drop_lost_token"},
      {Guard::append_waits, "append_waits"},
      {Guard::settle_from_mark_on, "settle_from_mark_on"},
      {Guard::keep_lookback, "keep_lookback"},
      {Guard::notice_clock_step, "notice_clock_step"},
      {Guard::notice_identity, "notice_identity"},
      {Guard::position_has_key, "position_has_key"},
      {Guard::compare_whole_row, "compare_whole_row"},
      {Guard::rows_with_checkpoint, "rows_with_checkpoint"},
      {Guard::save_on_top, "save_on_top"},
      {Guard::heed_fence, "heed_fence"},
      {Guard::find_out_doubt, "find_out_doubt", Guard::save_on_top},
      {Guard::replace_at_once, "replace_at_once"},
      {Guard::first_load_waits, "first_load_waits"},
      {Guard::range_ends_last, "range_ends_last"},
      {Guard::fill_untouched, "fill_untouched"},
  }};
  return all;
}

Without::Without(const GuardName* guard) {
  switched_off = guard;
}

Without::~Without() {
  switched_off = nullptr;
}

}  // namespace sim
}  // namespace tidemark
