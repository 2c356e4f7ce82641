#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/batch.h"
#include "core/ports.h"
#include "core/value.h"

namespace tidemark {

// Arithmetic of cursor values (is_cursor_type). Any thread; nulls are not allowed.

/// How far apart two cursor values are: one of the two, by the cursor's type.
struct Distance {
  Duration time{};
  std::uint64_t count = 0;
  bool none() const noexcept { return time == Duration::zero() && count == 0; }
  friend bool operator==(const Distance&, const Distance&) = default;
};

/// Reads a value as configuration or a person wrote it. Throws Error{conversion} without it.
Value parse_cursor_value(const Type& type, const std::string& text);

/// The value so far behind, or ahead for a negative distance; for temporal types cut down to the
/// type's precision. Infinities and the type's lowest value stay.
Value minus(const Value& value, Duration distance);
/// The same for numbers.
Value minus(const Value& value, std::uint64_t distance);

inline Value minus(const Value& value, const Distance& distance) {
  return distance.count > 0 ? minus(value, distance.count) : minus(value, distance.time);
}
/// From `low` up to `high`; nothing where it is not below, or either is an infinity. Numbers that
/// are further apart than 64 bits are as far apart as these say.
Distance distance(const Value& high, const Value& low);

const Value& lesser(const Value& left, const Value& right);
const Value& greater(const Value& left, const Value& right);
inline bool less(const Value& left, const Value& right) {
  return compare_cursor(left, right) < 0;
}

/// Rows at the start of a batch whose cursor is below `bound` (or at it, if `inclusive`); the batch
/// is in cursor order and its cursors are not NULL. Looks at few rows.
std::size_t count_below(const ColumnData& cursor, const Value& bound, bool inclusive);

/// A temporal value on the wall clock, local time taken as UTC; nullopt for numbers and infinities.
std::optional<WallTime> wall_time_of(const Value& value);

}  // namespace tidemark
