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
constexpr std::size_t digits_per_group = 4;
constexpr std::uint16_t no_group = 0xFFFF;
/// What numeric_recv accepts as display scale.
constexpr std::size_t max_scale = 0x3FFF;
/// Digits before the point that PostgreSQL can hold.
constexpr std::size_t max_whole_digits = 131072;

void append_group(std::string& text, std::uint16_t group, bool leads) {
  const std::array<char, 4> digits{
      static_cast<char>('0' + group / 1000), static_cast<char>('0' + group / 100 % 10),
      static_cast<char>('0' + group / 10 % 10), static_cast<char>('0' + group % 10)};
  std::size_t skipped = 0;
  if (leads) skipped = group >= 1000 ? 0 : group >= 100 ? 1 : group >= 10 ? 2 : 3;
  text.append(digits.data() + skipped, digits.size() - skipped);
}

void append_header(std::string& out, std::int16_t count, std::int16_t weight, std::uint16_t sign,
                   std::uint16_t scale) {
  append_big_endian(out, count);
  append_big_endian(out, weight);
  append_big_endian(out, sign);
  append_big_endian(out, scale);
}

/// Digits of a decimal as groups of four, behind a header that `finish` fills in. Groups of zeros
/// at either end are left out.
class GroupWriter {
 public:
  /// `weight`: of the first group.
  GroupWriter(std::string& out, int weight) : out_(out), start_(out.size()), weight_(weight) {
    out_.append(header_size, '\0');
    end_ = out_.size();
  }
  void add(std::uint16_t group) {
    if (group == 0 && end_ == start_ + header_size) {
      --weight_;
      return;
    }
    append_big_endian(out_, group);
    if (group != 0) end_ = out_.size();
  }
  void finish(std::uint16_t sign, std::size_t scale) {
    out_.resize(end_);
    const std::size_t groups = (end_ - start_ - header_size) / sizeof(std::uint16_t);
    const bool zero = groups == 0;
    put(0, static_cast<std::uint16_t>(groups));
    put(2, static_cast<std::uint16_t>(zero ? 0 : weight_));
    put(4, zero ? sign_positive : sign);
    put(6, static_cast<std::uint16_t>(scale));
  }
  void drop() { out_.resize(start_); }

 private:
  static constexpr std::size_t header_size = 8;
  void put(std::size_t at, std::uint16_t value) {
    put_big_endian(out_.data() + start_ + at, value);
  }

  std::string& out_;
  std::size_t start_;
  std::size_t end_ = 0;  ///< behind the last group that is not zero
  int weight_;
};

/// The value of up to four digits; above 9999 where one of them is none.
std::uint16_t group_of(std::string_view digits) {
  std::uint16_t value = 0;
  bool only_digits = true;
  for (const char c : digits) {
    const auto digit = static_cast<unsigned char>(c - '0');
    only_digits = only_digits && digit <= 9;
    value = static_cast<std::uint16_t>(value * 10 + digit);
  }
  return only_digits ? value : no_group;
}

}  // namespace

bool decode_numeric(std::string_view binary, std::string& text) {
  text.clear();
  if (binary.size() < 8) return false;
  const auto count = read_big_endian<std::int16_t>(binary.data());
  // Zero has no groups, and then neither weight nor sign.
  const int weight = count == 0 ? -1 : read_big_endian<std::int16_t>(binary.data() + 2);
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
  if (count > 0 && group_at(0) == 0) return false;

  // The first group stands without the zeros before it, those behind it whole.
  if (weight < 0) text += '0';
  for (int index = 0; index <= weight; ++index)
    append_group(text, group_at(index), index == 0);
  if (scale != 0) {
    text += '.';
    const std::size_t fraction = text.size();
    for (int index = weight + 1; text.size() - fraction < scale; ++index)
      append_group(text, group_at(index), false);
    text.resize(fraction + scale);
  }
  // A server sends no negative zero, but its bytes have room for one.
  if (weight < 0 && sign == sign_negative && text.find_first_not_of("-0.") == std::string::npos)
    text.erase(0, 1);
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
  if (whole.empty()) return false;
  if (whole.front() == '0')
    whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  if (whole.size() > max_whole_digits || fraction.size() > max_scale) return false;

  // Groups of four digits are counted from the point in both directions.
  const std::size_t groups = (whole.size() + digits_per_group - 1) / digits_per_group;
  GroupWriter writer(out, static_cast<int>(groups) - 1);
  const auto add = [&](std::string_view digits, unsigned factor) {
    const std::uint16_t group = group_of(digits);
    if (group == no_group) return false;
    writer.add(static_cast<std::uint16_t>(group * factor));
    return true;
  };
  bool good = true;
  for (std::size_t size = (whole.size() + digits_per_group - 1) % digits_per_group + 1;
       good && !whole.empty(); size = digits_per_group) {
    good = add(whole.substr(0, size), 1);
    whole.remove_prefix(size);
  }
  for (std::string_view rest = fraction; good && !rest.empty();) {
    constexpr std::array<unsigned, 5> missing_places{0, 1000, 100, 10, 1};
    const std::string_view digits = rest.substr(0, digits_per_group);
    good = add(digits, missing_places[digits.size()]);
    rest.remove_prefix(digits.size());
  }
  if (good)
    writer.finish(sign, fraction.size());
  else
    writer.drop();
  return good;
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
