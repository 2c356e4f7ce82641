#include "connector/sqlite/cell_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "connector/sqlite/any_value.h"
#include "connector/sqlite/number_time.h"
#include "connector/sqlite/types.h"
#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::sqlite {
namespace {

const char* storage_name(int type) {
  switch (type) {
    case SQLITE_INTEGER:
      return "a whole number";
    case SQLITE_FLOAT:
      return "a floating-point number";
    case SQLITE_TEXT:
      return "text";
    case SQLITE_BLOB:
      return "a blob";
    default:
      return "NULL";
  }
}

/// Most text is ASCII, which is told eight bytes at a time.
bool is_text(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if ((eight & high_bits) != 0) return is_valid_utf8(text.substr(at));
  }
  return is_valid_utf8(text.substr(at));
}

constexpr std::int64_t exact_in_double = 9'007'199'254'740'992;

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

template <class T>
std::size_t push(ColumnData& into, T value) {
  into.push(value);
  return sizeof(T);
}

}  // namespace

bool fit_decimal(std::string& text, const Type& type) {
  const bool finite = text.find_first_of("NI") == std::string::npos;
  if (type.precision == 0 || !finite) return true;
  const auto scale = static_cast<std::size_t>(type.scale);
  std::size_t point = text.find('.');
  if (point == std::string::npos) {
    point = text.size();
    if (scale > 0) text += '.';
  }
  std::size_t fraction = text.size() > point ? text.size() - point - 1 : 0;
  for (; fraction < scale; ++fraction)
    text += '0';
  for (; fraction > scale; --fraction) {
    if (text.back() != '0') return false;
    text.pop_back();
  }
  if (!text.empty() && text.back() == '.') text.pop_back();
  const std::size_t sign = text.front() == '-' ? 1 : 0;
  std::size_t whole = point - sign;
  if (whole == 1 && text[sign] == '0') whole = 0;
  return whole + scale <= type.precision;
}

void CellReader::refuse(sqlite3_stmt* statement) const {
  throw Error({.kind = FailureKind::conversion,
               .message = std::string(storage_name(sqlite3_column_type(statement, index_))) +
                          " stands here that is no valid " + to_string(column_.type) +
                          (column_.native_type.empty() ? "" : " (" + column_.native_type + ")"),
               .operation = "read",
               .column = column_.name,
               .hint = hint()});
}

std::string CellReader::hint() const {
  std::string text =
      "SQLite takes any value in any column: correct the value, or say how it is meant: ";
  if (is_temporal(column_.type.kind) && !named_)
    text += "`type: " + std::string(to_string(column_.type.kind)) +
            "` takes whole numbers as Unix seconds and others as Julian days, ";
  return text + "`type: text` takes any text or number, `type: \"sqlite:any\"` any value.";
}

std::size_t CellReader::read(const Statement& statement, ColumnData& into) const {
  sqlite3_stmt* raw = statement.get();
  if (sqlite3_column_type(raw, index_) == SQLITE_NULL) {
    into.push_null();
    return 1;
  }
  switch (column_.type.kind) {
    case TypeKind::uint64:
      return read_unsigned(raw, into);
    case TypeKind::float32:
    case TypeKind::float64:
      return read_float(raw, into);
    case TypeKind::decimal:
      return read_decimal(statement, into);
    case TypeKind::text:
      return named_ ? read_any_text(statement, into) : read_text(statement, into);
    case TypeKind::json:
      return read_text(statement, into);
    case TypeKind::native:
      return read_literal(statement, into);
    case TypeKind::bytes:
      return read_bytes(raw, into);
    case TypeKind::date:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return named_ ? read_moment(statement, into) : read_parsed(statement, into);
    case TypeKind::time:
    case TypeKind::interval:
    case TypeKind::uuid:
      return read_parsed(statement, into);
    default:
      return read_integer(raw, into);
  }
}

std::size_t CellReader::read_integer(sqlite3_stmt* statement, ColumnData& into) const {
  if (sqlite3_column_type(statement, index_) != SQLITE_INTEGER) refuse(statement);
  const std::int64_t value = sqlite3_column_int64(statement, index_);
  const IntegerRange range = range_of(column_.type.kind);
  if (value < range.least || value > range.greatest) refuse(statement);
  switch (column_.type.kind) {
    case TypeKind::boolean:
    case TypeKind::uint8:
      return push(into, static_cast<std::uint8_t>(value));
    case TypeKind::int8:
      return push(into, static_cast<std::int8_t>(value));
    case TypeKind::int16:
      return push(into, static_cast<std::int16_t>(value));
    case TypeKind::int32:
      return push(into, static_cast<std::int32_t>(value));
    case TypeKind::uint16:
      return push(into, static_cast<std::uint16_t>(value));
    case TypeKind::uint32:
      return push(into, static_cast<std::uint32_t>(value));
    default:
      return push(into, value);
  }
}

std::size_t CellReader::read_unsigned(sqlite3_stmt* statement, ColumnData& into) const {
  const int type = sqlite3_column_type(statement, index_);
  if (type == SQLITE_INTEGER) {
    const std::int64_t value = sqlite3_column_int64(statement, index_);
    if (value < 0) refuse(statement);
    return push(into, static_cast<std::uint64_t>(value));
  }
  const auto* digits = reinterpret_cast<const char*>(sqlite3_column_text(statement, index_));
  if (type != SQLITE_TEXT || sqlite3_column_bytes(statement, index_) != 20) refuse(statement);
  std::uint64_t value = 0;
  for (int at = 0; at < 20; ++at) {
    const char c = digits[at];
    if (c < '0' || c > '9' || __builtin_mul_overflow(value, 10U, &value) ||
        __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value))
      refuse(statement);
  }
  return push(into, value);
}

std::size_t CellReader::read_float(sqlite3_stmt* statement, ColumnData& into) const {
  const int type = sqlite3_column_type(statement, index_);
  double value = 0;
  if (type == SQLITE_FLOAT) {
    value = sqlite3_column_double(statement, index_);
  } else if (type == SQLITE_INTEGER) {
    // Other programs may write a whole number into a column that converts nothing.
    const std::int64_t whole = sqlite3_column_int64(statement, index_);
    if (whole < -exact_in_double || whole > exact_in_double) refuse(statement);
    value = static_cast<double>(whole);
  } else if (type == SQLITE_TEXT && sqlite3_column_bytes(statement, index_) == 3 &&
             std::memcmp(sqlite3_column_text(statement, index_), "NaN", 3) == 0) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    refuse(statement);
  }
  if (column_.type.kind == TypeKind::float64) return push(into, value);
  const auto narrow = static_cast<float>(value);
  if (!std::isnan(value) && static_cast<double>(narrow) != value) refuse(statement);
  return push(into, narrow);
}

std::size_t CellReader::read_decimal(const Statement& statement, ColumnData& into) const {
  std::string text;
  try {
    switch (sqlite3_column_type(statement.get(), index_)) {
      case SQLITE_INTEGER:
        text = std::to_string(sqlite3_column_int64(statement.get(), index_));
        break;
      case SQLITE_FLOAT:
        // The shortest text is what was written, as long as it had no more than 15 digits.
        text = canonical_decimal(format_float(sqlite3_column_double(statement.get(), index_)));
        break;
      case SQLITE_TEXT:
        text = canonical_decimal(statement.text(index_));
        break;
      default:
        refuse(statement.get());
    }
  } catch (const Error& error) {
    if (!error.fields().column.empty()) throw;
    refuse(statement.get());
  }
  if (!fit_decimal(text, column_.type)) refuse(statement.get());
  into.push_bytes(text);
  return text.size() + sizeof(std::uint32_t);
}

std::size_t CellReader::read_text(const Statement& statement, ColumnData& into) const {
  if (sqlite3_column_type(statement.get(), index_) != SQLITE_TEXT) refuse(statement.get());
  const std::string_view text = statement.text(index_);
  if (!is_text(text)) refuse(statement.get());
  const std::size_t limit = column_.type.length;
  if (limit != 0 && text.size() > limit && characters_of(text) > limit) refuse(statement.get());
  into.push_bytes(text);
  return text.size() + sizeof(std::uint32_t);
}

std::size_t CellReader::read_any_text(const Statement& statement, ColumnData& into) const {
  if (sqlite3_column_type(statement.get(), index_) == SQLITE_BLOB) refuse(statement.get());
  const std::string text = plain_text_of(statement, index_);
  if (!is_text(text)) refuse(statement.get());
  into.push_bytes(text);
  return text.size() + sizeof(std::uint32_t);
}

std::size_t CellReader::read_literal(const Statement& statement, ColumnData& into) const {
  const std::string literal = literal_of(statement, index_);
  into.push_bytes(literal);
  return literal.size() + sizeof(std::uint32_t);
}

/// A text as ever, a number as SQLite's date functions read it.
std::size_t CellReader::read_moment(const Statement& statement, ColumnData& into) const {
  std::optional<std::int64_t> micros;
  switch (sqlite3_column_type(statement.get(), index_)) {
    case SQLITE_INTEGER:
      micros = micros_of_unix(sqlite3_column_int64(statement.get(), index_));
      break;
    case SQLITE_FLOAT:
      micros = micros_of_julian(sqlite3_column_double(statement.get(), index_));
      break;
    default:
      return read_parsed(statement, into);
  }
  if (!micros) refuse(statement.get());
  if (column_.type.kind != TypeKind::date) return push(into, *micros);
  if (*micros % micros_per_day != 0) refuse(statement.get());
  return push(into, static_cast<std::int32_t>(*micros / micros_per_day));
}

std::size_t CellReader::read_bytes(sqlite3_stmt* statement, ColumnData& into) const {
  if (sqlite3_column_type(statement, index_) != SQLITE_BLOB) refuse(statement);
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, index_));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, index_));
  if (column_.type.length != 0 && size > column_.type.length) refuse(statement);
  into.push_bytes(size == 0 ? std::string_view{} : std::string_view(data, size));
  return size + sizeof(std::uint32_t);
}

std::size_t CellReader::read_parsed(const Statement& statement, ColumnData& into) const {
  if (sqlite3_column_type(statement.get(), index_) != SQLITE_TEXT) refuse(statement.get());
  const std::string_view text = statement.text(index_);
  try {
    switch (column_.type.kind) {
      case TypeKind::date:
        return push(into, parse_date(text));
      case TypeKind::time:
        return push(into, parse_time(text));
      case TypeKind::timestamp:
        return push(into, parse_timestamp(text));
      case TypeKind::instant:
        return push(into, parse_instant(text));
      default:
        push_text(into, text);
        return 16;
    }
  } catch (const Error&) {
    refuse(statement.get());
  }
}

}  // namespace tidemark::sqlite
