#include "connector/mysql/types.h"

#include <algorithm>
#include <array>

#include "connector/mysql/dialect.h"
#include "connector/mysql/native_type.h"

namespace tidemark::mysql {
namespace {

struct IntegerRow {
  std::string_view name;
  TypeKind signed_kind;
  TypeKind unsigned_kind;
};

constexpr std::array integers{
    IntegerRow{"tinyint", TypeKind::int8, TypeKind::uint8},
    IntegerRow{"smallint", TypeKind::int16, TypeKind::uint16},
    IntegerRow{"mediumint", TypeKind::int32, TypeKind::uint32},
    IntegerRow{"int", TypeKind::int32, TypeKind::uint32},
    IntegerRow{"bigint", TypeKind::int64, TypeKind::uint64},
};

std::optional<Type> text_or_bytes(const NativeColumn& column) {
  const std::string_view name = column.data_type;
  if (name == "json") return make_type(TypeKind::json);
  if (name == "longtext") return make_type(column.json_check ? TypeKind::json : TypeKind::text);
  if (name == "char" || name == "varchar") {
    Type type = text_type(column.length);
    type.fixed = name == "char";
    return type;
  }
  // The limits of these are in bytes and say nothing about the text: they count as unlimited.
  if (name == "tinytext" || name == "text" || name == "mediumtext") return text_type();
  if (name == "binary" || name == "varbinary") {
    Type type = bytes_type(column.length);
    type.fixed = name == "binary";
    return type;
  }
  if (name == "tinyblob" || name == "blob" || name == "mediumblob" || name == "longblob")
    return bytes_type();
  return std::nullopt;
}

}  // namespace

std::optional<Type> logical_type(const NativeColumn& column) {
  const std::string_view name = column.data_type;
  const bool is_unsigned = column.column_type.find("unsigned") != std::string::npos;
  const auto* const integer = std::find_if(
      integers.begin(), integers.end(), [name](const IntegerRow& row) { return row.name == name; });
  if (integer != integers.end()) {
    if (column.column_type.starts_with("tinyint(1)") && column.comment == boolean_comment)
      return make_type(TypeKind::boolean);
    return make_type(is_unsigned ? integer->unsigned_kind : integer->signed_kind);
  }
  if (name == "decimal")
    return decimal_type(static_cast<std::uint16_t>(column.precision),
                        static_cast<std::int16_t>(column.scale));
  if (name == "float") return make_type(TypeKind::float32);
  if (name == "double") return make_type(TypeKind::float64);
  if (name == "date") return make_type(TypeKind::date);
  const auto digits = static_cast<std::uint16_t>(column.fraction);
  if (name == "time") return time_type(TypeKind::time, digits);
  if (name == "timestamp") return time_type(TypeKind::instant, digits);
  if (name == "datetime")
    return time_type(column.comment == instant_comment ? TypeKind::instant : TypeKind::timestamp,
                     digits);
  if (name == "uuid") return make_type(TypeKind::uuid);
  if (name == "year") return make_type(TypeKind::int16);
  if (parse_native(name)) return native_type(column.column_type);
  return text_or_bytes(column);
}

}  // namespace tidemark::mysql
