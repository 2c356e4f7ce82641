#include "core/type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "core/error.h"

namespace tidemark {
namespace {

struct KindRow {
  TypeKind kind;
  std::string_view name;
  std::uint8_t width;  // 0: variable
};

constexpr std::array kinds{
    KindRow{TypeKind::boolean, "boolean", 1},     KindRow{TypeKind::int8, "int8", 1},
    KindRow{TypeKind::int16, "int16", 2},         KindRow{TypeKind::int32, "int32", 4},
    KindRow{TypeKind::int64, "int64", 8},         KindRow{TypeKind::uint8, "uint8", 1},
    KindRow{TypeKind::uint16, "uint16", 2},       KindRow{TypeKind::uint32, "uint32", 4},
    KindRow{TypeKind::uint64, "uint64", 8},       KindRow{TypeKind::float32, "float32", 4},
    KindRow{TypeKind::float64, "float64", 8},     KindRow{TypeKind::decimal, "decimal", 0},
    KindRow{TypeKind::text, "text", 0},           KindRow{TypeKind::bytes, "bytes", 0},
    KindRow{TypeKind::date, "date", 4},           KindRow{TypeKind::time, "time", 8},
    KindRow{TypeKind::timestamp, "timestamp", 8}, KindRow{TypeKind::instant, "timestamptz", 8},
    KindRow{TypeKind::interval, "interval", 16},  KindRow{TypeKind::uuid, "uuid", 16},
    KindRow{TypeKind::json, "json", 0},           KindRow{TypeKind::native, "native", 0},
};

constexpr bool in_enum_order() {
  for (std::size_t index = 0; index < kinds.size(); ++index)
    if (static_cast<std::size_t>(kinds[index].kind) != index) return false;
  return true;
}
static_assert(in_enum_order());

const KindRow& row_of(TypeKind kind) noexcept {
  return kinds[static_cast<std::size_t>(kind)];
}

/// "name(a,b) tail" taken apart, lower case, single blanks.
struct Spelling {
  std::string name;
  std::vector<unsigned> arguments;
};

std::optional<Spelling> take_apart(std::string_view text) {
  Spelling spelling;
  std::string number;
  bool inside = false;
  for (const char raw : text) {
    const char c = static_cast<char>(std::tolower(static_cast<unsigned char>(raw)));
    if (c == '(' && !inside) {
      inside = true;
    } else if (inside && (c == ',' || c == ')')) {
      unsigned value = 0;
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), value);
      if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
      spelling.arguments.push_back(value);
      number.clear();
      if (c == ')') inside = false;
    } else if (inside) {
      if (c != ' ') number += c;
    } else if (c != ' ' || (!spelling.name.empty() && spelling.name.back() != ' ')) {
      spelling.name += c;
    }
  }
  if (inside) return std::nullopt;
  while (!spelling.name.empty() && spelling.name.back() == ' ')
    spelling.name.pop_back();
  return spelling;
}

struct Alias {
  std::string_view name;
  TypeKind kind;
  bool fixed = false;
};

// "int8" is one byte here, as in the logical names, and not PostgreSQL's eight.
constexpr std::array aliases{
    Alias{"bool", TypeKind::boolean},
    Alias{"tinyint", TypeKind::int8},
    Alias{"smallint", TypeKind::int16},
    Alias{"int", TypeKind::int32},
    Alias{"integer", TypeKind::int32},
    Alias{"bigint", TypeKind::int64},
    Alias{"tinyint unsigned", TypeKind::uint8},
    Alias{"smallint unsigned", TypeKind::uint16},
    Alias{"int unsigned", TypeKind::uint32},
    Alias{"integer unsigned", TypeKind::uint32},
    Alias{"bigint unsigned", TypeKind::uint64},
    Alias{"real", TypeKind::float32},
    Alias{"float", TypeKind::float64},
    Alias{"double", TypeKind::float64},
    Alias{"double precision", TypeKind::float64},
    Alias{"numeric", TypeKind::decimal},
    Alias{"varchar", TypeKind::text},
    Alias{"character varying", TypeKind::text},
    Alias{"char", TypeKind::text, true},
    Alias{"varbinary", TypeKind::bytes},
    Alias{"binary", TypeKind::bytes, true},
    Alias{"blob", TypeKind::bytes},
    Alias{"bytea", TypeKind::bytes},
    Alias{"datetime", TypeKind::timestamp},
    Alias{"timestamp without time zone", TypeKind::timestamp},
    Alias{"timestamp with time zone", TypeKind::instant},
    Alias{"instant", TypeKind::instant},
};

[[noreturn]] void refuse(std::string_view text) {
  throw Error(
      {.kind = FailureKind::schema,
       .message = "\"" + std::string(text) + "\" is not a logical type",
       .hint = "Use one of bool, int8 to int64, uint8 to uint64, float32, float64, "
               "decimal(p,s), text, varchar(n), char(n), bytes, date, time(p), "
               "timestamp(p), timestamptz(p), interval, uuid, json, or a database's own type as "
               "\"postgres:inet\". How the target's column is declared: native_type."});
}

/// "<connector>:<type>": a short lower-case word, a colon, anything but nothing.
bool is_origin(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == text.size()) return false;
  const std::string_view connector = text.substr(0, colon);
  return text[colon + 1] != ' ' && std::all_of(connector.begin(), connector.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool has_fraction(TypeKind kind) {
  return kind == TypeKind::time || kind == TypeKind::timestamp || kind == TypeKind::instant;
}

Type apply_arguments(std::string_view text, Type type, const std::vector<unsigned>& arguments) {
  const bool sized = type.kind == TypeKind::text || type.kind == TypeKind::bytes;
  const std::size_t allowed = type.kind == TypeKind::decimal     ? 2
                              : sized || has_fraction(type.kind) ? 1
                                                                 : 0;
  if (arguments.size() > allowed) refuse(text);
  if (type.fixed && arguments.empty()) type.length = 1;
  if (arguments.empty()) return type;
  if (sized && arguments[0] == 0) refuse(text);  // 0 is how "no limit" is held
  if (sized) type.length = arguments[0];
  if (has_fraction(type.kind)) {
    if (arguments[0] > 6) refuse(text);
    type.precision = static_cast<std::uint16_t>(arguments[0]);
  }
  if (type.kind == TypeKind::decimal) {
    if (arguments[0] == 0 || arguments[0] > 1000) refuse(text);
    type.precision = static_cast<std::uint16_t>(arguments[0]);
    if (arguments.size() == 2) {
      if (arguments[1] > arguments[0]) refuse(text);
      type.scale = static_cast<std::int16_t>(arguments[1]);
    }
  }
  return type;
}

}  // namespace

Type make_type(TypeKind kind) {
  Type type;
  type.kind = kind;
  if (has_fraction(kind)) type.precision = 6;
  return type;
}

Type decimal_type(std::uint16_t precision, std::int16_t scale) {
  Type type = make_type(TypeKind::decimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type text_type(std::uint32_t length) {
  Type type = make_type(TypeKind::text);
  type.length = length;
  return type;
}

Type bytes_type(std::uint32_t length) {
  Type type = make_type(TypeKind::bytes);
  type.length = length;
  return type;
}

Type time_type(TypeKind kind, std::uint16_t fractional_digits) {
  Type type = make_type(kind);
  type.precision = fractional_digits;
  return type;
}

Type origin_type(std::string origin) {
  Type type = make_type(TypeKind::native);
  type.origin = std::move(origin);
  return type;
}

std::string_view native_name_in(const Type& type, std::string_view connector) noexcept {
  const std::string_view origin = type.origin;
  if (type.kind != TypeKind::native || origin.size() <= connector.size() + 1 ||
      !origin.starts_with(connector) || origin[connector.size()] != ':')
    return {};
  return origin.substr(connector.size() + 1);
}

Storage storage_of(TypeKind kind) noexcept {
  return row_of(kind).width == 0 ? Storage::variable : Storage::fixed;
}
std::size_t width_of(TypeKind kind) noexcept {
  return row_of(kind).width;
}

bool is_integer(TypeKind kind) noexcept {
  return kind >= TypeKind::int8 && kind <= TypeKind::uint64;
}
bool is_signed_integer(TypeKind kind) noexcept {
  return kind >= TypeKind::int8 && kind <= TypeKind::int64;
}
bool is_temporal(TypeKind kind) noexcept {
  return kind == TypeKind::date || kind == TypeKind::timestamp || kind == TypeKind::instant;
}
bool is_cursor_type(const Type& type) noexcept {
  return is_integer(type.kind) || is_temporal(type.kind) ||
         (type.kind == TypeKind::decimal && type.scale == 0);
}

std::string_view to_string(TypeKind kind) noexcept {
  return row_of(kind).name;
}

std::string to_string(const Type& type) {
  const auto with = [](std::string_view name, unsigned argument) {
    return std::string(name) + "(" + std::to_string(argument) + ")";
  };
  switch (type.kind) {
    case TypeKind::decimal:
      if (type.precision == 0) return "decimal";
      return "decimal(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
    case TypeKind::text:
      if (type.length == 0) return "text";
      return with(type.fixed ? "char" : "varchar", type.length);
    case TypeKind::bytes:
      if (type.length == 0) return "bytes";
      return with(type.fixed ? "binary" : "varbinary", type.length);
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return type.precision == 6 ? std::string(to_string(type.kind))
                                 : with(to_string(type.kind), type.precision);
    case TypeKind::native:
      return type.origin.empty() ? "native" : type.origin;
    default:
      return std::string(to_string(type.kind));
  }
}

Type parse_type(std::string_view text) {
  if (is_origin(text)) return origin_type(std::string(text));
  const auto spelling = take_apart(text);
  if (!spelling) refuse(text);
  for (const KindRow& row : kinds) {
    if (row.kind == TypeKind::native) continue;
    if (row.name == spelling->name)
      return apply_arguments(text, make_type(row.kind), spelling->arguments);
  }
  for (const Alias& alias : aliases) {
    if (alias.name != spelling->name) continue;
    Type type = make_type(alias.kind);
    type.fixed = alias.fixed;
    return apply_arguments(text, type, spelling->arguments);
  }
  refuse(text);
}

std::size_t find_column(const Schema& schema, std::string_view name) noexcept {
  const auto found =
      std::find_if(schema.begin(), schema.end(), [&](const Column& c) { return c.name == name; });
  return found == schema.end() ? npos : static_cast<std::size_t>(found - schema.begin());
}

}  // namespace tidemark
