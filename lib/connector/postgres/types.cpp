#include "connector/postgres/types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

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
    NameRow{oid::oid, "oid"},
    NameRow{oid::xid8, "xid8"},
};

int precision_of(int modifier) {
  return ((modifier - header) >> 16) & 0xFFFF;
}
/// Eleven bits with a sign since PostgreSQL 15.
int scale_of(int modifier) {
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
    return "(" + std::to_string(precision_of(wire.modifier)) + "," +
           std::to_string(scale_of(wire.modifier)) + ")";
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
  if (type == oid::numeric) {
    constexpr int most_digits = 1000;
    const int scale = arguments->size() > 1 ? (*arguments)[1] : 0;
    if (first < 1 || first > most_digits || scale < -most_digits || scale > most_digits)
      return std::nullopt;
    return numeric_modifier(first, scale);
  }
  if (type == oid::varchar || type == oid::bpchar)
    return first < 1 || first > static_cast<int>(max_characters) ? std::nullopt
                                                                 : std::optional(first + header);
  if (has_fraction(type)) return first < 0 || first > 6 ? std::nullopt : std::optional(first);
  return std::nullopt;
}

}  // namespace

bool is_text(const WireType& wire) {
  return wire.type == oid::text || wire.type == oid::varchar || wire.type == oid::bpchar;
}

std::uint32_t length_limit(const WireType& wire) {
  const bool limited = wire.type == oid::varchar || wire.type == oid::bpchar;
  return limited && wire.modifier > header ? static_cast<std::uint32_t>(wire.modifier - header) : 0;
}

unsigned fractional_digits(const WireType& wire) {
  return has_fraction(wire.type) && wire.modifier >= 0 ? static_cast<unsigned>(wire.modifier) : 6;
}

int numeric_precision(const WireType& wire) {
  return precision_of(wire.modifier);
}

int numeric_scale(const WireType& wire) {
  return scale_of(wire.modifier);
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
      return decimal_type(static_cast<std::uint16_t>(precision_of(wire.modifier)),
                          static_cast<std::int16_t>(scale_of(wire.modifier)));
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
    case oid::oid:
      return make_type(TypeKind::uint32);
    case oid::xid8:
      return make_type(TypeKind::uint64);
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

}  // namespace tidemark::postgres
