#include "sync/late_rows.h"

#include "core/lateness.h"

namespace tidemark {
namespace {

constexpr std::size_t most_slices = 10;
/// Of number cursors: each slice is so many times as wide as the one nearer to the bound.
constexpr std::uint64_t number_step = 8;

/// Cursor values that part the slices, nearest to `bound` first.
std::vector<Value> cuts(const Value& bound) {
  std::vector<Value> all;
  if (is_temporal(bound.type.kind)) {
    for (const double limit : lateness_bounds())
      all.push_back(minus(bound, Duration(static_cast<std::int64_t>(limit * 1e6))));
    return all;
  }
  std::uint64_t width = 1;
  for (std::size_t index = 0; index < most_slices; ++index, width *= number_step)
    all.push_back(minus(bound, width));
  return all;
}

}  // namespace

std::vector<LateSlice> late_slices(const ColumnData& cursor, const Value& bound) {
  std::vector<LateSlice> slices;
  const std::size_t late = count_below(cursor, bound, false);
  std::size_t first = 0;
  const auto cut_at = [&](std::size_t end) {
    if (end <= first) return;
    slices.push_back({end, distance(bound, value_at(cursor, first))});
    first = end;
  };
  if (late == 0) return slices;
  const std::vector<Value> all = cuts(bound);
  for (std::size_t index = all.size(); index-- > 0;)
    cut_at(count_below(cursor, all[index], false));
  cut_at(late);
  return slices;
}

}  // namespace tidemark
