#include "connector/mysql/cell_form.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tidemark::mysql {
namespace {

constexpr std::array<std::string_view, 5> within_unicode{"", "utf8mb4", "utf8mb3", "utf8",
                                                         "latin1"};

bool equal_but_for_case(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

bool is_number(TypeKind kind) {
  return is_integer(kind) || kind == TypeKind::boolean || kind == TypeKind::decimal;
}

}  // namespace

bool can_read_as(const Column& column, const Type& type) {
  const auto native = parse_native(column.native_type);
  if (!native) return false;
  if (native->kind == NativeKind::bit) return is_number(type.kind);
  if (!native->temporal() && native->kind != NativeKind::year) return false;
  if (type.kind == TypeKind::text) return type.length == 0;
  // "mysql:datetime" stands for "mysql:datetime(6)" too: the text carries its own digits.
  return type.kind == TypeKind::native &&
         (equal_but_for_case(type.origin, native_type(column.native_type).origin) ||
          equal_but_for_case(type.origin, native_type(native->name).origin));
}

bool may_leave_unicode(const std::string& character_set) {
  return std::find(within_unicode.begin(), within_unicode.end(), character_set) ==
         within_unicode.end();
}

std::string read_expression(const Column& column, const std::string& quoted,
                            const std::string& character_set) {
  const TypeKind kind = column.type.kind;
  const bool as_text = kind == TypeKind::text || kind == TypeKind::native;
  if (const auto native = parse_native(column.native_type); native && as_text)
    if (native->temporal() || native->kind == NativeKind::year)
      return "CAST(" + quoted + " AS CHAR)";
  if (!as_text || !may_leave_unicode(character_set)) return quoted;
  const std::string utf8 = "CONVERT(" + quoted + " USING utf8mb4)";
  return "IF(BINARY CONVERT(" + utf8 + " USING " + character_set + ") <=> BINARY " + quoted +
         ", CAST(" + utf8 + " AS BINARY), X'FF')";
}

}  // namespace tidemark::mysql
