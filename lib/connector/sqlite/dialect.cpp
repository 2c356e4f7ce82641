#include "connector/sqlite/dialect.h"

#include "connector/sqlite/any_value.h"
#include "connector/sqlite/types.h"
#include "core/error.h"

namespace tidemark::sqlite {
namespace {

constexpr std::string_view greatest_int64 = "9223372036854775807";

bool above_int64(std::string_view digits) {
  return digits.size() > greatest_int64.size() ||
         (digits.size() == greatest_int64.size() && digits > greatest_int64);
}

/// Text by its bytes: no quote, NUL or encoding can change what it means.
std::string text_literal(std::string_view text) {
  return "CAST(X'" + to_hex(text) + "' AS TEXT)";
}

std::string checked_literal(const std::string& text) {
  if (is_literal(text)) return text;
  throw Error({.kind = FailureKind::conversion, .message = "the value is no literal of SQLite"});
}

}  // namespace

std::string wide_unsigned(std::string_view digits) {
  return std::string(20 - digits.size(), '0') + std::string(digits);
}

std::string SqliteDialect::quote(std::string_view identifier) const {
  if (identifier.find('\0') != std::string_view::npos)
    throw Error({.kind = FailureKind::schema, .message = "a name holds a NUL character"});
  std::string result = "\"";
  for (const char c : identifier) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

std::string SqliteDialect::literal(const Value& value) const {
  if (value.null) return "NULL";
  switch (value.type.kind) {
    case TypeKind::boolean:
      return value.text == "true" ? "1" : "0";
    case TypeKind::bytes:
      return "X'" + value.text + "'";
    case TypeKind::float32:
    case TypeKind::float64:
      return "CAST(" + text_literal(value.text) + " AS REAL)";
    case TypeKind::int64:
      // The parser would read the digits without their sign, and those are one too large.
      if (value.text == "-9223372036854775808") return "(-9223372036854775807 - 1)";
      break;
    case TypeKind::native:
      // The literal of a value of any class holds its text as hex or between quotes that are
      // doubled, or it is a number: nothing of it can leave its place.
      if (!native_name_in(value.type, "sqlite").empty()) return checked_literal(value.text);
      break;
    case TypeKind::uint64:
      if (above_int64(value.text)) return text_literal(wide_unsigned(value.text));
      break;
    default:
      break;
  }
  if (is_integer(value.type.kind)) {
    // Checked, because it goes into the statement as it is.
    const std::size_t digits = value.text.starts_with('-') ? 1 : 0;
    if (value.text.size() == digits ||
        value.text.find_first_not_of("0123456789", digits) != std::string::npos)
      throw Error({.kind = FailureKind::conversion,
                   .message = "the value is not a valid " + to_string(value.type)});
    return value.text;
  }
  return text_literal(value.text);
}

sql::Lexis SqliteDialect::lexis() const {
  return {.backquotes = true, .brackets = true};
}

ColumnVerdict SqliteDialect::column_type(const Column& column, bool in_key) const {
  return {.column = column.name,
          .target_type = declared_type(column.type, in_key),
          .note = note_of(column.type)};
}

ColumnVerdict SqliteDialect::fits(const Column& arriving, const Column& existing) const {
  Fit fit = fit_of(arriving.type, existing.type, affinity_of(existing.native_type));
  return {.column = arriving.name,
          .target_type = existing.native_type,
          .fidelity = fit.fidelity,
          .reason = std::move(fit.reason)};
}

std::optional<std::string> SqliteDialect::widen(const TableName&, const Column&,
                                                std::string_view) const {
  return std::nullopt;
}

std::string SqliteDialect::differs(std::string_view left, std::string_view right,
                                   const std::vector<std::string>& columns) const {
  std::string result;
  std::string pairs;
  for (const std::string& column : columns) {
    const std::string a = std::string(left) + "." + quote(column);
    const std::string b = std::string(right) + "." + quote(column);
    result += (result.empty() ? "" : " OR ") + a + " IS NOT " + b + " COLLATE BINARY";
    if (bitwise_.contains(column)) pairs += (pairs.empty() ? "" : ", ") + a + ", " + b;
  }
  if (!pairs.empty()) result += " OR " + std::string(differs_function) + "(" + pairs + ")";
  return result;
}

}  // namespace tidemark::sqlite
