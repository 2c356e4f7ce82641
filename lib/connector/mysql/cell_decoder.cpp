#include "connector/mysql/cell_decoder.h"

#include <cstring>

#include "connector/mysql/native_type.h"
#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::mysql {
namespace {

/// Reads the fields of a binary row; the server's integers are little-endian, as is this code's
/// machine (checked below), so they are copied.
class Wire {
 public:
  explicit Wire(unsigned char** at) : at_(at) {}
  template <class T>
  T take() {
    T value;
    std::memcpy(&value, *at_, sizeof(T));
    *at_ += sizeof(T);
    return value;
  }
  std::string_view take_text() {
    const std::size_t length = take_length();
    const std::string_view text(reinterpret_cast<const char*>(*at_), length);
    *at_ += length;
    return text;
  }
  void skip(std::size_t bytes) { *at_ += bytes; }

 private:
  std::size_t take_length() {
    const auto first = take<std::uint8_t>();
    if (first < 251) return first;
    if (first == 252) return take<std::uint16_t>();
    if (first == 254) return static_cast<std::size_t>(take<std::uint64_t>());
    const std::size_t low = take<std::uint16_t>();
    return low | static_cast<std::size_t>(take<std::uint8_t>()) << 16;
  }
  unsigned char** at_;
};
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

[[noreturn]] void refuse(const char* what, const char* hint = "") {
  throw Error(
      {.kind = FailureKind::conversion, .message = what, .operation = "read", .hint = hint});
}

struct Moment {
  CivilDate date{};
  std::int64_t clock = 0;
};

/// DATE, DATETIME and TIMESTAMP; a length of 0 is the zero date.
Moment take_moment(Wire& wire) {
  const auto length = wire.take<std::uint8_t>();
  Moment moment;
  if (length >= 4) {
    moment.date.year = wire.take<std::uint16_t>();
    moment.date.month = wire.take<std::uint8_t>();
    moment.date.day = wire.take<std::uint8_t>();
  }
  if (length >= 7) {
    const std::int64_t hours = wire.take<std::uint8_t>();
    const std::int64_t minutes = wire.take<std::uint8_t>();
    const std::int64_t seconds = wire.take<std::uint8_t>();
    moment.clock = ((hours * 60 + minutes) * 60 + seconds) * micros_per_second;
  }
  if (length >= 11) moment.clock += wire.take<std::uint32_t>();
  return moment;
}

/// TIME is a span: signed, up to 838 hours.
std::int64_t take_time(Wire& wire) {
  const auto length = wire.take<std::uint8_t>();
  if (length == 0) return 0;
  const bool negative = wire.take<std::uint8_t>() != 0;
  const std::int64_t days = wire.take<std::uint32_t>();
  const std::int64_t hours = wire.take<std::uint8_t>();
  const std::int64_t minutes = wire.take<std::uint8_t>();
  const std::int64_t seconds = wire.take<std::uint8_t>();
  // The protocol has room for 2^32 days; more than fit in 64 bits would be no TIME.
  constexpr std::int64_t most_days = 35;
  if (days > most_days) refuse("a time is out of the range of TIME");
  std::int64_t micros = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * micros_per_second;
  if (length >= 12) micros += wire.take<std::uint32_t>();
  return negative ? -micros : micros;
}

/// As much of an integer of any kind as decides what to push: sign and magnitude apart, so that
/// 2^64 - 1 and -2^63 are both exact.
struct AnyInteger {
  bool negative = false;
  std::uint64_t bits = 0;  ///< two's complement where negative
};

template <class Signed, class Unsigned>
AnyInteger take_integer(Wire& wire, bool is_unsigned) {
  if (is_unsigned) return {false, wire.take<Unsigned>()};
  const std::int64_t value = wire.take<Signed>();
  return {value < 0, static_cast<std::uint64_t>(value)};
}

template <class T>
void push_integer(ColumnData& column, AnyInteger value) {
  const auto narrow = static_cast<T>(value.bits);
  const bool same = static_cast<std::uint64_t>(narrow) == value.bits &&
                    (std::is_signed_v<T> ? (narrow < 0) == value.negative : !value.negative);
  if (!same) refuse("a number is out of the range of the type that was described");
  column.push(narrow);
}

void push_any_integer(ColumnData& column, AnyInteger value) {
  switch (column.type().kind) {
    case TypeKind::boolean:
      if (value.bits > 1) refuse("a boolean is neither 0 nor 1");
      return column.push(static_cast<std::uint8_t>(value.bits));
    case TypeKind::int8:
      return push_integer<std::int8_t>(column, value);
    case TypeKind::int16:
      return push_integer<std::int16_t>(column, value);
    case TypeKind::int32:
      return push_integer<std::int32_t>(column, value);
    case TypeKind::int64:
      return push_integer<std::int64_t>(column, value);
    case TypeKind::uint8:
      return push_integer<std::uint8_t>(column, value);
    case TypeKind::uint16:
      return push_integer<std::uint16_t>(column, value);
    case TypeKind::uint32:
      return push_integer<std::uint32_t>(column, value);
    case TypeKind::uint64:
      return push_integer<std::uint64_t>(column, value);
    default:
      return push_text(column, value.negative
                                   ? std::to_string(static_cast<std::int64_t>(value.bits))
                                   : std::to_string(value.bits));
  }
}

void push_moment(ColumnData& column, const Moment& moment) {
  // Zero and partial dates are no dates; year 0 does not exist in this calendar's SQL either.
  if (moment.date.year == 0 || !is_valid(moment.date))
    refuse("a zero or partial date is no date",
           "Carry the column as text: set `type: text` in its rule, or an entry like "
           "\"mysql:date\": text in `types`.");
  const std::int32_t days = days_from_civil(moment.date);
  switch (column.type().kind) {
    case TypeKind::date:
      if (moment.clock != 0) refuse("a date has a time of day");
      return column.push(days);
    case TypeKind::timestamp:
    case TypeKind::instant:
      return column.push(static_cast<std::int64_t>(days) * micros_per_day + moment.clock);
    default:
      return push_text(column, format_timestamp(static_cast<std::int64_t>(days) * micros_per_day +
                                                moment.clock));
  }
}

void push_wire_text(ColumnData& column, std::string_view text) {
  switch (column.type().kind) {
    case TypeKind::bytes:
      return column.push_bytes(text);
    case TypeKind::text:
    case TypeKind::json:
    case TypeKind::native:
      if (!is_valid_utf8(text))
        refuse("a text has characters that Unicode does not have",
               "Correct them at the source, or read the column as bytes in a query: CAST(… AS "
               "BINARY).");
      return column.push_bytes(text);
    case TypeKind::decimal:
      // Canonical already, but for ZEROFILL.
      if (text.size() > 1 && text[0] == '0' && text[1] != '.') return push_text(column, text);
      return column.push_bytes(text);
    default:
      return push_text(column, text);
  }
}

void push_bits(ColumnData& column, std::string_view bytes) {
  if (column.type().kind == TypeKind::native) {
    const auto native = parse_origin(column.type().origin);
    return column.push_bytes(bit_digits(bytes, native ? native->argument : 64));
  }
  AnyInteger value;
  for (const char byte : bytes)
    value.bits = value.bits << 8 | static_cast<unsigned char>(byte);
  push_any_integer(column, value);
}

}  // namespace

void decode_cell(const WireField& field, unsigned char** at, ColumnData& column) {
  Wire wire(at);
  switch (field.type) {
    case MYSQL_TYPE_TINY:
      return push_any_integer(column,
                              take_integer<std::int8_t, std::uint8_t>(wire, field.is_unsigned));
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
      return push_any_integer(column,
                              take_integer<std::int16_t, std::uint16_t>(wire, field.is_unsigned));
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
      return push_any_integer(column,
                              take_integer<std::int32_t, std::uint32_t>(wire, field.is_unsigned));
    case MYSQL_TYPE_LONGLONG:
      return push_any_integer(column,
                              take_integer<std::int64_t, std::uint64_t>(wire, field.is_unsigned));
    case MYSQL_TYPE_FLOAT: {
      const auto value = wire.take<float>();
      if (column.type().kind == TypeKind::float32) return column.push(value);
      if (column.type().kind == TypeKind::float64) return column.push(static_cast<double>(value));
      return push_text(column, format_float(value));
    }
    case MYSQL_TYPE_DOUBLE: {
      const auto value = wire.take<double>();
      if (column.type().kind == TypeKind::float64) return column.push(value);
      return push_text(column, format_float(value));
    }
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
      return push_moment(column, take_moment(wire));
    case MYSQL_TYPE_TIME: {
      const std::int64_t micros = take_time(wire);
      if (column.type().kind == TypeKind::time) return column.push(micros);
      return push_text(column, format_time(micros));
    }
    case MYSQL_TYPE_BIT:
      return push_bits(column, wire.take_text());
    default:
      if (field.geometry) return column.push_bytes(to_hex(wire.take_text()));
      return push_wire_text(column, wire.take_text());
  }
}

}  // namespace tidemark::mysql
