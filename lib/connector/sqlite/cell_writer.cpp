#include "connector/sqlite/cell_writer.h"

#include <charconv>
#include <cmath>

#include "connector/sqlite/any_value.h"
#include "connector/sqlite/cell_reader.h"
#include "connector/sqlite/dialect.h"
#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::sqlite {
namespace {

/// Any integer or boolean cell; uint64 above 2^63-1 must not come here.
std::int64_t integer_at(const ColumnData& column, std::size_t row) {
  switch (column.type().kind) {
    case TypeKind::boolean:
    case TypeKind::uint8:
      return column.at<std::uint8_t>(row);
    case TypeKind::int8:
      return column.at<std::int8_t>(row);
    case TypeKind::int16:
      return column.at<std::int16_t>(row);
    case TypeKind::int32:
      return column.at<std::int32_t>(row);
    case TypeKind::uint16:
      return column.at<std::uint16_t>(row);
    case TypeKind::uint32:
      return column.at<std::uint32_t>(row);
    default:
      return column.at<std::int64_t>(row);
  }
}

bool holds_integers(TypeKind kind) {
  return is_integer(kind) || kind == TypeKind::boolean;
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++count;
  return count;
}

/// Digits from the first to the last that is not zero.
std::size_t significant_digits(std::string_view text) {
  std::size_t count = 0;
  std::size_t last = 0;
  bool started = false;
  for (const char c : text) {
    if (c < '0' || c > '9') continue;
    started = started || c != '0';
    if (!started) continue;
    ++count;
    if (c != '0') last = count;
  }
  return last;
}

char* two_digits(char* at, std::int64_t value) {
  *at++ = static_cast<char>('0' + value / 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

char* put_date(char* at, CivilDate date) {
  at = two_digits(at, date.year / 100);
  at = two_digits(at, date.year % 100);
  *at++ = '-';
  at = two_digits(at, date.month);
  *at++ = '-';
  return two_digits(at, date.day);
}

char* put_clock(char* at, std::int64_t micros) {
  const std::int64_t seconds = micros / micros_per_second;
  at = two_digits(at, seconds / 3600);
  *at++ = ':';
  at = two_digits(at, seconds / 60 % 60);
  *at++ = ':';
  at = two_digits(at, seconds % 60);
  std::int64_t fraction = micros % micros_per_second;
  if (fraction == 0) return at;
  *at++ = '.';
  for (std::int64_t unit = micros_per_second / 10; fraction != 0; unit /= 10) {
    *at++ = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  return at;
}

constexpr std::int32_t first_plain_day = -730'119;  // 0001-01-01
constexpr std::int32_t last_plain_day = 2'921'939;  // 9999-12-31

/// The same text as core/temporal.h makes, without an allocation; empty for what needs its care
/// (infinities, years before 1 and after 9999, spans of time).
std::string_view plain_text(char* buffer, TypeKind kind, std::int64_t value) {
  char* at = buffer;
  if (kind == TypeKind::time) {
    if (value < 0 || value >= 100 * 3600 * micros_per_second) return {};
    at = put_clock(at, value);
    return {buffer, static_cast<std::size_t>(at - buffer)};
  }
  std::int64_t days = kind == TypeKind::date ? value : value / micros_per_day;
  std::int64_t clock = kind == TypeKind::date ? 0 : value % micros_per_day;
  if (clock < 0) {
    clock += micros_per_day;
    --days;
  }
  if (days < first_plain_day || days > last_plain_day) return {};
  at = put_date(at, civil_from_days(static_cast<std::int32_t>(days)));
  if (kind != TypeKind::date) {
    *at++ = ' ';
    at = put_clock(at, clock);
  }
  if (kind == TypeKind::instant) {
    *at++ = '+';
    *at++ = '0';
    *at++ = '0';
  }
  return {buffer, static_cast<std::size_t>(at - buffer)};
}

bool is_temporal_text(TypeKind kind) {
  return is_temporal(kind) || kind == TypeKind::time;
}

}  // namespace

CellWriter::CellWriter(const TargetColumn& arriving, const Column& existing, int parameter)
    : name_(arriving.column.name),
      arriving_(arriving.column.type),
      existing_(existing.type),
      affinity_(affinity_of(existing.native_type)),
      form_(Form::canonical),
      lossy_(arriving.lossy == Lossy::allow),
      parameter_(parameter) {
  const TypeKind from = arriving_.kind;
  if (!native_name_in(arriving_, "sqlite").empty()) {
    form_ = Form::literal;
    return;
  }
  switch (existing_.kind) {
    case TypeKind::float32:
    case TypeKind::float64:
      form_ = Form::real;
      break;
    case TypeKind::decimal:
      form_ = Form::decimal;
      break;
    case TypeKind::bytes:
      form_ = Form::bytes;
      break;
    case TypeKind::native:
      form_ = open_form();
      break;
    case TypeKind::text:
    case TypeKind::json:
      if (is_temporal_text(from))
        form_ = Form::temporal;
      else if (storage_of(from) == Storage::variable && from != TypeKind::bytes)
        form_ = Form::text;
      break;
    default:
      if (existing_.kind == TypeKind::uint64 && affinity_ == Affinity::blob)
        form_ = Form::wide_unsigned;
      else if (holds_integers(existing_.kind))
        form_ = Form::integer;
      else if (is_temporal_text(existing_.kind))
        form_ = Form::temporal;
  }
}

/// Of a column whose declared type says nothing: whatever comes keeps its own class.
CellWriter::Form CellWriter::open_form() const {
  const TypeKind from = arriving_.kind;
  if (from == TypeKind::bytes) return Form::bytes;
  if (holds_integers(from)) return Form::integer;
  if (from == TypeKind::float32 || from == TypeKind::float64) return Form::real;
  if (is_temporal_text(from)) return Form::temporal;
  return storage_of(from) == Storage::variable ? Form::text : Form::canonical;
}

void CellWriter::refuse(const std::string& why) const {
  throw Error({.kind = FailureKind::conversion,
               .message = "a value does not fit: " + why,
               .operation = "write",
               .column = name_,
               .hint = "Correct the row at the source, or give the column a wider type."});
}

void CellWriter::bind(Statement& statement, const ColumnData& from, std::size_t row) {
  if (from.is_null(row)) return statement.bind_null(parameter_);
  switch (form_) {
    case Form::integer:
    case Form::wide_unsigned:
      return bind_integer(statement, from, row);
    case Form::real:
      return bind_real(statement, from, row);
    case Form::decimal:
      return bind_decimal(statement, from, row);
    case Form::temporal:
      return bind_temporal(statement, from, row);
    case Form::text:
      return bind_checked_text(statement, from.bytes_at(row));
    case Form::bytes:
      if (existing_.length != 0 && from.bytes_at(row).size() > existing_.length)
        refuse("it has more than " + std::to_string(existing_.length) + " bytes");
      return statement.bind_blob(parameter_, from.bytes_at(row));
    case Form::literal:
      if (!bind_literal(statement, parameter_, from.bytes_at(row)))
        refuse("it is no literal of SQLite");
      return;
    case Form::canonical:
      text_ = text_of(from, row);
      return bind_checked_text(statement, text_);
  }
}

void CellWriter::bind_integer(Statement& statement, const ColumnData& from, std::size_t row) {
  if (arriving_.kind == TypeKind::uint64 && from.at<std::uint64_t>(row) > INT64_MAX) {
    if (form_ != Form::wide_unsigned) refuse("it is greater than 9223372036854775807");
    text_ = wide_unsigned(std::to_string(from.at<std::uint64_t>(row)));
    return statement.bind_text(parameter_, text_);
  }
  if (arriving_.kind == TypeKind::decimal) {
    // Whole decimals may go into an integer column where the user allowed it.
    const std::string_view digits = from.bytes_at(row);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
      refuse("it is no whole number of 64 bits");
    return statement.bind(parameter_, value);
  }
  const std::int64_t value = integer_at(from, row);
  const IntegerRange range = range_of(existing_.kind);
  if (value < range.least || value > range.greatest)
    refuse("it is not between " + std::to_string(range.least) + " and " +
           std::to_string(range.greatest));
  statement.bind(parameter_, value);
}

void CellWriter::bind_real(Statement& statement, const ColumnData& from, std::size_t row) {
  double value = 0;
  if (arriving_.kind == TypeKind::float64) {
    value = from.at<double>(row);
  } else if (arriving_.kind == TypeKind::float32) {
    value = from.at<float>(row);
  } else if (arriving_.kind == TypeKind::decimal) {
    // Only where the user allowed it.
    const std::string_view digits = from.bytes_at(row);
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (result.ec != std::errc{}) refuse("it is no floating-point number");
  } else {
    const bool wide = arriving_.kind == TypeKind::uint64;
    value = wide ? static_cast<double>(from.at<std::uint64_t>(row))
                 : static_cast<double>(integer_at(from, row));
    constexpr double exact = 9007199254740992.0;
    if (!lossy_ && std::abs(value) > exact) refuse("it is not exact in a binary float");
  }
  const bool special = std::isnan(value);
  if (existing_.kind == TypeKind::float32 && !special &&
      static_cast<double>(static_cast<float>(value)) != value) {
    if (!lossy_) refuse("it is no float of 32 bits");
    value = static_cast<float>(value);
  }
  if (special) {
    // SQLite would make it NULL.
    if (affinity_ != Affinity::blob) refuse("SQLite's REAL has no NaN");
    return statement.bind_text(parameter_, "NaN");
  }
  if (value == 0 && std::signbit(value) && affinity_ != Affinity::blob && !lossy_)
    refuse("SQLite's REAL has no negative zero");
  statement.bind(parameter_, value);
}

void CellWriter::bind_decimal(Statement& statement, const ColumnData& from, std::size_t row) {
  if (holds_integers(arriving_.kind))
    text_ = arriving_.kind == TypeKind::uint64 ? std::to_string(from.at<std::uint64_t>(row))
                                               : std::to_string(integer_at(from, row));
  else
    text_ = from.bytes_at(row);
  if (!fit_decimal(text_, existing_))
    refuse("it has more digits than " + to_string(existing_) + " allows");
  if (affinity_ != Affinity::text &&
      (significant_digits(text_) > 15 || text_.find_first_of("NI") != std::string::npos) && !lossy_)
    refuse("this column keeps binary floats, which hold 15 digits");
  statement.bind_text(parameter_, text_);
}

void CellWriter::bind_temporal(Statement& statement, const ColumnData& from, std::size_t row) {
  std::int64_t value =
      arriving_.kind == TypeKind::date ? from.at<std::int32_t>(row) : from.at<std::int64_t>(row);
  if (arriving_.kind != TypeKind::date && existing_.kind == arriving_.kind) {
    const std::int64_t cut = floor_to_precision(value, existing_.precision);
    if (cut != value && !lossy_)
      refuse("it has more than " + std::to_string(existing_.precision) +
             " digits behind the second");
    value = cut;
  }
  std::string_view text = plain_text(buffer_.data(), arriving_.kind, value);
  if (text.empty()) {
    text_ = text_of(from, row);
    text = text_;
  }
  bind_checked_text(statement, text);
}

void CellWriter::bind_checked_text(Statement& statement, std::string_view text) {
  if (existing_.kind == TypeKind::text && existing_.length != 0 && text.size() > existing_.length &&
      characters(text) > existing_.length)
    refuse("it has more than " + std::to_string(existing_.length) + " characters");
  if (existing_.kind == TypeKind::native && affinity_ != Affinity::blob && looks_numeric(text))
    refuse("a column of numeric affinity would turn this text into a number");
  // A column without text affinity would turn a bare number into a number of its own form.
  if (existing_.kind == TypeKind::json && affinity_ != Affinity::text &&
      text.find_first_of("{[\"tfn") == std::string_view::npos)
    refuse("a JSON column changes bare numbers; declare it JSON_TEXT");
  statement.bind_text(parameter_, text);
}

}  // namespace tidemark::sqlite
