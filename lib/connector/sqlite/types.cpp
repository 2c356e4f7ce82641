#include "connector/sqlite/types.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <vector>

namespace tidemark::sqlite {
namespace {

struct Spelling {
  std::string_view name;
  TypeKind kind;
};

constexpr std::array spellings{
    Spelling{"BOOLEAN", TypeKind::boolean},
    Spelling{"BOOL", TypeKind::boolean},
    Spelling{"TINYINT", TypeKind::int8},
    Spelling{"INT1", TypeKind::int8},
    Spelling{"SMALLINT", TypeKind::int16},
    Spelling{"INT2", TypeKind::int16},
    Spelling{"INT16", TypeKind::int16},
    Spelling{"MEDIUMINT", TypeKind::int32},
    Spelling{"INT3", TypeKind::int32},
    Spelling{"INT4", TypeKind::int32},
    Spelling{"INT32", TypeKind::int32},
    Spelling{"INT", TypeKind::int64},
    Spelling{"INTEGER", TypeKind::int64},
    Spelling{"BIGINT", TypeKind::int64},
    Spelling{"BIG INT", TypeKind::int64},
    Spelling{"INT8", TypeKind::int64},
    Spelling{"INT64", TypeKind::int64},
    Spelling{"TINYINT UNSIGNED", TypeKind::uint8},
    Spelling{"SMALLINT UNSIGNED", TypeKind::uint16},
    Spelling{"MEDIUMINT UNSIGNED", TypeKind::uint32},
    Spelling{"INT UNSIGNED", TypeKind::uint32},
    Spelling{"INTEGER UNSIGNED", TypeKind::uint32},
    Spelling{"UNSIGNED INT", TypeKind::uint32},
    Spelling{"UNSIGNED INTEGER", TypeKind::uint32},
    Spelling{"BIGINT UNSIGNED", TypeKind::uint64},
    Spelling{"UNSIGNED BIGINT", TypeKind::uint64},
    Spelling{"UNSIGNED BIG INT", TypeKind::uint64},
    Spelling{"UNSIGNED64_BLOB", TypeKind::uint64},
    Spelling{"REAL", TypeKind::float64},
    Spelling{"DOUBLE", TypeKind::float64},
    Spelling{"DOUBLE PRECISION", TypeKind::float64},
    Spelling{"FLOAT", TypeKind::float64},
    Spelling{"DOUBLE_BLOB", TypeKind::float64},
    Spelling{"FLOAT_BLOB", TypeKind::float32},
    Spelling{"DECIMAL", TypeKind::decimal},
    Spelling{"NUMERIC", TypeKind::decimal},
    Spelling{"DEC", TypeKind::decimal},
    Spelling{"FIXED", TypeKind::decimal},
    Spelling{"NUMBER", TypeKind::decimal},
    Spelling{"DECIMAL_TEXT", TypeKind::decimal},
    Spelling{"TEXT", TypeKind::text},
    Spelling{"TINYTEXT", TypeKind::text},
    Spelling{"MEDIUMTEXT", TypeKind::text},
    Spelling{"LONGTEXT", TypeKind::text},
    Spelling{"CLOB", TypeKind::text},
    Spelling{"CHAR", TypeKind::text},
    Spelling{"CHARACTER", TypeKind::text},
    Spelling{"VARCHAR", TypeKind::text},
    Spelling{"CHARACTER VARYING", TypeKind::text},
    Spelling{"VARYING CHARACTER", TypeKind::text},
    Spelling{"NCHAR", TypeKind::text},
    Spelling{"NATIVE CHARACTER", TypeKind::text},
    Spelling{"NVARCHAR", TypeKind::text},
    Spelling{"BLOB", TypeKind::bytes},
    Spelling{"TINYBLOB", TypeKind::bytes},
    Spelling{"MEDIUMBLOB", TypeKind::bytes},
    Spelling{"LONGBLOB", TypeKind::bytes},
    Spelling{"BYTEA", TypeKind::bytes},
    Spelling{"BINARY", TypeKind::bytes},
    Spelling{"VARBINARY", TypeKind::bytes},
    Spelling{"DATE", TypeKind::date},
    Spelling{"TIME", TypeKind::time},
    Spelling{"TIME WITHOUT TIME ZONE", TypeKind::time},
    Spelling{"DATETIME", TypeKind::timestamp},
    Spelling{"TIMESTAMP", TypeKind::timestamp},
    Spelling{"TIMESTAMP WITHOUT TIME ZONE", TypeKind::timestamp},
    Spelling{"TIMESTAMPTZ", TypeKind::instant},
    Spelling{"TIMESTAMP WITH TIME ZONE", TypeKind::instant},
    Spelling{"INTERVAL", TypeKind::interval},
    Spelling{"UUID", TypeKind::uuid},
    Spelling{"GUID", TypeKind::uuid},
    Spelling{"JSON", TypeKind::json},
    Spelling{"JSON_TEXT", TypeKind::json},
};

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

/// "Varchar (20)" -> "VARCHAR" and {20}; nullopt where the arguments are no plain numbers.
struct Declared {
  std::string name;
  std::vector<unsigned> arguments;
};

std::optional<Declared> take_apart(std::string_view text) {
  Declared declared;
  const std::size_t open = text.find('(');
  for (const char c : upper(text.substr(0, open))) {
    if (c != ' ')
      declared.name += c;
    else if (!declared.name.empty() && declared.name.back() != ' ')
      declared.name += c;
  }
  if (open != std::string_view::npos) {
    const std::size_t close = text.find(')', open);
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view tail = text.substr(close + 1);
    if (tail.find_first_not_of(' ') != std::string_view::npos)
      declared.name += " " + upper(tail.substr(tail.find_first_not_of(' ')));
    std::string_view list = text.substr(open + 1, close - open - 1);
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      std::string number;
      for (const char c : list.substr(0, comma))
        if (c != ' ') number += c;
      unsigned value = 0;
      const auto [end, error] =
          std::from_chars(number.data(), number.data() + number.size(), value);
      if (error != std::errc{} || end != number.data() + number.size()) return std::nullopt;
      declared.arguments.push_back(value);
      list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
  }
  while (!declared.name.empty() && declared.name.back() == ' ')
    declared.name.pop_back();
  return declared;
}

/// What a native type of ours can be declared as: its own name, if that is a plain one.
std::string native_declared(std::string_view name) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_ (),+-";
  const auto opened = std::count(name.begin(), name.end(), '(');
  const bool fit_for_sql = std::isalpha(static_cast<unsigned char>(name.front())) != 0 &&
                           name.find_first_not_of(plain) == std::string_view::npos && opened <= 1 &&
                           std::count(name.begin(), name.end(), ')') == opened &&
                           (opened == 0 || name.find('(') < name.find(')'));
  return std::string(name == any_name || !fit_for_sql ? any_declared : name);
}

bool has_fraction(TypeKind kind) {
  return kind == TypeKind::time || kind == TypeKind::timestamp || kind == TypeKind::instant;
}

/// A type with the numbers behind its declared name. SQLite itself looks at none of them, so
/// numbers that make no sense limit nothing.
Type limited(Type type, const std::vector<unsigned>& arguments) {
  if (arguments.empty()) return type;
  if (type.kind == TypeKind::text || type.kind == TypeKind::bytes) {
    type.length = arguments[0];
  } else if (type.kind == TypeKind::decimal) {
    const unsigned scale = arguments.size() > 1 ? arguments[1] : 0;
    if (arguments[0] == 0 || arguments[0] > 1000 || scale > arguments[0]) return type;
    type.precision = static_cast<std::uint16_t>(arguments[0]);
    type.scale = static_cast<std::int16_t>(scale);
  } else if (has_fraction(type.kind) && arguments[0] <= 6) {
    type.precision = static_cast<std::uint16_t>(arguments[0]);
  }
  return type;
}

std::string sized(std::string name, const Type& type) {
  return type.length == 0 ? name : name + "(" + std::to_string(type.length) + ")";
}

std::string fractional(std::string name, const Type& type) {
  return type.precision >= 6 ? name : name + "(" + std::to_string(type.precision) + ")";
}

std::string decimal_name(const Type& type) {
  // A scale that does not lie within the digits (PostgreSQL has them) can't be declared here.
  if (type.precision == 0 || type.scale < 0 || type.scale > type.precision) return "DECIMAL_TEXT";
  return "DECIMAL_TEXT(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
}

}  // namespace

Affinity affinity_of(std::string_view declared) noexcept {
  const auto contains = [&](std::string_view part) {
    return std::search(declared.begin(), declared.end(), part.begin(), part.end(),
                       [](unsigned char a, unsigned char b) { return std::toupper(a) == b; }) !=
           declared.end();
  };
  if (contains("INT")) return Affinity::integer;
  if (contains("CHAR") || contains("CLOB") || contains("TEXT")) return Affinity::text;
  if (contains("BLOB") || declared.empty()) return Affinity::blob;
  if (contains("REAL") || contains("FLOA") || contains("DOUB")) return Affinity::real;
  return Affinity::numeric;
}

Type type_of(std::string_view text) {
  const auto declared = take_apart(text);
  const std::string_view name = declared ? std::string_view(declared->name) : std::string_view{};
  if (text.empty() || name == any_declared) return any_type();
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [&](const Spelling& one) { return one.name == name; });
  const std::vector<unsigned> none;
  const std::vector<unsigned>& arguments = declared ? declared->arguments : none;
  if (found != spellings.end()) return limited(make_type(found->kind), arguments);
  // An affinity that leaves one storage class, beside blobs and what can't be converted, is a
  // meaning too.
  switch (affinity_of(text)) {
    case Affinity::text:
      return limited(text_type(), arguments);
    case Affinity::real:
      return make_type(TypeKind::float64);
    case Affinity::blob:
      return bytes_type();
    default:
      return origin_type("sqlite:" + std::string(text));
  }
}

Affinity affinity_of(const Type& type) noexcept {
  const std::string_view name = native_name_in(type, "sqlite");
  return name == any_name ? Affinity::blob : affinity_of(name);
}

Type any_type() {
  return origin_type("sqlite:" + std::string(any_name));
}

std::string declared_type(const Type& type, bool in_key) {
  if (in_key && is_integer(type.kind) && type.kind != TypeKind::uint64) return "INTEGER";
  switch (type.kind) {
    case TypeKind::boolean:
      return "BOOLEAN";
    case TypeKind::int8:
      return "TINYINT";
    case TypeKind::int16:
      return "SMALLINT";
    case TypeKind::int32:
    case TypeKind::int64:
      return "INTEGER";
    case TypeKind::uint8:
      return "TINYINT UNSIGNED";
    case TypeKind::uint16:
      return "SMALLINT UNSIGNED";
    case TypeKind::uint32:
      return "INTEGER UNSIGNED";
    case TypeKind::uint64:
      return "UNSIGNED64_BLOB";
    case TypeKind::float32:
      return "FLOAT_BLOB";
    case TypeKind::float64:
      return "DOUBLE_BLOB";
    case TypeKind::decimal:
      return decimal_name(type);
    case TypeKind::text:
      return type.length == 0 ? "TEXT" : sized("VARCHAR", type);
    case TypeKind::bytes:
      return sized("BLOB", type);
    case TypeKind::date:
      return "DATE";
    case TypeKind::time:
      return fractional("TIME", type);
    case TypeKind::timestamp:
      return fractional("DATETIME", type);
    case TypeKind::instant:
      return fractional("TIMESTAMPTZ", type);
    case TypeKind::interval:
      return "INTERVAL";
    case TypeKind::uuid:
      return "UUID";
    case TypeKind::json:
      return "JSON_TEXT";
    case TypeKind::native: {
      const std::string_view name = native_name_in(type, "sqlite");
      return name.empty() ? "TEXT" : native_declared(name);
    }
  }
  return "BLOB";
}

std::string note_of(const Type& type) {
  switch (type.kind) {
    case TypeKind::uint64:
      return "above 9223372036854775807 as text of 20 digits";
    case TypeKind::decimal:
      return "as text: exact";
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return type.kind == TypeKind::instant ? "as text: ISO 8601, in UTC" : "as text: ISO 8601";
    case TypeKind::interval:
      return "as text: JSON of months, days and microseconds";
    case TypeKind::native:
      return native_name_in(type, "sqlite").empty() ? "as text: its own server's form" : "";
    default:
      return {};
  }
}

IntegerRange range_of(TypeKind kind) noexcept {
  switch (kind) {
    case TypeKind::boolean:
      return {0, 1};
    case TypeKind::int8:
      return {INT8_MIN, INT8_MAX};
    case TypeKind::int16:
      return {INT16_MIN, INT16_MAX};
    case TypeKind::int32:
      return {INT32_MIN, INT32_MAX};
    case TypeKind::uint8:
      return {0, UINT8_MAX};
    case TypeKind::uint16:
      return {0, UINT16_MAX};
    case TypeKind::uint32:
      return {0, UINT32_MAX};
    case TypeKind::uint64:
      return {0, INT64_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

std::vector<TypeSample> type_samples() {
  std::vector<TypeSample> samples;
  for (const Spelling& one : spellings) {
    std::string name(one.name);
    if (one.kind == TypeKind::decimal) name += "(12,2)";
    samples.push_back({.column = {.name = name, .type = type_of(name), .native_type = name}});
  }
  for (const auto* name : {"", "ANY", "GEOMETRY"})
    samples.push_back({.column = {.name = *name == '\0' ? "(none)" : name,
                                  .type = type_of(name),
                                  .native_type = *name == '\0' ? std::string(any_declared) : name},
                       .canonical = "the SQL literal that quote() writes, which names the storage "
                                    "class: 12, 1.5, 'it''s', X'00FF'; text that is no UTF-8 or "
                                    "holds a NUL: CAST(X'…' AS TEXT)"});
  return samples;
}

}  // namespace tidemark::sqlite
