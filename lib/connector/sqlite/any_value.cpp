#include "connector/sqlite/any_value.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include "core/error.h"
#include "core/value.h"

namespace tidemark::sqlite {
namespace {

constexpr std::string_view blob_prefix = "X'";
constexpr std::string_view cast_prefix = "CAST(X'";
constexpr std::string_view cast_suffix = "' AS TEXT)";

std::string upper_hex(std::string_view bytes) {
  std::string hex = to_hex(bytes);
  std::transform(hex.begin(), hex.end(), hex.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return hex;
}

std::string_view blob_of(const Statement& statement, int column) {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), column));
  return size == 0 ? std::string_view{} : std::string_view(data, size);
}

/// With a point or an exponent, or it would read as a whole number.
std::string real_text(double value) {
  if (std::isinf(value)) return value < 0 ? "-9e999" : "9e999";
  std::string text = format_float(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += '\'';
    result += c;
  }
  return result + '\'';
}

/// The text between the quotes of 'it''s'; nullopt where a quote stands alone.
std::optional<std::string> unquoted(std::string_view literal) {
  if (literal.size() < 2 || !literal.starts_with('\'') || !literal.ends_with('\''))
    return std::nullopt;
  literal = literal.substr(1, literal.size() - 2);
  std::string text;
  for (std::size_t at = 0; at < literal.size(); ++at) {
    if (literal[at] == '\'' && (at + 1 == literal.size() || literal[++at] != '\''))
      return std::nullopt;
    text += literal[at];
  }
  return text;
}

std::optional<std::string> bytes_between(std::string_view literal, std::string_view prefix,
                                         std::string_view suffix) {
  if (literal.size() < prefix.size() + suffix.size() || !literal.starts_with(prefix) ||
      !literal.ends_with(suffix))
    return std::nullopt;
  literal.remove_prefix(prefix.size());
  literal.remove_suffix(suffix.size());
  try {
    return from_hex(literal);
  } catch (const Error&) {
    return std::nullopt;
  }
}

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> real_of(std::string_view text) {
  if (text == "9e999") return std::numeric_limits<double>::infinity();
  if (text == "-9e999") return -std::numeric_limits<double>::infinity();
  // from_chars would take "nan" and "inf" as well.
  if (text.find_first_not_of("0123456789+-.e") != std::string_view::npos) return std::nullopt;
  return number_of<double>(text);
}

struct Text {
  std::string text;
};
struct Blob {
  std::string bytes;
};

std::optional<std::variant<Text, Blob, std::int64_t, double>> parse(std::string_view literal) {
  if (auto text = unquoted(literal)) return Text{std::move(*text)};
  if (auto bytes = bytes_between(literal, blob_prefix, "'")) return Blob{std::move(*bytes)};
  if (auto text = bytes_between(literal, cast_prefix, cast_suffix)) return Text{std::move(*text)};
  if (const auto whole = number_of<std::int64_t>(literal)) return *whole;
  if (const auto real = real_of(literal)) return *real;
  return std::nullopt;
}

void bind_blob_copy(Statement& statement, int parameter, std::string_view bytes) {
  const int code =
      sqlite3_bind_blob64(statement.get(), parameter, bytes.empty() ? "" : bytes.data(),
                          bytes.size(), SQLITE_TRANSIENT);
  if (code != SQLITE_OK)
    throw Error({.kind = FailureKind::resource, .message = "a value is too large to be bound"});
}

}  // namespace

std::string literal_of(const Statement& statement, int column) {
  switch (sqlite3_column_type(statement.get(), column)) {
    case SQLITE_INTEGER:
      return std::to_string(sqlite3_column_int64(statement.get(), column));
    case SQLITE_FLOAT:
      return real_text(sqlite3_column_double(statement.get(), column));
    case SQLITE_BLOB:
      return std::string(blob_prefix) + upper_hex(blob_of(statement, column)) + "'";
    default:
      break;
  }
  const std::string_view text = statement.text(column);
  if (is_valid_utf8(text) && text.find('\0') == std::string_view::npos) return quoted(text);
  return std::string(cast_prefix) + upper_hex(text) + std::string(cast_suffix);
}

std::string plain_text_of(const Statement& statement, int column) {
  switch (sqlite3_column_type(statement.get(), column)) {
    case SQLITE_INTEGER:
      return std::to_string(sqlite3_column_int64(statement.get(), column));
    case SQLITE_FLOAT:
      return real_text(sqlite3_column_double(statement.get(), column));
    default:
      return std::string(statement.text(column));
  }
}

bool bind_literal(Statement& statement, int parameter, std::string_view literal) {
  const auto value = parse(literal);
  if (!value) return false;
  struct Bind {
    Statement& statement;
    int parameter;
    void operator()(const Text& text) const { statement.bind_copy(parameter, text.text); }
    void operator()(const Blob& blob) const { bind_blob_copy(statement, parameter, blob.bytes); }
    void operator()(std::int64_t whole) const { statement.bind(parameter, whole); }
    void operator()(double real) const { statement.bind(parameter, real); }
  };
  std::visit(Bind{statement, parameter}, *value);
  return true;
}

bool is_literal(std::string_view text) {
  return parse(text).has_value();
}

bool looks_numeric(std::string_view text) noexcept {
  constexpr std::string_view blanks = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return false;
  text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
  const auto take = [&](std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto digits = [&] {
    std::size_t count = 0;
    while (take("0123456789"))
      ++count;
    return count;
  };
  take("+-");
  std::size_t mantissa = digits();
  if (take(".")) mantissa += digits();
  if (mantissa == 0) return false;
  if (take("eE")) {
    take("+-");
    if (digits() == 0) return false;
  }
  return text.empty();
}

}  // namespace tidemark::sqlite
