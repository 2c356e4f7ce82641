#include "connector/mysql/params.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::mysql {
namespace {

/// TIME reaches to 838:59:59.999999 either way.
constexpr std::int64_t longest_time = ((838LL * 60 + 59) * 60 + 59) * micros_per_second + 999'999;

[[noreturn]] void refuse(const char* what) {
  throw Error({.kind = FailureKind::conversion, .message = what, .operation = "write"});
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void check_year(std::int32_t days) {
  const std::int32_t year = civil_from_days(days).year;
  if (year < 1 || year > 9999) refuse("a date lies outside the years 1 to 9999");
}

std::int32_t days_of(std::int64_t micros) {
  return static_cast<std::int32_t>((micros >= 0 ? micros : micros - micros_per_day + 1) /
                                   micros_per_day);
}

void check_moment(const WrittenColumn& column, std::int64_t micros) {
  if (micros == timestamp_infinity || micros == timestamp_minus_infinity)
    refuse("an infinite time has no counterpart in MySQL or MariaDB");
  check_year(days_of(micros));
  if (column.lossy == Lossy::allow || column.existing.kind == TypeKind::text) return;
  const unsigned digits = column.existing.kind == TypeKind::date ? 0 : column.existing.precision;
  if (floor_to_precision(micros, digits) != micros)
    refuse("fractions of a second would be cut off");
  if (column.existing.kind == TypeKind::date && micros % micros_per_day != 0)
    refuse("the time of day would be cut off");
}

void check_time(const WrittenColumn& column, std::int64_t micros) {
  if (micros > longest_time || micros < -longest_time)
    refuse("a time lies outside -838:59:59.999999 to 838:59:59.999999");
  if (column.lossy == Lossy::error && column.existing.kind == TypeKind::time &&
      floor_to_precision(micros, column.existing.precision) != micros)
    refuse("fractions of a second would be cut off");
}

/// Digits behind the point that are not zero; the server rounds what is too many with a mere note.
void check_decimal(const WrittenColumn& column, std::string_view text) {
  if (text.find_first_of("Nn") != std::string_view::npos)
    refuse("NaN or an infinite number has no counterpart in MySQL or MariaDB");
  if (column.lossy == Lossy::allow) return;
  int scale = 0;
  if (column.existing.kind == TypeKind::decimal)
    scale = column.existing.scale;
  else if (!is_integer(column.existing.kind))
    return;
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return;
  const std::size_t last = text.find_last_not_of('0');
  if (last > point && last - point > static_cast<std::size_t>(scale))
    refuse("digits behind the point would be rounded off");
}

void check_text(const WrittenColumn& column, std::string_view text) {
  // In excess of a VARCHAR, the server drops trailing blanks without an error.
  if (column.existing.kind == TypeKind::text && column.existing.length != 0 &&
      text.size() > column.existing.length && characters(text) > column.existing.length)
    refuse("a text is too long for the column");
  if (column.existing.kind == TypeKind::text && column.existing.fixed &&
      column.lossy == Lossy::error && !column.arriving.fixed && text.ends_with(' '))
    refuse("trailing blanks would be lost in a CHAR column");
}

bool is_worded(const Type& type) {
  return storage_of(type.kind) == Storage::variable;
}

/// BIT, ENUM and SET take their number, where texts would be matched by the collation, or read as a
/// number themselves ('1' is the first label where no label is '1').
bool is_numbered(const WrittenColumn& column) {
  if (!column.native || !is_worded(column.arriving)) return false;
  return column.native->kind == NativeKind::bit || column.native->kind == NativeKind::enumeration ||
         column.native->kind == NativeKind::set;
}

bool is_geometry(const WrittenColumn& column) {
  return column.native && column.native->kind == NativeKind::geometry && is_worded(column.arriving);
}

std::uint64_t number_of(const WrittenColumn& column, std::string_view text) {
  switch (column.native->kind) {
    case NativeKind::enumeration:
      return label_number(*column.native, text);
    case NativeKind::set:
      return label_mask(*column.native, text);
    default:
      if (text.size() != column.native->argument && column.lossy == Lossy::error)
        refuse("a text has another number of digits than the BIT column");
      return bits_from_digits(text);
  }
}

std::int64_t small_integer(const ColumnData& data, std::size_t row) {
  if (data.type().kind == TypeKind::uint64 && data.at<std::uint64_t>(row) > INT64_MAX)
    return INT64_MAX;
  return std::stoll(text_of(data, row));
}

/// Integers that YEAR would read in another way, and negative ones that BIT would take as bits.
void check_native_integer(const WrittenColumn& column, const ColumnData& data, std::size_t row) {
  const std::int64_t value = small_integer(data, row);
  if (column.native->kind == NativeKind::year && value != 0 && (value < 1901 || value > 2155))
    refuse("a number is no YEAR: that holds 0 and 1901 to 2155");
  if (column.native->kind == NativeKind::bit && value < 0)
    refuse("a negative number has no place in a BIT column");
}

void check_native(const WrittenColumn& column, const ColumnData& data, std::size_t row) {
  if (is_integer(column.arriving.kind)) return check_native_integer(column, data, row);
  if (!is_worded(column.arriving) || column.arriving.kind == TypeKind::bytes) return;
  if (is_numbered(column))
    static_cast<void>(number_of(column, data.bytes_at(row)));
  else
    check_own_form(*column.native, data.bytes_at(row));
}

template <class T>
void check_finite(T value) {
  if (!std::isfinite(value))
    refuse("NaN or an infinite number has no counterpart in MySQL or MariaDB");
}

}  // namespace

void check_cell(const WrittenColumn& column, const ColumnData& data, std::size_t row) {
  if (data.is_null(row)) return;
  if (column.native) check_native(column, data, row);
  switch (column.arriving.kind) {
    case TypeKind::float32:
      return check_finite(data.at<float>(row));
    case TypeKind::float64:
      return check_finite(data.at<double>(row));
    case TypeKind::decimal:
      return check_decimal(column, data.bytes_at(row));
    case TypeKind::text:
    case TypeKind::native:
      return check_text(column, data.bytes_at(row));
    case TypeKind::time:
      return check_time(column, data.at<std::int64_t>(row));
    case TypeKind::timestamp:
    case TypeKind::instant:
      return check_moment(column, data.at<std::int64_t>(row));
    case TypeKind::date: {
      const auto days = data.at<std::int32_t>(row);
      if (days == date_infinity || days == date_minus_infinity)
        refuse("an infinite date has no counterpart in MySQL or MariaDB");
      return check_year(days);
    }
    default:
      return;
  }
}

bool is_enum_error(const WrittenColumn& column, const ColumnData& data, std::size_t row) {
  return column.native && column.native->kind == NativeKind::enumeration &&
         is_worded(column.arriving) && !data.is_null(row) && data.bytes_at(row).empty() &&
         label_number(*column.native, "") == 0;
}

ParamColumn::ParamColumn(WrittenColumn column)
    : column_(std::move(column)), type_(MYSQL_TYPE_STRING) {
  if (is_numbered(column_)) {
    type_ = MYSQL_TYPE_LONGLONG;
    width_ = sizeof(std::uint64_t);
    is_unsigned_ = true;
    return;
  }
  if (is_geometry(column_)) {
    type_ = MYSQL_TYPE_BLOB;
    return;
  }
  const bool into_text = column_.existing.kind == TypeKind::text;
  is_unsigned_ = is_integer(column_.arriving.kind) && !is_signed_integer(column_.arriving.kind);
  const auto fixed = [&](enum_field_types type) {
    // Text of a number is made here, in the form that every database gives it.
    if (into_text) return;
    type_ = type;
    width_ = width_of(column_.arriving.kind);
  };
  switch (column_.arriving.kind) {
    case TypeKind::boolean:
    case TypeKind::int8:
    case TypeKind::uint8:
      fixed(MYSQL_TYPE_TINY);
      break;
    case TypeKind::int16:
    case TypeKind::uint16:
      fixed(MYSQL_TYPE_SHORT);
      break;
    case TypeKind::int32:
    case TypeKind::uint32:
      fixed(MYSQL_TYPE_LONG);
      break;
    case TypeKind::int64:
    case TypeKind::uint64:
      fixed(MYSQL_TYPE_LONGLONG);
      break;
    case TypeKind::float32:
      fixed(MYSQL_TYPE_FLOAT);
      break;
    case TypeKind::float64:
      fixed(MYSQL_TYPE_DOUBLE);
      break;
    case TypeKind::bytes:
      type_ = MYSQL_TYPE_BLOB;
      break;
    case TypeKind::date:
      if (!into_text) type_ = MYSQL_TYPE_DATE;
      break;
    case TypeKind::timestamp:
    case TypeKind::instant:
      if (!into_text) type_ = MYSQL_TYPE_DATETIME;
      break;
    default:
      break;
  }
}

void ParamColumn::add_text(std::string_view text) {
  starts_.push_back(text_.size());
  lengths_.push_back(text.size());
  text_ += text;
}

void ParamColumn::add_moment(std::int64_t micros, enum_mysql_timestamp_type type) {
  if (type == MYSQL_TIMESTAMP_DATETIME && column_.existing.kind != TypeKind::text)
    micros = floor_to_precision(micros, column_.existing.precision);
  const std::int32_t days = days_of(micros);
  const CivilDate date = civil_from_days(days);
  const std::int64_t clock = micros - static_cast<std::int64_t>(days) * micros_per_day;
  const std::int64_t seconds = clock / micros_per_second;
  MYSQL_TIME moment{};
  moment.year = static_cast<unsigned>(date.year);
  moment.month = date.month;
  moment.day = date.day;
  moment.hour = static_cast<unsigned>(seconds / 3600);
  moment.minute = static_cast<unsigned>(seconds / 60 % 60);
  moment.second = static_cast<unsigned>(seconds % 60);
  moment.second_part = static_cast<unsigned long>(clock % micros_per_second);
  moment.time_type = type;
  moments_.push_back(moment);
}

template <class T>
void ParamColumn::add_fixed(T value) {
  const std::size_t at = fixed_.size();
  fixed_.resize(at + sizeof(T));
  std::memcpy(&fixed_[at], &value, sizeof(T));
}

void ParamColumn::add(const ColumnData& data, std::size_t row) {
  check_cell(column_, data, row);
  if (is_numbered(column_)) return add_fixed(number_of(column_, data.bytes_at(row)));
  if (is_geometry(column_)) return add_text(from_hex(data.bytes_at(row)));
  switch (type_) {
    case MYSQL_TYPE_DATE:
      return add_moment(data.at<std::int32_t>(row) * micros_per_day, MYSQL_TIMESTAMP_DATE);
    case MYSQL_TYPE_DATETIME:
      return add_moment(data.at<std::int64_t>(row), MYSQL_TIMESTAMP_DATETIME);
    case MYSQL_TYPE_BLOB:
      return add_text(data.bytes_at(row));
    case MYSQL_TYPE_STRING:
      break;
    default:
      if (width_ == 1) return add_fixed(data.at<std::uint8_t>(row));
      if (width_ == 2) return add_fixed(data.at<std::uint16_t>(row));
      if (width_ == 4) return add_fixed(data.at<std::uint32_t>(row));
      return add_fixed(data.at<std::uint64_t>(row));
  }
  if (column_.arriving.kind == TypeKind::time) {
    const std::int64_t micros = data.at<std::int64_t>(row);
    return add_text(format_time(column_.existing.kind == TypeKind::time
                                    ? floor_to_precision(micros, column_.existing.precision)
                                    : micros));
  }
  if (storage_of(column_.arriving.kind) == Storage::variable) return add_text(data.bytes_at(row));
  add_text(text_of(data, row));
}

void ParamColumn::fill(const ColumnData& data, std::span<const std::uint32_t> rows) {
  fixed_.clear();
  moments_.clear();
  starts_.clear();
  lengths_.clear();
  text_.clear();
  indicators_.clear();
  for (const std::uint32_t row : rows) {
    if (data.is_null(row)) {
      indicators_.push_back(STMT_INDICATOR_NULL);
      if (width_ != 0) fixed_.resize(fixed_.size() + width_);
      if (type_ == MYSQL_TYPE_DATE || type_ == MYSQL_TYPE_DATETIME) moments_.emplace_back();
      if (width_ == 0) {
        starts_.push_back(text_.size());
        lengths_.push_back(0);
      }
      continue;
    }
    indicators_.push_back(STMT_INDICATOR_NONE);
    try {
      add(data, row);
    } catch (const Error& error) {
      Error::Fields fields = error.fields();
      fields.column = column_.name;
      fields.row = row;
      throw Error(std::move(fields));
    }
  }
  // Only now: the buffers may have moved while they grew.
  pointers_.clear();
  if (!moments_.empty()) {
    for (const MYSQL_TIME& moment : moments_)
      pointers_.push_back(&moment);
  } else if (width_ == 0) {
    for (const std::size_t start : starts_)
      pointers_.push_back(text_.data() + start);
  }
}

MYSQL_BIND ParamColumn::bind() {
  MYSQL_BIND bind{};
  bind.buffer_type = type_;
  bind.is_unsigned = is_unsigned_ ? 1 : 0;
  bind.buffer =
      width_ != 0 ? static_cast<void*>(fixed_.data()) : static_cast<void*>(pointers_.data());
  bind.length = lengths_.empty() ? nullptr : lengths_.data();
  bind.u.indicator = indicators_.data();
  return bind;
}

std::string cell_literal(const WrittenColumn& column, const ColumnData& data, std::size_t row,
                         const MysqlDialect& dialect) {
  if (data.is_null(row)) return "NULL";
  try {
    check_cell(column, data, row);
    if (is_numbered(column)) return std::to_string(number_of(column, data.bytes_at(row)));
    if (is_geometry(column)) return "X'" + to_hex(from_hex(data.bytes_at(row))) + "'";
    Value value = value_at(data, row);
    // As text: the literal of a native type may be a number, which compares but is not to be
    // stored.
    if (value.type.kind == TypeKind::native) value.type = text_type();
    // Text of a number is made here, in the form that every database gives it.
    if (column.existing.kind == TypeKind::text) value.type = text_type();
    const bool cut = column.existing.kind == TypeKind::time ||
                     column.existing.kind == TypeKind::timestamp ||
                     column.existing.kind == TypeKind::instant;
    if (cut && width_of(column.arriving.kind) == sizeof(std::int64_t)) {
      ColumnData floored(column.arriving);
      floored.push(floor_to_precision(data.at<std::int64_t>(row), column.existing.precision));
      value = value_at(floored, 0);
    }
    return dialect.literal(value);
  } catch (const Error& error) {
    Error::Fields fields = error.fields();
    fields.column = column.name;
    fields.row = row;
    throw Error(std::move(fields));
  }
}

}  // namespace tidemark::mysql
