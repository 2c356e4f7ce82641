#include "connector/postgres/numeric.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "connector/postgres/wire.h"

namespace tidemark::postgres {
namespace {

constexpr std::uint16_t sign_positive = 0x0000;
constexpr std::uint16_t sign_negative = 0x4000;
constexpr std::uint16_t sign_nan = 0xC000;
constexpr std::uint16_t sign_infinity = 0xD000;
constexpr std::uint16_t sign_minus_infinity = 0xF000;
constexpr int digits_per_group = 4;
/// What numeric_recv accepts as display scale.
constexpr std::size_t max_scale = 0x3FFF;
/// Digits before the point that PostgreSQL can hold.
constexpr std::size_t max_whole_digits = 131072;

void append_group(std::string& text, std::uint16_t group) {
  const std::array<char, 4> digits{
      static_cast<char>('0' + group / 1000), static_cast<char>('0' + group / 100 % 10),
      static_cast<char>('0' + group / 10 % 10), static_cast<char>('0' + group % 10)};
  text.append(digits.data(), digits.size());
}

void append_header(std::string& out, std::int16_t count, std::int16_t weight, std::uint16_t sign,
                   std::uint16_t scale) {
  append_big_endian(out, count);
  append_big_endian(out, weight);
  append_big_endian(out, sign);
  append_big_endian(out, scale);
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool decode_numeric(std::string_view binary, std::string& text) {
  text.clear();
  if (binary.size() < 8) return false;
  const auto count = read_big_endian<std::int16_t>(binary.data());
  const auto weight = read_big_endian<std::int16_t>(binary.data() + 2);
  const auto sign = read_big_endian<std::uint16_t>(binary.data() + 4);
  const auto scale = read_big_endian<std::uint16_t>(binary.data() + 6);
  if (count < 0 || binary.size() != 8 + static_cast<std::size_t>(count) * 2) return false;
  if (scale > max_scale) return false;
  switch (sign) {
    case sign_nan:
      text = "NaN";
      return true;
    case sign_infinity:
      text = "Infinity";
      return true;
    case sign_minus_infinity:
      text = "-Infinity";
      return true;
    case sign_negative:
      text = "-";
      break;
    case sign_positive:
      break;
    default:
      return false;
  }
  const auto group_at = [&](int index) -> std::uint16_t {
    if (index < 0 || index >= count) return 0;
    return read_big_endian<std::uint16_t>(binary.data() + 8 + index * 2);
  };
  for (int index = 0; index < count; ++index)
    if (group_at(index) > 9999) return false;

  const std::size_t first = text.size();
  for (int index = 0; index <= weight; ++index)
    append_group(text, group_at(index));
  const std::size_t zeros = std::min(text.find_first_not_of('0', first), text.size());
  text.erase(first, zeros - first);
  if (text.size() == first) text += '0';
  if (scale != 0) {
    text += '.';
    const std::size_t fraction = text.size();
    for (int index = weight + 1; text.size() - fraction < scale; ++index)
      append_group(text, group_at(index));
    text.resize(fraction + scale);
  }
  // A server sends no negative zero, but its bytes have room for one.
  if (first == 1 && text.find_first_not_of("0.", first) == std::string::npos) text.erase(0, 1);
  return true;
}

bool encode_numeric(std::string_view text, std::string& out) {
  if (text == "NaN") return append_header(out, 0, 0, sign_nan, 0), true;
  if (text == "Infinity") return append_header(out, 0, 0, sign_infinity, 0), true;
  if (text == "-Infinity") return append_header(out, 0, 0, sign_minus_infinity, 0), true;
  std::uint16_t sign = sign_positive;
  if (text.starts_with('-')) {
    sign = sign_negative;
    text.remove_prefix(1);
  }
  const std::size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() || !all_digits(whole) || !all_digits(fraction)) return false;
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.size() > max_whole_digits || fraction.size() > max_scale) return false;

  // Groups of four digits are counted from the point in both directions.
  const int whole_groups =
      (static_cast<int>(whole.size()) + digits_per_group - 1) / digits_per_group;
  const int fraction_groups =
      (static_cast<int>(fraction.size()) + digits_per_group - 1) / digits_per_group;
  const auto digit_at = [&](int position) -> int {  // 0 is the first digit behind the point
    if (position < 0) {
      const int index = static_cast<int>(whole.size()) + position;
      return index < 0 ? 0 : whole[static_cast<std::size_t>(index)] - '0';
    }
    return position >= static_cast<int>(fraction.size())
               ? 0
               : fraction[static_cast<std::size_t>(position)] - '0';
  };
  const auto group_at = [&](int group) {  // 0 is the first group behind the point
    int value = 0;
    for (int digit = 0; digit < digits_per_group; ++digit)
      value = value * 10 + digit_at(group * digits_per_group + digit);
    return static_cast<std::uint16_t>(value);
  };
  int first = -whole_groups;
  int last = fraction_groups;
  while (first < last && group_at(first) == 0)
    ++first;
  while (last > first && group_at(last - 1) == 0)
    --last;
  const bool zero = first == last;
  append_header(out, static_cast<std::int16_t>(last - first),
                static_cast<std::int16_t>(zero ? 0 : -first - 1), zero ? sign_positive : sign,
                static_cast<std::uint16_t>(fraction.size()));
  for (int group = first; group < last; ++group)
    append_big_endian(out, group_at(group));
  return true;
}

DecimalShape shape_of(std::string_view text) {
  if (text.empty() || text == "NaN" || text.ends_with("Infinity")) return {.finite = false};
  if (text.front() == '-') text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::size_t leading = std::min(whole.find_first_not_of('0'), whole.size());
  DecimalShape shape{.whole = whole.size() - leading};
  if (point < text.size()) {
    const std::string_view fraction = text.substr(point + 1);
    const std::size_t last = fraction.find_last_not_of('0');
    shape.fraction = last == std::string_view::npos ? 0 : last + 1;
  }
  return shape;
}

}  // namespace tidemark::postgres
