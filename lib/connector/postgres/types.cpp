#include "connector/postgres/types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "connector/sql/integer_kinds.h"

namespace tidemark::postgres {
namespace {

/// varchar, char and numeric keep their limits with the size of a varlena header added.
constexpr int header = 4;
constexpr std::uint32_t max_characters = 10'485'760;
constexpr unsigned max_precision = 1000;

struct NameRow {
  Oid type;
  std::string_view name;  // '@': where the modifier stands
};

constexpr std::array names{
    NameRow{oid::boolean, "boolean"},
    NameRow{oid::bytea, "bytea"},
    NameRow{oid::int8, "bigint"},
    NameRow{oid::int2, "smallint"},
    NameRow{oid::int4, "integer"},
    NameRow{oid::text, "text"},
    NameRow{oid::json, "json"},
    NameRow{oid::float4, "real"},
    NameRow{oid::float8, "double precision"},
    NameRow{oid::bpchar, "character@"},
    NameRow{oid::varchar, "character varying@"},
    NameRow{oid::date, "date"},
    NameRow{oid::time, "time@ without time zone"},
    NameRow{oid::timestamp, "timestamp@ without time zone"},
    NameRow{oid::timestamptz, "timestamp@ with time zone"},
    NameRow{oid::interval, "interval@"},
    NameRow{oid::numeric, "numeric@"},
    NameRow{oid::uuid, "uuid"},
    NameRow{oid::jsonb, "jsonb"},
};

int numeric_precision(int modifier) {
  return ((modifier - header) >> 16) & 0xFFFF;
}
/// Eleven bits with a sign since PostgreSQL 15.
int numeric_scale(int modifier) {
  return (((modifier - header) & 0x7FF) ^ 1024) - 1024;
}
int numeric_modifier(int precision, int scale) {
  return ((precision << 16) | (scale & 0x7FF)) + header;
}

bool has_fraction(Oid type) {
  return type == oid::time || type == oid::timestamp || type == oid::timestamptz;
}

std::string modifier_text(const WireType& wire) {
  if (wire.modifier < 0) return {};
  if (wire.type == oid::numeric)
    return "(" + std::to_string(numeric_precision(wire.modifier)) + "," +
           std::to_string(numeric_scale(wire.modifier)) + ")";
  if (wire.type == oid::varchar || wire.type == oid::bpchar)
    return "(" + std::to_string(wire.modifier - header) + ")";
  if (has_fraction(wire.type)) return "(" + std::to_string(wire.modifier) + ")";
  return {};
}

/// The numbers in "(12,2)".
std::optional<std::vector<int>> parse_arguments(std::string_view text) {
  if (!text.starts_with('(') || !text.ends_with(')')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<int> arguments;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (at < end) {
    int value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc{} || (rest < end && *rest != ',')) return std::nullopt;
    arguments.push_back(value);
    at = rest < end ? rest + 1 : rest;
  }
  return arguments;
}

std::optional<int> modifier_of(Oid type, std::string_view text) {
  const auto arguments = parse_arguments(text);
  if (!arguments || arguments->empty()) return std::nullopt;
  const int first = arguments->front();
  if (type == oid::numeric)
    return numeric_modifier(first, arguments->size() > 1 ? (*arguments)[1] : 0);
  if (type == oid::varchar || type == oid::bpchar) return first + header;
  if (has_fraction(type)) return first;
  return std::nullopt;
}

Fit lossless() {
  return {};
}
Fit lossy(std::string reason) {
  return {Fidelity::lossy, std::move(reason)};
}
Fit impossible(std::string reason) {
  return {Fidelity::impossible, std::move(reason)};
}

/// Bits of magnitude that an integer kind needs.
int bits_of(TypeKind kind) {
  const int width = static_cast<int>(width_of(kind)) * 8;
  return is_signed_integer(kind) ? width - 1 : width;
}

Fit fit_integer(TypeKind kind, const WireType& wire) {
  const auto range = [&](int bits) {
    return bits_of(kind) <= bits ? lossless()
                                 : lossy("larger numbers are out of the column's range");
  };
  switch (wire.type) {
    case oid::int2:
      return range(15);
    case oid::int4:
      return range(31);
    case oid::int8:
      return range(63);
    case oid::float4:
      return bits_of(kind) <= 24 ? lossless() : lossy("real has 24 bits");
    case oid::float8:
      return bits_of(kind) <= 53 ? lossless() : lossy("double has 53 bits");
    case oid::boolean:
      return lossy("only 0 and 1 are booleans");
    case oid::numeric: {
      if (wire.modifier < 0) return lossless();
      const int whole = numeric_precision(wire.modifier) - numeric_scale(wire.modifier);
      if (numeric_scale(wire.modifier) < 0) return lossy("the column rounds whole numbers");
      return whole >= sql::digits_of(kind) ? lossless()
                                           : lossy("larger numbers are out of the column's range");
    }
    default:
      return impossible("a number does not become " + native_name(wire));
  }
}

Fit fit_decimal(const Type& type, const WireType& wire) {
  switch (wire.type) {
    case oid::numeric: {
      if (wire.modifier < 0) return lossless();
      if (type.precision == 0) return lossy("the column limits digits, the source does not");
      const int scale = numeric_scale(wire.modifier);
      const int whole = numeric_precision(wire.modifier) - scale;
      if (scale < type.scale) return lossy("the column has fewer digits behind the point");
      return whole < type.precision - type.scale ? lossy("the column has fewer digits in all")
                                                 : lossless();
    }
    case oid::int2:
    case oid::int4:
    case oid::int8:
      return lossy("the column holds whole numbers within its range only");
    case oid::float8:
      return lossy("double precision rounds decimals");
    default:
      return impossible("a decimal does not become " + native_name(wire));
  }
}

Fit fit_text(const Type& type, const WireType& wire) {
  if (wire.type != oid::text && wire.type != oid::varchar && wire.type != oid::bpchar)
    return impossible("text becomes " + native_name(wire) +
                      " only by an explicit `type` of the column");
  const std::uint32_t limit = length_limit(wire);
  if (limit != 0 && (type.length == 0 || type.length > limit))
    return lossy("longer texts than " + std::to_string(limit) + " characters do not fit");
  if (wire.type == oid::bpchar && !type.fixed) return lossy("character drops blanks at the end");
  return lossless();
}

Fit fit_temporal(const Type& type, const WireType& wire) {
  const auto digits = [&] {
    return fractional_digits(wire) >= type.precision
               ? lossless()
               : lossy("the column has fewer digits of a second");
  };
  if (type.kind == TypeKind::date && wire.type == oid::date) return lossless();
  if (type.kind == TypeKind::date && wire.type == oid::timestamp) return lossless();
  if (type.kind == TypeKind::time && wire.type == oid::time) return digits();
  if (type.kind == TypeKind::timestamp && wire.type == oid::timestamp) return digits();
  if (type.kind == TypeKind::instant && wire.type == oid::timestamptz) return digits();
  if (type.kind == TypeKind::timestamp && wire.type == oid::timestamptz)
    return impossible(
        "a timestamp without zone becomes an instant only by an explicit "
        "`type: timestamptz` of the column, which says in which zone it was");
  if (type.kind == TypeKind::instant && wire.type == oid::timestamp)
    return impossible(
        "an instant becomes a timestamp without zone only by an explicit "
        "`type: timestamp` of the column, which says in which zone it will be");
  return impossible(std::string(to_string(type.kind)) + " does not become " + native_name(wire));
}

}  // namespace

std::uint32_t length_limit(const WireType& wire) {
  const bool limited = wire.type == oid::varchar || wire.type == oid::bpchar;
  return limited && wire.modifier > header ? static_cast<std::uint32_t>(wire.modifier - header) : 0;
}

unsigned fractional_digits(const WireType& wire) {
  return has_fraction(wire.type) && wire.modifier >= 0 ? static_cast<unsigned>(wire.modifier) : 6;
}

std::optional<Type> logical_type(const WireType& wire) {
  const auto fraction = static_cast<std::uint16_t>(fractional_digits(wire));
  switch (wire.type) {
    case oid::boolean:
      return make_type(TypeKind::boolean);
    case oid::int2:
      return make_type(TypeKind::int16);
    case oid::int4:
      return make_type(TypeKind::int32);
    case oid::int8:
      return make_type(TypeKind::int64);
    case oid::float4:
      return make_type(TypeKind::float32);
    case oid::float8:
      return make_type(TypeKind::float64);
    case oid::numeric:
      if (wire.modifier < 0) return decimal_type(0, 0);
      return decimal_type(static_cast<std::uint16_t>(numeric_precision(wire.modifier)),
                          static_cast<std::int16_t>(numeric_scale(wire.modifier)));
    case oid::text:
      return text_type();
    case oid::varchar:
      return text_type(length_limit(wire));
    case oid::bpchar: {
      // "bpchar" without a length is text of any length that ignores blanks at its end.
      Type type = text_type(length_limit(wire));
      type.fixed = type.length != 0;
      return type;
    }
    case oid::bytea:
      return bytes_type();
    case oid::date:
      return make_type(TypeKind::date);
    case oid::time:
      return time_type(TypeKind::time, fraction);
    case oid::timestamp:
      return time_type(TypeKind::timestamp, fraction);
    case oid::timestamptz:
      return time_type(TypeKind::instant, fraction);
    case oid::interval:
      return make_type(TypeKind::interval);
    case oid::uuid:
      return make_type(TypeKind::uuid);
    case oid::json:
    case oid::jsonb:
      return make_type(TypeKind::json);
    default:
      return std::nullopt;
  }
}

std::string native_name(const WireType& wire) {
  for (const NameRow& row : names) {
    if (row.type != wire.type) continue;
    if (wire.type == oid::bpchar && wire.modifier < 0) return "bpchar";
    std::string name(row.name);
    const std::size_t mark = name.find('@');
    if (mark != std::string::npos) name.replace(mark, 1, modifier_text(wire));
    return name;
  }
  return "type " + std::to_string(wire.type);
}

std::optional<WireType> wire_type(std::string_view native_name) {
  if (native_name == "bpchar") return WireType{oid::bpchar, -1};
  for (const NameRow& row : names) {
    const std::size_t mark = row.name.find('@');
    if (mark == std::string_view::npos) {
      if (row.name == native_name) return WireType{row.type, -1};
      continue;
    }
    const std::string_view before = row.name.substr(0, mark);
    const std::string_view behind = row.name.substr(mark + 1);
    if (native_name.size() < before.size() + behind.size() || !native_name.starts_with(before) ||
        !native_name.ends_with(behind))
      continue;
    const std::string_view modifier =
        native_name.substr(before.size(), native_name.size() - before.size() - behind.size());
    if (modifier.empty()) return WireType{row.type, -1};
    if (const auto found = modifier_of(row.type, modifier)) return WireType{row.type, *found};
    // An interval's fields and precision bound what is entered, not how it is held.
    if (row.type == oid::interval) return WireType{oid::interval, -1};
  }
  return std::nullopt;
}

std::optional<WireType> column_wire_type(const Type& type) {
  const auto limited = [&](Oid limited_type) {
    if (type.length == 0 || type.length > max_characters) return WireType{oid::text, -1};
    return WireType{limited_type, static_cast<int>(type.length) + header};
  };
  const auto timed = [&](Oid timed_type) {
    return WireType{timed_type, type.precision >= 6 ? -1 : static_cast<int>(type.precision)};
  };
  switch (type.kind) {
    case TypeKind::boolean:
      return WireType{oid::boolean, -1};
    case TypeKind::int8:
    case TypeKind::uint8:
    case TypeKind::int16:
      return WireType{oid::int2, -1};
    case TypeKind::uint16:
    case TypeKind::int32:
      return WireType{oid::int4, -1};
    case TypeKind::uint32:
    case TypeKind::int64:
      return WireType{oid::int8, -1};
    case TypeKind::uint64:
      return WireType{oid::numeric, numeric_modifier(20, 0)};
    case TypeKind::float32:
      return WireType{oid::float4, -1};
    case TypeKind::float64:
      return WireType{oid::float8, -1};
    case TypeKind::decimal:
      if (type.precision == 0 || type.precision > max_precision) return WireType{oid::numeric, -1};
      return WireType{oid::numeric, numeric_modifier(type.precision, type.scale)};
    case TypeKind::text:
      return limited(type.fixed ? oid::bpchar : oid::varchar);
    case TypeKind::bytes:
      return WireType{oid::bytea, -1};
    case TypeKind::date:
      return WireType{oid::date, -1};
    case TypeKind::time:
      return timed(oid::time);
    case TypeKind::timestamp:
      return timed(oid::timestamp);
    case TypeKind::instant:
      return timed(oid::timestamptz);
    case TypeKind::interval:
      return WireType{oid::interval, -1};
    case TypeKind::uuid:
      return WireType{oid::uuid, -1};
    case TypeKind::json:
      return WireType{oid::json, -1};
    case TypeKind::native:
      return std::nullopt;
  }
  return std::nullopt;
}

Fit fit(const Type& arriving, const WireType& wire, bool from_jsonb) {
  const bool plain_text =
      wire.type == oid::text || (wire.type == oid::varchar && wire.modifier < 0);
  if (arriving.kind == TypeKind::native)
    return impossible(to_string(arriving) + " is not carried by this version");
  if (arriving.kind != TypeKind::bytes && plain_text) return lossless();
  switch (arriving.kind) {
    case TypeKind::boolean:
      if (wire.type == oid::boolean || wire.type == oid::int2 || wire.type == oid::int4 ||
          wire.type == oid::int8)
        return lossless();
      return impossible("a boolean does not become " + native_name(wire));
    case TypeKind::int8:
    case TypeKind::int16:
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::uint8:
    case TypeKind::uint16:
    case TypeKind::uint32:
    case TypeKind::uint64:
      return fit_integer(arriving.kind, wire);
    case TypeKind::float32:
      if (wire.type == oid::float4 || wire.type == oid::float8) return lossless();
      return impossible("a float does not become " + native_name(wire));
    case TypeKind::float64:
      if (wire.type == oid::float8) return lossless();
      if (wire.type == oid::float4) return lossy("real has fewer digits");
      return impossible("a float does not become " + native_name(wire));
    case TypeKind::decimal:
      return fit_decimal(arriving, wire);
    case TypeKind::text:
      return fit_text(arriving, wire);
    case TypeKind::bytes:
      return wire.type == oid::bytea ? lossless()
                                     : impossible("bytes do not become " + native_name(wire));
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return fit_temporal(arriving, wire);
    case TypeKind::interval:
      return wire.type == oid::interval
                 ? lossless()
                 : impossible("an interval does not become " + native_name(wire));
    case TypeKind::uuid:
      return wire.type == oid::uuid ? lossless()
                                    : impossible("a uuid does not become " + native_name(wire));
    case TypeKind::json:
      if (wire.type == oid::json || (wire.type == oid::jsonb && from_jsonb)) return lossless();
      if (wire.type == oid::jsonb)
        return lossy("jsonb keeps neither blanks nor the order of keys nor repeated keys");
      return impossible("json does not become " + native_name(wire));
    case TypeKind::native:
      break;
  }
  return impossible(to_string(arriving) + " is not carried by this version");
}

}  // namespace tidemark::postgres
