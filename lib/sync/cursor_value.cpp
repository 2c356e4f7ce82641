#include "sync/cursor_value.h"

#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/temporal.h"

namespace tidemark {
namespace {

bool is_number(const Type& type) {
  return is_integer(type.kind) || type.kind == TypeKind::decimal;
}

std::int64_t floor_days(std::int64_t micros) {
  return micros / micros_per_day - (micros % micros_per_day < 0 ? 1 : 0);
}

/// Decimal digits of an unsigned number, `left` not less than `right`.
std::string digits_minus(std::string left, const std::string& right) {
  int borrow = 0;
  for (std::size_t place = 0; place < left.size(); ++place) {
    char& digit = left[left.size() - 1 - place];
    int value = digit - '0' - borrow;
    if (place < right.size()) value -= right[right.size() - 1 - place] - '0';
    borrow = value < 0 ? 1 : 0;
    digit = static_cast<char>('0' + value + 10 * borrow);
  }
  const std::size_t first = left.find_first_not_of('0');
  return first == std::string::npos ? "0" : left.substr(first);
}

std::string digits_plus(std::string left, const std::string& right) {
  left.insert(0, right.size() > left.size() ? right.size() - left.size() + 1 : 1, '0');
  int carry = 0;
  for (std::size_t place = 0; place < left.size(); ++place) {
    char& digit = left[left.size() - 1 - place];
    int value = digit - '0' + carry;
    if (place < right.size()) value += right[right.size() - 1 - place] - '0';
    carry = value / 10;
    digit = static_cast<char>('0' + value % 10);
  }
  const std::size_t first = left.find_first_not_of('0');
  return first == std::string::npos ? "0" : left.substr(first);
}

}  // namespace

Value parse_cursor_value(const Type& type, const std::string& text) {
  ColumnData column(type);
  push_text(column, text);
  return Value::of(type, text_of(column, 0));
}

Value minus(const Value& value, Duration distance) {
  if (value.type.kind == TypeKind::date) {
    const std::int32_t days = parse_date(value.text);
    if (days == date_infinity || days == date_minus_infinity) return value;
    // In days: the microseconds of PostgreSQL's last dates are more than 64 bits hold.
    const std::int64_t back = std::clamp<std::int64_t>(days + floor_days(-distance.count()),
                                                       date_minus_infinity + 1, date_infinity - 1);
    return Value::of(value.type, format_date(static_cast<std::int32_t>(back)));
  }
  const bool instant = value.type.kind == TypeKind::instant;
  const std::int64_t micros = instant ? parse_instant(value.text) : parse_timestamp(value.text);
  if (micros == timestamp_infinity || micros == timestamp_minus_infinity) return value;
  const std::int64_t step = distance.count();
  const std::int64_t lowest = timestamp_minus_infinity + 1;
  const std::int64_t highest = timestamp_infinity - 1;
  const bool too_low = step > 0 && micros < lowest + step;
  const bool too_high = step < 0 && micros > highest + step;
  const std::int64_t back = too_low ? lowest : too_high ? highest : micros - step;
  const std::int64_t cut = floor_to_precision(back, value.type.precision);
  return Value::of(value.type, instant ? format_instant(cut) : format_timestamp(cut));
}

Value minus(const Value& value, std::uint64_t distance) {
  const std::string step = std::to_string(distance);
  std::string digits = value.text.substr(0, value.text.find('.'));
  const bool negative = digits.starts_with('-');
  if (negative) digits.erase(0, 1);
  std::string back;
  if (negative)
    back = "-" + digits_plus(digits, step);
  else if (compare_cursor(value, Value::of(value.type, step)) >= 0)
    back = digits_minus(digits, step);
  else
    back = "-" + digits_minus(step, digits);
  try {
    return parse_cursor_value(value.type, back);
  } catch (const Error&) {
    // Below what the type holds: its lowest value. Unsigned types begin at 0, the others at a
    // power.
    if (!is_signed_integer(value.type.kind)) return Value::of(value.type, "0");
    const std::size_t bits = width_of(value.type.kind) * 8 - 1;
    return Value::of(value.type, "-" + std::to_string(std::uint64_t{1} << bits));
  }
}

Distance distance(const Value& high, const Value& low) {
  if (compare_cursor(low, high) >= 0) return {};
  if (!is_number(high.type)) {
    const auto to = wall_time_of(high);
    const auto from = wall_time_of(low);
    return to && from ? Distance{.time = *to - *from} : Distance{};
  }
  const auto whole = [](const Value& value) {
    return value.text.substr(value.text.starts_with('-') ? 1 : 0,
                             value.text.find('.') - (value.text.starts_with('-') ? 1 : 0));
  };
  const bool high_negative = high.text.starts_with('-');
  const bool low_negative = low.text.starts_with('-');
  // Fractions of decimals count as nothing: what is wanted is about how far.
  const std::string digits = high_negative  ? digits_minus(whole(low), whole(high))
                             : low_negative ? digits_plus(whole(high), whole(low))
                                            : digits_minus(whole(high), whole(low));
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  return {.count = error == std::errc() ? std::max<std::uint64_t>(count, 1) : UINT64_MAX};
}

const Value& lesser(const Value& left, const Value& right) {
  return compare_cursor(right, left) < 0 ? right : left;
}

const Value& greater(const Value& left, const Value& right) {
  return compare_cursor(right, left) > 0 ? right : left;
}

std::size_t count_below(const ColumnData& cursor, const Value& bound, bool inclusive) {
  std::size_t low = 0;
  std::size_t high = cursor.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const auto order = compare_cursor(value_at(cursor, middle), bound);
    if (order < 0 || (inclusive && order == 0))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::optional<WallTime> wall_time_of(const Value& value) {
  if (value.null || is_number(value.type)) return std::nullopt;
  std::int64_t micros = 0;
  if (value.type.kind == TypeKind::date) {
    const std::int32_t days = parse_date(value.text);
    if (days == date_infinity || days == date_minus_infinity) return std::nullopt;
    micros = static_cast<std::int64_t>(days) * micros_per_day;
  } else {
    micros = value.type.kind == TypeKind::instant ? parse_instant(value.text)
                                                  : parse_timestamp(value.text);
  }
  if (micros == timestamp_infinity || micros == timestamp_minus_infinity) return std::nullopt;
  return WallTime(Duration(micros + unix_to_2000_seconds * micros_per_second));
}

}  // namespace tidemark
