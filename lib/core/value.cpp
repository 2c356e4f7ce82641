#include "core/value.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "core/temporal.h"

namespace tidemark {
namespace {

[[noreturn]] void refuse(const Type& type) {
  throw Error(
      {.kind = FailureKind::conversion, .message = "the value is not a valid " + to_string(type)});
}

template <class T>
std::string format_number(T value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end};
}

template <class T>
T parse_number(std::string_view text, const Type& type) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse(type);
  return value;
}

template <class T>
T parse_float(std::string_view text, const Type& type) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "nan") return std::numeric_limits<T>::quiet_NaN();
  if (lower == "inf" || lower == "infinity") return std::numeric_limits<T>::infinity();
  if (lower == "-inf" || lower == "-infinity") return -std::numeric_limits<T>::infinity();
  std::string_view rest = lower;
  if (!rest.empty() && rest.front() == '+') rest.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (end != rest.data() + rest.size() || rest.empty()) refuse(type);
  // Out of range covers both too large, which is no such value, and denormals that round to zero.
  if (error != std::errc{}) refuse(type);
  return value;
}

template <class T>
std::string format_any_float(T value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  return format_number(value);
}

std::uint8_t parse_boolean(std::string_view text, const Type& type) {
  if (text == "true" || text == "t" || text == "1") return 1;
  if (text == "false" || text == "f" || text == "0") return 0;
  refuse(type);
}

Uuid parse_uuid(std::string_view text, const Type& type) {
  std::string digits;
  for (const char c : text)
    if (c != '-' && c != '{' && c != '}') digits += c;
  if (digits.size() != 32) refuse(type);
  const std::string raw = from_hex(digits);
  Uuid uuid;
  std::copy(raw.begin(), raw.end(), uuid.bytes.begin());
  return uuid;
}

std::string format_uuid(const Uuid& uuid) {
  std::string text = to_hex({reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size()});
  for (const std::size_t at : {8U, 13U, 18U, 23U})
    text.insert(at, 1, '-');
  return text;
}

std::string format_interval(const Interval& interval) {
  return "{\"months\":" + format_number(interval.months) +
         ",\"days\":" + format_number(interval.days) +
         ",\"micros\":" + format_number(interval.micros) + "}";
}

Interval parse_interval(std::string_view text, const Type& type) {
  Interval interval;
  const auto field = [&](std::string_view name, auto& into) {
    const std::string mark = "\"" + std::string(name) + "\":";
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) refuse(type);
    const char* start = text.data() + at + mark.size();
    if (std::from_chars(start, text.data() + text.size(), into).ec != std::errc{}) refuse(type);
  };
  field("months", interval.months);
  field("days", interval.days);
  field("micros", interval.micros);
  return interval;
}

std::strong_ordering compare_decimal_digits(std::string_view left, std::string_view right) {
  const bool left_negative = left.starts_with('-');
  const bool right_negative = right.starts_with('-');
  if (left_negative != right_negative)
    return left_negative ? std::strong_ordering::less : std::strong_ordering::greater;
  const auto digits = [](std::string_view text) {
    if (text.starts_with('-')) text.remove_prefix(1);
    text = text.substr(0, text.find('.'));
    const std::size_t first = text.find_first_not_of('0');
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
  };
  const std::string_view a = digits(left_negative ? right : left);
  const std::string_view b = digits(left_negative ? left : right);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

std::string format_float(float value) {
  return format_any_float(value);
}
std::string format_float(double value) {
  return format_any_float(value);
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char raw : bytes) {
    const auto byte = static_cast<unsigned char>(raw);
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string from_hex(std::string_view hex) {
  const auto nibble = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (hex.size() % 2 != 0) refuse(make_type(TypeKind::bytes));
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const int high = nibble(hex[at]);
    const int low = nibble(hex[at + 1]);
    if (high < 0 || low < 0) refuse(make_type(TypeKind::bytes));
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

bool is_valid_utf8(std::string_view text) noexcept {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    // Most text is ASCII for long stretches: eight bytes at a time.
    std::uint64_t eight = 0;
    while (static_cast<std::size_t>(end - at) >= sizeof(eight)) {
      std::memcpy(&eight, at, sizeof(eight));
      if ((eight & 0x8080808080808080U) != 0) break;
      at += sizeof(eight);
    }
    while (at < end && *at < 0x80)
      ++at;
    if (at == end) break;
    // Length and lowest second byte by the first byte: no overlong form, surrogate or > U+10FFFF.
    unsigned extra = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (*at >= 0xC2 && *at <= 0xDF) {
      extra = 1;
    } else if (*at >= 0xE0 && *at <= 0xEF) {
      extra = 2;
      if (*at == 0xE0) low = 0xA0;
      if (*at == 0xED) high = 0x9F;
    } else if (*at >= 0xF0 && *at <= 0xF4) {
      extra = 3;
      if (*at == 0xF0) low = 0x90;
      if (*at == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    if (static_cast<std::size_t>(end - at) <= extra) return false;
    if (at[1] < low || at[1] > high) return false;
    for (unsigned index = 2; index <= extra; ++index)
      if (at[index] < 0x80 || at[index] > 0xBF) return false;
    at += extra + 1;
  }
  return true;
}

std::string canonical_decimal(std::string_view text) {
  const Type decimal = make_type(TypeKind::decimal);
  if (text == "NaN") return "NaN";
  if (text == "Infinity" || text == "-Infinity") return std::string(text);
  std::size_t at = 0;
  const bool negative = !text.empty() && text.front() == '-';
  if (negative || (!text.empty() && text.front() == '+')) ++at;
  std::string whole;
  std::string fraction;
  bool point = false;
  for (; at < text.size() && text[at] != 'e' && text[at] != 'E'; ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      (point ? fraction : whole) += c;
    } else {
      refuse(decimal);
    }
  }
  if (whole.empty() && fraction.empty()) refuse(decimal);
  if (at < text.size()) {
    const int exponent = parse_number<int>(text.substr(at + 1), decimal);
    if (exponent > 200'000 || exponent < -200'000) refuse(decimal);
    // The point moves within the digits, or zeros are put between the two.
    std::string digits = whole + fraction;
    const int place = static_cast<int>(whole.size()) + exponent;
    if (place < 0) digits.insert(0, static_cast<std::size_t>(-place), '0');
    const auto at_point = static_cast<std::size_t>(std::max(place, 0));
    if (digits.size() < at_point) digits.resize(at_point, '0');
    whole = digits.substr(0, at_point);
    fraction = digits.substr(at_point);
  }
  const std::size_t first = whole.find_first_not_of('0');
  whole = first == std::string::npos ? "0" : whole.substr(first);
  const bool zero = whole == "0" && fraction.find_first_not_of('0') == std::string::npos;
  std::string result = negative && !zero ? "-" : "";
  result += whole;
  if (!fraction.empty()) result += "." + fraction;
  return result;
}

std::string text_of(const ColumnData& column, std::size_t row) {
  switch (column.type().kind) {
    case TypeKind::boolean:
      return column.at<std::uint8_t>(row) != 0 ? "true" : "false";
    case TypeKind::int8:
      return format_number(static_cast<int>(column.at<std::int8_t>(row)));
    case TypeKind::int16:
      return format_number(column.at<std::int16_t>(row));
    case TypeKind::int32:
      return format_number(column.at<std::int32_t>(row));
    case TypeKind::int64:
      return format_number(column.at<std::int64_t>(row));
    case TypeKind::uint8:
      return format_number(static_cast<unsigned>(column.at<std::uint8_t>(row)));
    case TypeKind::uint16:
      return format_number(column.at<std::uint16_t>(row));
    case TypeKind::uint32:
      return format_number(column.at<std::uint32_t>(row));
    case TypeKind::uint64:
      return format_number(column.at<std::uint64_t>(row));
    case TypeKind::float32:
      return format_float(column.at<float>(row));
    case TypeKind::float64:
      return format_float(column.at<double>(row));
    case TypeKind::date:
      return format_date(column.at<std::int32_t>(row));
    case TypeKind::time:
      return format_time(column.at<std::int64_t>(row));
    case TypeKind::timestamp:
      return format_timestamp(column.at<std::int64_t>(row));
    case TypeKind::instant:
      return format_instant(column.at<std::int64_t>(row));
    case TypeKind::interval:
      return format_interval(column.at<Interval>(row));
    case TypeKind::uuid:
      return format_uuid(column.at<Uuid>(row));
    case TypeKind::bytes:
      return to_hex(column.bytes_at(row));
    case TypeKind::decimal:
    case TypeKind::text:
    case TypeKind::json:
    case TypeKind::native:
      break;
  }
  return std::string(column.bytes_at(row));
}

Value value_at(const ColumnData& column, std::size_t row) {
  if (column.is_null(row)) return Value::null_of(column.type());
  return Value::of(column.type(), text_of(column, row));
}

void push_text(ColumnData& column, std::string_view text) {
  const Type& type = column.type();
  switch (type.kind) {
    case TypeKind::boolean:
      return column.push(parse_boolean(text, type));
    case TypeKind::int8:
      return column.push(parse_number<std::int8_t>(text, type));
    case TypeKind::int16:
      return column.push(parse_number<std::int16_t>(text, type));
    case TypeKind::int32:
      return column.push(parse_number<std::int32_t>(text, type));
    case TypeKind::int64:
      return column.push(parse_number<std::int64_t>(text, type));
    case TypeKind::uint8:
      return column.push(parse_number<std::uint8_t>(text, type));
    case TypeKind::uint16:
      return column.push(parse_number<std::uint16_t>(text, type));
    case TypeKind::uint32:
      return column.push(parse_number<std::uint32_t>(text, type));
    case TypeKind::uint64:
      return column.push(parse_number<std::uint64_t>(text, type));
    case TypeKind::float32:
      return column.push(parse_float<float>(text, type));
    case TypeKind::float64:
      return column.push(parse_float<double>(text, type));
    case TypeKind::date:
      return column.push(parse_date(text));
    case TypeKind::time:
      return column.push(parse_time(text));
    case TypeKind::timestamp:
      return column.push(parse_timestamp(text));
    case TypeKind::instant:
      return column.push(parse_instant(text));
    case TypeKind::interval:
      return column.push(parse_interval(text, type));
    case TypeKind::uuid:
      return column.push(parse_uuid(text, type));
    case TypeKind::bytes:
      return column.push_bytes(from_hex(text));
    case TypeKind::decimal:
      return column.push_bytes(canonical_decimal(text));
    case TypeKind::text:
    case TypeKind::json:
    case TypeKind::native:
      if (!is_valid_utf8(text)) refuse(type);
      return column.push_bytes(text);
  }
}

void push_value(ColumnData& column, const Value& value) {
  if (value.null)
    column.push_null();
  else
    push_text(column, value.text);
}

std::strong_ordering compare_cursor(const Value& left, const Value& right) {
  switch (left.type.kind) {
    case TypeKind::date:
      return parse_date(left.text) <=> parse_date(right.text);
    case TypeKind::timestamp:
      return parse_timestamp(left.text) <=> parse_timestamp(right.text);
    case TypeKind::instant:
      return parse_instant(left.text) <=> parse_instant(right.text);
    default:
      return compare_decimal_digits(left.text, right.text);
  }
}

}  // namespace tidemark
