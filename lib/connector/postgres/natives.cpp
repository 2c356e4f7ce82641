#include "connector/postgres/natives.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tidemark::postgres {
namespace {

struct TextRow {
  std::string_view name;
  std::string_view reason;
};

constexpr std::string_view takes_none = "the server takes no values of this type";
constexpr std::string_view names_objects =
    "its values name objects of the database that they come from";
constexpr std::string_view no_column = "no table can have a column of this type";

constexpr std::array text_rows{
    TextRow{"pg_node_tree", takes_none},
    TextRow{"pg_ndistinct", takes_none},
    TextRow{"pg_dependencies", takes_none},
    TextRow{"pg_mcv_list", takes_none},
    TextRow{"pg_brin_bloom_summary", takes_none},
    TextRow{"pg_brin_minmax_multi_summary", takes_none},
    TextRow{"gtsvector", takes_none},
    TextRow{"aclitem", names_objects},
    TextRow{"regclass", names_objects},
    TextRow{"regcollation", names_objects},
    TextRow{"regconfig", names_objects},
    TextRow{"regdictionary", names_objects},
    TextRow{"regnamespace", names_objects},
    TextRow{"regoper", names_objects},
    TextRow{"regoperator", names_objects},
    TextRow{"regproc", names_objects},
    TextRow{"regprocedure", names_objects},
    TextRow{"regrole", names_objects},
    TextRow{"regtype", names_objects},
    TextRow{"anyarray", no_column},
    TextRow{"record", no_column},
    TextRow{"cstring", no_column},
    TextRow{"unknown", no_column},
    TextRow{"void", no_column},
};

/// A type whose columns come in binary form even where they are wanted as text: it is the same.
bool is_text_type(std::string_view native_name) {
  return native_name == "text" || native_name == "bpchar" || native_name.starts_with("character");
}

/// "char" with the high bit set: the server before 16 gives the bare byte, which is no UTF-8, later
/// ones an octal escape. Both ways the escape is what travels.
std::string char_to_text(const std::string& expression) {
  const std::string byte = "((" + expression + ")::int4 & 255)";
  return "CASE WHEN (" + expression + ")::int4 < 0 THEN '\\' || (" + byte + " >> 6) || (" + byte +
         " >> 3 & 7) || (" + byte + " & 7) ELSE pg_catalog.textin(pg_catalog.charout(" +
         expression + ")) END";
}

std::string char_from_text(const std::string& expression) {
  const auto digit = [&](int place) {
    return "substr(" + expression + ", " + std::to_string(place) + ", 1)::int4";
  };
  return "CASE WHEN " + expression + " ~ '^\\\\[2-3][0-7][0-7]$' THEN ((" + digit(2) +
         " << 6) + (" + digit(3) + " << 3) + " + digit(4) + " - 256)::\"char\" ELSE " + expression +
         "::\"char\" END";
}

bool ends_with_any_array(std::string_view& name) {
  const bool array = name.ends_with("[]");
  while (name.ends_with("[]"))
    name.remove_suffix(2);
  return array;
}

}  // namespace

std::string_view own_name(const Type& type) noexcept {
  return native_name_in(type, "postgres");
}

Type native_of(std::string_view name) {
  return origin_type("postgres:" + std::string(name));
}

std::string without_limits(std::string_view name) {
  std::string bare(name);
  // A quoted name may hold parentheses of its own.
  if (bare.find('"') != std::string::npos) return bare;
  const std::size_t open = bare.find('(');
  const std::size_t close = bare.find(')', open == std::string::npos ? 0 : open);
  if (open != std::string::npos && close != std::string::npos) bare.erase(open, close - open + 1);
  return bare;
}

std::string_view held_as_text(std::string_view name) noexcept {
  ends_with_any_array(name);
  const auto* const row = std::find_if(text_rows.begin(), text_rows.end(),
                                       [&](const TextRow& one) { return one.name == name; });
  return row == text_rows.end() ? std::string_view() : row->reason;
}

std::string own_name_of(const Type& foreign) {
  std::string name(native_name_in(foreign, "mysql"));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "inet4" || name == "inet6") return "inet";
  if (name == "bit") return "bit(1)";
  return name.starts_with("bit(") ? name : std::string();
}

std::string read_expression(const Column& column, const std::string& quoted) {
  if (column.type.kind == TypeKind::native) return to_text(own_name(column.type), quoted);
  const bool as_text = column.type.kind == TypeKind::text && !column.type.fixed &&
                       column.type.length == 0 && !is_text_type(column.native_type);
  return as_text ? to_text(column.native_type, quoted) : quoted;
}

std::string to_text(std::string_view name, const std::string& expression) {
  if (name == "\"char\"") return char_to_text(expression);
  // The output function drops an XML declaration's encoding; the cast gives what is stored.
  if (name == "xml") return expression + "::text";
  // format() calls the output function, where a cast may be another function (inet::text adds /32).
  // IS DISTINCT FROM, because a row of nulls IS NULL and still is a value.
  return "CASE WHEN " + expression + " IS DISTINCT FROM NULL THEN pg_catalog.format('%s', " +
         expression + ") END";
}

std::string from_text(std::string_view name, const std::string& expression) {
  if (name == "\"char\"") return char_from_text(expression);
  return "(" + expression + ")::" + std::string(name);
}

}  // namespace tidemark::postgres
