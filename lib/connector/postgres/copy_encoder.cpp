#include "connector/postgres/copy_encoder.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include "connector/postgres/numeric.h"
#include "connector/postgres/wire.h"
#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"

namespace tidemark::postgres {
namespace {

[[noreturn]] void refuse(const EncodedColumn& column, std::size_t row, std::string_view why) {
  throw Error({.kind = FailureKind::conversion,
               .message = "a value does not fit " +
                          (column.native.empty() ? native_name(column.wire) : column.native) +
                          ": " + std::string(why),
               .operation = "write",
               .column = column.name,
               .row = row});
}

template <class T>
void field(std::string& out, T value) {
  append_big_endian(out, static_cast<std::int32_t>(sizeof(T)));
  append_big_endian(out, value);
}

void field_bytes(std::string& out, std::string_view bytes) {
  append_big_endian(out, static_cast<std::int32_t>(bytes.size()));
  out.append(bytes);
}

std::size_t characters(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8)
    count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

/// An integer cell of any kind: its sign and magnitude hold all of int64 and uint64.
struct Integer {
  bool negative = false;
  std::uint64_t magnitude = 0;
};

Integer integer_at(const ColumnData& data, std::size_t row) {
  const auto of_signed = [](std::int64_t value) {
    return Integer{value < 0, value < 0 ? 0 - static_cast<std::uint64_t>(value)
                                        : static_cast<std::uint64_t>(value)};
  };
  switch (data.type().kind) {
    case TypeKind::int8:
      return of_signed(data.at<std::int8_t>(row));
    case TypeKind::int16:
      return of_signed(data.at<std::int16_t>(row));
    case TypeKind::int32:
      return of_signed(data.at<std::int32_t>(row));
    case TypeKind::int64:
      return of_signed(data.at<std::int64_t>(row));
    case TypeKind::boolean:
    case TypeKind::uint8:
      return {false, data.at<std::uint8_t>(row)};
    case TypeKind::uint16:
      return {false, data.at<std::uint16_t>(row)};
    case TypeKind::uint32:
      return {false, data.at<std::uint32_t>(row)};
    default:
      return {false, data.at<std::uint64_t>(row)};
  }
}

template <class T>
void integer_field(const EncodedColumn& column, Integer value, std::size_t row, std::string& out) {
  const auto largest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
  const bool below = value.negative && std::is_unsigned_v<T> && value.magnitude > 0;
  if (below || value.magnitude > largest + (value.negative ? 1 : 0))
    refuse(column, row, "the number is out of its range");
  const std::uint64_t bits = value.negative ? 0 - value.magnitude : value.magnitude;
  field(out, static_cast<T>(bits));
}

std::string integer_text(Integer value) {
  return (value.negative ? "-" : "") + std::to_string(value.magnitude);
}

double as_double(Integer value) {
  const auto magnitude = static_cast<double>(value.magnitude);
  return value.negative ? -magnitude : magnitude;
}

/// A whole decimal as an integer; nullopt where it has a fraction or is out of 64 bits.
std::optional<Integer> whole_number(std::string_view text) {
  const DecimalShape shape = shape_of(text);
  if (!shape.finite || shape.fraction != 0) return std::nullopt;
  Integer value{.negative = text.starts_with('-')};
  if (value.negative) text.remove_prefix(1);
  text = text.substr(0, text.find('.'));
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value.magnitude);
  if (error != std::errc{}) return std::nullopt;
  if (value.magnitude == 0) value.negative = false;
  return value;
}

bool infinite(std::int64_t micros) {
  return micros == timestamp_infinity || micros == timestamp_minus_infinity;
}

std::int64_t fitted_micros(const EncodedColumn& column, std::int64_t micros, std::size_t row) {
  const std::int64_t cut = floor_to_precision(micros, fractional_digits(column.wire));
  if (cut != micros && column.lossy != Lossy::allow)
    refuse(column, row, "it has more digits of a second");
  return cut;
}

}  // namespace

void CopyEncoder::header(std::string& out) {
  out.append("PGCOPY\n\377\r\n\0", 11);
  out.append(8, '\0');
}

void CopyEncoder::trailer(std::string& out) {
  append_big_endian(out, std::int16_t{-1});
}

void CopyEncoder::row(const Batch& batch, std::size_t row, std::string& out) {
  append_big_endian(out, static_cast<std::int16_t>(columns_.size() + (numbered_ ? 1 : 0)));
  for (const EncodedColumn& column : columns_) {
    const ColumnData& data = batch.column(column.index);
    if (data.is_null(row))
      append_big_endian(out, std::int32_t{-1});
    else
      cell(column, data, row, out);
  }
  if (numbered_) field(out, static_cast<std::int32_t>(row));
}

void CopyEncoder::text(const EncodedColumn& column, std::string_view value, bool trimmed,
                       std::size_t row, std::string& out) const {
  if (value.find('\0') != std::string_view::npos)
    refuse(column, row, "it holds a NUL, which PostgreSQL can't store in text");
  const std::uint32_t limit = length_limit(column.wire);
  if (limit != 0 && value.size() > limit && characters(value) > limit)
    refuse(column, row, "the text has too many characters");
  if (column.wire.type == oid::bpchar && !trimmed && value.ends_with(' ') &&
      column.lossy != Lossy::allow)
    refuse(column, row, "blanks at its end would be lost");
  field_bytes(out, value);
}

void CopyEncoder::decimal(const EncodedColumn& column, std::string_view value, std::size_t row,
                          std::string& out) const {
  if (column.wire.modifier >= 0) {
    const int precision = numeric_precision(column.wire);
    const int scale = numeric_scale(column.wire);
    const DecimalShape shape = shape_of(value);
    if (!shape.finite && value != "NaN") refuse(column, row, "the column has a limit of digits");
    const int whole = precision - scale;
    const bool too_fine = scale >= 0 && shape.fraction > static_cast<unsigned>(scale);
    if (shape.finite && whole >= 0 && shape.whole > static_cast<unsigned>(whole))
      refuse(column, row, "the number has too many digits");
    if (shape.finite && too_fine && column.lossy != Lossy::allow)
      refuse(column, row, "the number has more digits behind the point");
  }
  const std::size_t at = out.size();
  append_big_endian(out, std::int32_t{0});
  if (!encode_numeric(value, out)) refuse(column, row, "the number has too many digits");
  put_big_endian(out.data() + at,
                 static_cast<std::int32_t>(out.size() - at - sizeof(std::int32_t)));
}

void CopyEncoder::number(const EncodedColumn& column, const ColumnData& data, std::size_t row,
                         std::string& out) {
  Integer value;
  if (data.type().kind == TypeKind::decimal) {
    const auto whole = whole_number(data.bytes_at(row));
    if (!whole) refuse(column, row, "the number is not whole or out of its range");
    value = *whole;
  } else {
    value = integer_at(data, row);
  }
  switch (column.wire.type) {
    case oid::int2:
      return integer_field<std::int16_t>(column, value, row, out);
    case oid::int4:
      return integer_field<std::int32_t>(column, value, row, out);
    case oid::int8:
      return integer_field<std::int64_t>(column, value, row, out);
    case oid::oid:
      return integer_field<std::uint32_t>(column, value, row, out);
    case oid::xid8:
      return integer_field<std::uint64_t>(column, value, row, out);
    case oid::numeric:
      return decimal(column, integer_text(value), row, out);
    case oid::boolean:
      if (value.negative || value.magnitude > 1) refuse(column, row, "it is neither 0 nor 1");
      return field(out, static_cast<std::uint8_t>(value.magnitude));
    case oid::float4: {
      const auto rounded = static_cast<float>(as_double(value));
      if (static_cast<double>(rounded) != as_double(value) || value.magnitude > (1ULL << 53))
        if (column.lossy != Lossy::allow) refuse(column, row, "the number has too many digits");
      return field(out, rounded);
    }
    default: {
      const double rounded = as_double(value);
      // Beyond 2^53 a double holds only some integers; those it holds come back as they were.
      const bool exact = rounded == 0x1p64
                             ? false
                             : static_cast<std::uint64_t>(std::fabs(rounded)) == value.magnitude;
      if (!exact && column.lossy != Lossy::allow)
        refuse(column, row, "the number has too many digits");
      return field(out, rounded);
    }
  }
}

void CopyEncoder::cell(const EncodedColumn& column, const ColumnData& data, std::size_t row,
                       std::string& out) {
  const Type& type = data.type();
  const Oid wire = column.wire.type;
  const bool to_text = wire == oid::text || wire == oid::varchar || wire == oid::bpchar;
  if (to_text && type.kind != TypeKind::text && type.kind != TypeKind::json &&
      type.kind != TypeKind::bytes)
    return text(column, text_of(data, row), false, row, out);
  switch (type.kind) {
    case TypeKind::boolean:
      if (wire == oid::boolean) return field(out, data.at<std::uint8_t>(row));
      return number(column, data, row, out);
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
    case TypeKind::uint64:
      return number(column, data, row, out);
    case TypeKind::float32:
      if (wire == oid::float8) return field(out, static_cast<double>(data.at<float>(row)));
      return field(out, data.at<float>(row));
    case TypeKind::float64: {
      const auto value = data.at<double>(row);
      if (wire == oid::float8) return field(out, value);
      const auto narrow = static_cast<float>(value);
      if (std::isinf(narrow) && !std::isinf(value)) refuse(column, row, "it is out of its range");
      if (!std::isnan(value) && static_cast<double>(narrow) != value &&
          column.lossy != Lossy::allow)
        refuse(column, row, "real has fewer digits");
      return field(out, narrow);
    }
    case TypeKind::decimal:
      if (wire == oid::numeric) return decimal(column, data.bytes_at(row), row, out);
      if (wire == oid::float8) {
        ColumnData narrow(make_type(TypeKind::float64));
        push_text(narrow, data.bytes_at(row));
        return field(out, narrow.at<double>(0));
      }
      return number(column, data, row, out);
    case TypeKind::text:
      return text(column, data.bytes_at(row), type.fixed, row, out);
    case TypeKind::json: {
      const std::string_view value = data.bytes_at(row);
      if (wire != oid::jsonb) return text(column, value, false, row, out);
      if (value.find('\0') != std::string_view::npos) refuse(column, row, "it holds a NUL");
      append_big_endian(out, static_cast<std::int32_t>(value.size() + 1));
      out += '\1';
      out.append(value);
      return;
    }
    case TypeKind::bytes:
      return field_bytes(out, data.bytes_at(row));
    case TypeKind::date: {
      const auto days = data.at<std::int32_t>(row);
      if (wire == oid::date) return field(out, days);
      if (days == date_infinity) return field(out, timestamp_infinity);
      if (days == date_minus_infinity) return field(out, timestamp_minus_infinity);
      return field(out, days * micros_per_day);
    }
    case TypeKind::time: {
      const auto micros = data.at<std::int64_t>(row);
      if (micros < 0 || micros > micros_per_day) refuse(column, row, "it is not within one day");
      return field(out, fitted_micros(column, micros, row));
    }
    case TypeKind::timestamp:
    case TypeKind::instant: {
      const auto micros = data.at<std::int64_t>(row);
      return field(out, infinite(micros) ? micros : fitted_micros(column, micros, row));
    }
    case TypeKind::interval: {
      const auto value = data.at<Interval>(row);
      append_big_endian(out, std::int32_t{16});
      append_big_endian(out, value.micros);
      append_big_endian(out, value.days);
      append_big_endian(out, value.months);
      return;
    }
    case TypeKind::uuid: {
      const auto value = data.at<Uuid>(row);
      return field_bytes(out,
                         {reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()});
    }
    case TypeKind::native:
      break;
  }
  throw Error({.kind = FailureKind::internal,
               .message = "a " + to_string(type) + " was planned into " + native_name(column.wire),
               .column = column.name});
}

}  // namespace tidemark::postgres
