#include "connector/sqlite/types.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <vector>

#include "connector/sql/integer_kinds.h"

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
    Spelling{"SMALLINT", TypeKind::int16},
    Spelling{"INT2", TypeKind::int16},
    Spelling{"MEDIUMINT", TypeKind::int32},
    Spelling{"INT4", TypeKind::int32},
    Spelling{"INT", TypeKind::int64},
    Spelling{"INTEGER", TypeKind::int64},
    Spelling{"BIGINT", TypeKind::int64},
    Spelling{"BIG INT", TypeKind::int64},
    Spelling{"INT8", TypeKind::int64},
    Spelling{"TINYINT UNSIGNED", TypeKind::uint8},
    Spelling{"SMALLINT UNSIGNED", TypeKind::uint16},
    Spelling{"MEDIUMINT UNSIGNED", TypeKind::uint32},
    Spelling{"INT UNSIGNED", TypeKind::uint32},
    Spelling{"INTEGER UNSIGNED", TypeKind::uint32},
    Spelling{"BIGINT UNSIGNED", TypeKind::uint64},
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
    Spelling{"DECIMAL_TEXT", TypeKind::decimal},
    Spelling{"TEXT", TypeKind::text},
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
    Spelling{"BINARY", TypeKind::bytes},
    Spelling{"VARBINARY", TypeKind::bytes},
    Spelling{"DATE", TypeKind::date},
    Spelling{"TIME", TypeKind::time},
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

bool has_fraction(TypeKind kind) {
  return kind == TypeKind::time || kind == TypeKind::timestamp || kind == TypeKind::instant;
}

std::string sized(std::string name, const Type& type) {
  return type.length == 0 ? name : name + "(" + std::to_string(type.length) + ")";
}

std::string fractional(std::string name, const Type& type) {
  return type.precision >= 6 ? name : name + "(" + std::to_string(type.precision) + ")";
}

std::string decimal_name(const Type& type) {
  if (type.precision == 0) return "DECIMAL_TEXT";
  return "DECIMAL_TEXT(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
}

bool is_float(TypeKind kind) {
  return kind == TypeKind::float32 || kind == TypeKind::float64;
}

Fit lossy(std::string reason) {
  return {Fidelity::lossy, std::move(reason)};
}
Fit impossible() {
  return {Fidelity::impossible, "the two types have no common values"};
}

Fit fit_integer(const Type& arriving, const Type& existing, Affinity affinity) {
  const bool boolean = arriving.kind == TypeKind::boolean;
  if (arriving.kind == TypeKind::uint64) {
    if (existing.kind == TypeKind::uint64 && affinity == Affinity::blob) return {};
    return lossy("numbers above 9223372036854775807 do not fit");
  }
  if (boolean) return {};
  const IntegerRange from = range_of(arriving.kind);
  const IntegerRange into = range_of(existing.kind);
  if (from.least >= into.least && from.greatest <= into.greatest) return {};
  return lossy("numbers outside of " + std::to_string(into.least) + " to " +
               std::to_string(into.greatest) + " do not fit");
}

Fit fit_decimal(const Type& arriving, const Type& existing, Affinity affinity) {
  int whole = arriving.precision - arriving.scale;
  int fraction = arriving.scale;
  const bool unlimited = arriving.kind == TypeKind::decimal && arriving.precision == 0;
  if (arriving.kind != TypeKind::decimal) {
    whole = sql::digits_of(arriving.kind);
    fraction = 0;
  }
  if (affinity != Affinity::text && (unlimited || whole + fraction > 15))
    return lossy("this column keeps binary floats: only 15 digits are exact");
  if (existing.precision == 0) return {};
  if (unlimited || whole > existing.precision - existing.scale || fraction > existing.scale)
    return lossy("not every such number has only " + std::to_string(existing.precision) +
                 " digits, " + std::to_string(existing.scale) + " of them behind the point");
  return {};
}

Fit fit_float(const Type& arriving, const Type& existing) {
  if (is_float(arriving.kind))
    return arriving.kind == TypeKind::float64 && existing.kind == TypeKind::float32
               ? lossy("not every double is a float")
               : Fit{};
  if (is_integer(arriving.kind))
    return sql::digits_of(arriving.kind) > (existing.kind == TypeKind::float64 ? 15 : 7)
               ? lossy("large whole numbers are not exact in binary floats")
               : Fit{};
  if (arriving.kind == TypeKind::decimal) return lossy("decimals are not exact in binary floats");
  return impossible();
}

Fit fit_length(const Type& arriving, const Type& existing, const char* unit) {
  if (existing.length == 0 || (arriving.length != 0 && arriving.length <= existing.length))
    return {};
  return lossy("values of more than " + std::to_string(existing.length) + " " + unit +
               " do not fit");
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

std::optional<Type> type_of(std::string_view text) {
  const auto declared = take_apart(text);
  if (!declared) return std::nullopt;
  const auto found = std::find_if(spellings.begin(), spellings.end(),
                                  [&](const Spelling& one) { return one.name == declared->name; });
  if (found == spellings.end()) return std::nullopt;
  Type type = make_type(found->kind);
  const auto& arguments = declared->arguments;
  if (type.kind == TypeKind::text || type.kind == TypeKind::bytes) {
    if (!arguments.empty()) type.length = arguments[0];
  } else if (type.kind == TypeKind::decimal && !arguments.empty()) {
    if (arguments[0] == 0 || arguments[0] > 1000) return std::nullopt;
    type.precision = static_cast<std::uint16_t>(arguments[0]);
    if (arguments.size() > 1 && arguments[1] > arguments[0]) return std::nullopt;
    if (arguments.size() > 1) type.scale = static_cast<std::int16_t>(arguments[1]);
  } else if (has_fraction(type.kind) && !arguments.empty() && arguments[0] <= 6) {
    type.precision = static_cast<std::uint16_t>(arguments[0]);
  }
  return type;
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
    case TypeKind::native:
      return "TEXT";
  }
  return "BLOB";
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

Fit fit_of(const Type& arriving, const Type& existing, Affinity affinity) {
  const TypeKind from = arriving.kind;
  switch (existing.kind) {
    case TypeKind::boolean:
      if (from == TypeKind::boolean) return {};
      return is_integer(from) ? lossy("only 0 and 1 fit") : impossible();
    case TypeKind::float32:
    case TypeKind::float64:
      return fit_float(arriving, existing);
    case TypeKind::decimal:
      return is_integer(from) || from == TypeKind::decimal
                 ? fit_decimal(arriving, existing, affinity)
                 : impossible();
    case TypeKind::text:
      if (from == TypeKind::bytes) return impossible();
      if (from == TypeKind::text || existing.length != 0)
        return fit_length(arriving, existing, "characters");
      return {};
    case TypeKind::bytes:
      return from == TypeKind::bytes ? fit_length(arriving, existing, "bytes") : impossible();
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      if (from != existing.kind) return impossible();
      return arriving.precision > existing.precision
                 ? lossy("more than " + std::to_string(existing.precision) +
                         " digits behind the second do not fit")
                 : Fit{};
    case TypeKind::json:
      return from == TypeKind::json ? Fit{} : impossible();
    default:
      break;
  }
  if (is_integer(existing.kind))
    return is_integer(from) || from == TypeKind::boolean ? fit_integer(arriving, existing, affinity)
                                                         : impossible();
  return from == existing.kind ? Fit{} : impossible();
}

}  // namespace tidemark::sqlite
