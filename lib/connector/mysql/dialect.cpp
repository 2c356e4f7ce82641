#include "connector/mysql/dialect.h"

#include <array>
#include <charconv>
#include <limits>

#include "connector/sql/integer_kinds.h"
#include "core/error.h"
#include "core/temporal.h"

namespace tidemark::mysql {
namespace {

constexpr std::uint32_t longest_varchar = 1024;
/// An index takes 3072 bytes, a character up to four; several parts must fit.
constexpr std::uint32_t longest_key_text = 768;
constexpr std::uint32_t default_key_text = 255;
constexpr std::uint32_t longest_varbinary = 4096;
constexpr std::uint32_t longest_key_bytes = 3072;
constexpr std::uint32_t default_key_bytes = 1020;
constexpr std::uint16_t most_digits = 65;
constexpr std::int16_t most_scale = 30;

std::string with_length(std::string_view name, std::uint32_t length) {
  return std::string(name) + "(" + std::to_string(length) + ")";
}

/// "DATETIME(6)"; no parentheses for whole seconds.
std::string with_fraction(std::string_view name, std::uint16_t digits) {
  return digits == 0 ? std::string(name) : with_length(name, std::min<std::uint16_t>(digits, 6));
}

[[noreturn]] void no_literal(const char* what) {
  throw Error({.kind = FailureKind::conversion,
               .message = std::string(what) + " has no counterpart in MySQL or MariaDB"});
}

std::string temporal_literal(const Value& value) {
  std::string text = value.text;
  if (text == "infinity" || text == "-infinity") no_literal("an infinite date or time");
  if (text.ends_with(" BC")) no_literal("a date before year 1");
  if (value.type.kind == TypeKind::date) return "DATE'" + format_date(parse_date(text)) + "'";
  if (value.type.kind == TypeKind::time) return "TIME'" + format_time(parse_time(text)) + "'";
  const bool zoned = value.type.kind == TypeKind::instant;
  // Without an offset: the session's zone is UTC.
  return "TIMESTAMP'" + format_timestamp(zoned ? parse_instant(text) : parse_timestamp(text)) + "'";
}

bool integer_fits(TypeKind from, TypeKind into) {
  if (is_signed_integer(from) && !is_signed_integer(into)) return false;
  const std::size_t from_width = width_of(from);
  const std::size_t into_width = width_of(into);
  if (is_signed_integer(from) == is_signed_integer(into)) return from_width <= into_width;
  return from_width < into_width;
}

/// Builds the answer of `fits` for one pair of types.
class Fit {
 public:
  Fit(const Column& arriving, const Column& existing) : from_(arriving.type), into_(existing.type) {
    verdict_.column = arriving.name;
    verdict_.target_type = existing.native_type;
  }

  ColumnVerdict judge() {
    switch (from_.kind) {
      case TypeKind::boolean:
        boolean();
        break;
      case TypeKind::float32:
      case TypeKind::float64:
        floating();
        break;
      case TypeKind::decimal:
        decimal();
        break;
      case TypeKind::text:
        text();
        break;
      case TypeKind::bytes:
        bytes();
        break;
      case TypeKind::date:
      case TypeKind::time:
      case TypeKind::timestamp:
      case TypeKind::instant:
        temporal();
        break;
      case TypeKind::uuid:
        worded(36, TypeKind::uuid);
        break;
      case TypeKind::json:
        worded(0, TypeKind::json);
        break;
      case TypeKind::native:
        worded(0, TypeKind::text);
        break;
      case TypeKind::interval:
        impossible("there is no type for intervals");
        break;
      default:
        integer();
        break;
    }
    return std::move(verdict_);
  }

 private:
  void lossy(std::string reason) {
    verdict_.fidelity = Fidelity::lossy;
    verdict_.reason = std::move(reason);
  }
  void impossible(std::string reason) {
    verdict_.fidelity = Fidelity::impossible;
    verdict_.reason = std::move(reason);
  }
  void no_way() { impossible("the types have nothing in common"); }

  void boolean() {
    if (into_.kind != TypeKind::boolean && !is_integer(into_.kind)) no_way();
  }

  void integer() {
    if (is_integer(into_.kind)) {
      if (!integer_fits(from_.kind, into_.kind)) lossy("numbers out of range are refused");
    } else if (into_.kind == TypeKind::decimal) {
      if (into_.precision - into_.scale < sql::digits_of(from_.kind))
        lossy("numbers out of range are refused");
    } else if (into_.kind == TypeKind::float64 || into_.kind == TypeKind::float32) {
      const std::size_t exact = into_.kind == TypeKind::float64 ? 4 : 2;
      if (width_of(from_.kind) > exact) lossy("large numbers are rounded");
    } else if (into_.kind == TypeKind::text) {
      limit(static_cast<std::uint32_t>(sql::digits_of(from_.kind)) + 1);
    } else if (into_.kind == TypeKind::boolean) {
      lossy("the column is meant for 0 and 1");
    } else {
      no_way();
    }
  }

  void floating() {
    if (into_.kind == TypeKind::float64 || into_.kind == from_.kind) return;
    if (into_.kind == TypeKind::float32 || into_.kind == TypeKind::decimal ||
        is_integer(into_.kind))
      return lossy("numbers are rounded");
    if (into_.kind == TypeKind::text) return limit(24);
    no_way();
  }

  void decimal() {
    if (into_.kind == TypeKind::text) return limit(from_.precision == 0 ? 0 : from_.precision + 3U);
    if (into_.kind == TypeKind::float64 || into_.kind == TypeKind::float32)
      return lossy("numbers are rounded to binary");
    const bool whole = is_integer(into_.kind);
    if (into_.kind != TypeKind::decimal && !whole) return no_way();
    const int room = whole ? sql::digits_of(into_.kind) - 1 : into_.precision - into_.scale;
    const int scale = whole ? 0 : into_.scale;
    // The largest type there is counts as a home for decimals without limits.
    if (from_.precision == 0 && room >= most_digits - most_scale && scale >= most_scale) return;
    if (from_.precision == 0 || from_.precision - from_.scale > room)
      return lossy("numbers out of range are refused");
    if (from_.scale > scale) lossy("digits after the point are rounded");
  }

  void text() {
    if (into_.kind == TypeKind::json || into_.kind == TypeKind::uuid)
      return lossy("texts that are no such value are refused, others may change their form");
    if (into_.kind != TypeKind::text) return no_way();
    if (into_.fixed && !from_.fixed) return lossy("CHAR loses trailing blanks");
    limit(from_.length);
  }

  void bytes() {
    if (into_.kind != TypeKind::bytes) return no_way();
    if (into_.fixed && (!from_.fixed || from_.length != into_.length))
      return lossy("BINARY fills up with zero bytes");
    limit(from_.length);
  }

  /// Of a value that needs up to `length` characters or bytes; 0: no limit known.
  void limit(std::uint32_t length) {
    if (into_.length == 0) return;
    if (length == 0 || length > into_.length) lossy("longer values are refused");
  }

  void worded(std::uint32_t length, TypeKind own) {
    if (into_.kind == own) return own == TypeKind::text ? limit(length) : void();
    if (into_.kind != TypeKind::text) return no_way();
    limit(length);
  }

  void temporal() {
    if (into_.kind == TypeKind::text) return limit(32);
    if (from_.kind == TypeKind::date && into_.kind == TypeKind::timestamp) return;
    if (from_.kind == TypeKind::timestamp && into_.kind == TypeKind::date)
      return lossy("the time of day is cut off");
    if (from_.kind == TypeKind::instant && into_.kind == TypeKind::timestamp)
      return lossy("the column has no zone: values are written in UTC");
    if (into_.kind != from_.kind)
      return from_.kind == TypeKind::timestamp && into_.kind == TypeKind::instant
                 ? impossible(
                       "a time without a zone is no instant: set the column's type to "
                       "timestamptz and source_timezone")
                 : no_way();
    if (from_.kind != TypeKind::date && from_.precision > into_.precision)
      lossy("fractions of a second are cut");
  }

  const Type& from_;
  const Type& into_;
  ColumnVerdict verdict_;
};

}  // namespace

std::string MysqlDialect::quote(std::string_view identifier) const {
  std::string quoted = "`";
  for (const char c : identifier) {
    if (c == '\0')
      throw Error({.kind = FailureKind::schema, .message = "a name can't hold a NUL byte"});
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted + "`";
}

std::string MysqlDialect::literal(const Value& value) const {
  if (value.null) return "NULL";
  switch (value.type.kind) {
    case TypeKind::boolean:
      return value.text == "true" ? "1" : "0";
    case TypeKind::float32:
    case TypeKind::float64: {
      if (value.text.find_first_of("Nn") != std::string::npos)
        no_literal("NaN or an infinite number");
      // With an exponent it is a DOUBLE; without one it would be a DECIMAL.
      const bool exponent = value.text.find('e') != std::string::npos;
      return exponent ? value.text : value.text + "e0";
    }
    case TypeKind::decimal:
      if (value.text.find_first_of("Nn") != std::string::npos)
        no_literal("NaN or an infinite number");
      return canonical_decimal(value.text);
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::instant:
      return temporal_literal(value);
    case TypeKind::bytes:
      return "X'" + to_hex(from_hex(value.text)) + "'";
    case TypeKind::text:
    case TypeKind::uuid:
    case TypeKind::json:
    case TypeKind::native:
      return "_utf8mb4 X'" + to_hex(value.text) + "'";
    case TypeKind::interval:
      no_literal("an interval");
    default:
      break;
  }
  // Integers: checked by reading them, so that nothing else can stand in the statement.
  ColumnData check(value.type);
  push_text(check, value.text);
  return text_of(check, 0);
}

sql::Lexis MysqlDialect::lexis() const {
  return {.backslash_escapes = true,
          .backquotes = true,
          .hash_comments = true,
          .dashes_need_blank = true};
}

std::string_view MysqlDialect::binary_collation() const noexcept {
  return flavor_.mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin";
}

ColumnVerdict MysqlDialect::column_type(const Column& column, bool in_key) const {
  const Type& type = column.type;
  ColumnVerdict verdict{.column = column.name, .target_type = {}};
  const std::string bytewise = " CHARACTER SET utf8mb4 COLLATE " + std::string(binary_collation());
  const auto impossible = [&](const char* reason) {
    verdict.target_type = to_string(type);
    verdict.fidelity = Fidelity::impossible;
    verdict.reason = reason;
  };
  std::string& into = verdict.target_type;
  switch (type.kind) {
    case TypeKind::boolean:
      into = "TINYINT(1) COMMENT '" + std::string(boolean_comment) + "'";
      break;
    case TypeKind::int8:
      into = "TINYINT";
      break;
    case TypeKind::int16:
      into = "SMALLINT";
      break;
    case TypeKind::int32:
      into = "INT";
      break;
    case TypeKind::int64:
      into = "BIGINT";
      break;
    case TypeKind::uint8:
      into = "TINYINT UNSIGNED";
      break;
    case TypeKind::uint16:
      into = "SMALLINT UNSIGNED";
      break;
    case TypeKind::uint32:
      into = "INT UNSIGNED";
      break;
    case TypeKind::uint64:
      into = "BIGINT UNSIGNED";
      break;
    case TypeKind::float32:
    case TypeKind::float64:
      into = type.kind == TypeKind::float32 ? "FLOAT" : "DOUBLE";
      if (flavor_.mariadb) verdict.reason = "the server stores -0.0 as 0";
      break;
    case TypeKind::decimal: {
      const bool unlimited = type.precision == 0;
      into = "DECIMAL(" + std::to_string(unlimited ? most_digits : type.precision) + "," +
             std::to_string(unlimited ? most_scale : type.scale) + ")";
      if (unlimited)
        verdict.reason = "more than 35 digits before or 30 behind the point are refused";
      if (type.precision > most_digits || type.scale > most_scale || type.scale < 0)
        impossible("DECIMAL has at most 65 digits, 30 of them behind the point");
      break;
    }
    case TypeKind::text:
      if (in_key) {
        const std::uint32_t wanted = type.length == 0 ? default_key_text : type.length;
        into = with_length("VARCHAR", std::min(wanted, longest_key_text)) + bytewise;
        if (type.length == 0 || type.length > longest_key_text)
          verdict.reason = "longer keys are refused: an index takes no more";
      } else if (type.length == 0 || type.length > longest_varchar) {
        into = "LONGTEXT" + bytewise;
      } else {
        into = with_length("VARCHAR", type.length) + bytewise;
      }
      break;
    case TypeKind::bytes:
      if (in_key) {
        const std::uint32_t wanted = type.length == 0 ? default_key_bytes : type.length;
        into = with_length("VARBINARY", std::min(wanted, longest_key_bytes));
        if (type.length == 0 || type.length > longest_key_bytes)
          verdict.reason = "longer keys are refused: an index takes no more";
      } else if (type.length == 0 || type.length > longest_varbinary) {
        into = "LONGBLOB";
      } else {
        into = with_length("VARBINARY", type.length);
      }
      break;
    case TypeKind::date:
      into = "DATE";
      break;
    case TypeKind::time:
      into = with_fraction("TIME", type.precision);
      break;
    case TypeKind::timestamp:
      into = with_fraction("DATETIME", type.precision);
      break;
    case TypeKind::instant:
      into = with_fraction("DATETIME", type.precision) + " COMMENT '" +
             std::string(instant_comment) + "'";
      break;
    case TypeKind::uuid:
      into = flavor_.mariadb && flavor_.version >= 100700
                 ? "UUID"
                 : "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin";
      break;
    case TypeKind::json:
      into = "JSON";
      if (!flavor_.mariadb) {
        // MySQL's JSON sorts keys and rewrites numbers; a text keeps what came.
        into = "LONGTEXT" + bytewise;
        verdict.reason = "held as text, because MySQL's JSON does not keep a document's form";
      }
      if (in_key) impossible("JSON can't be a key");
      break;
    case TypeKind::interval:
      impossible("there is no type for intervals");
      break;
    case TypeKind::native:
      impossible("it is a type of another database: name a native_type");
      break;
  }
  return verdict;
}

ColumnVerdict MysqlDialect::fits(const Column& arriving, const Column& existing) const {
  return Fit(arriving, existing).judge();
}

std::optional<std::string> MysqlDialect::widen(const TableName& name, const Column& existing,
                                               std::string_view native_type) const {
  const auto attributes = attributes_.find(existing.name);
  if (attributes == attributes_.end()) return std::nullopt;
  return "ALTER TABLE " + table(name) + " MODIFY COLUMN " + quote(existing.name) + " " +
         std::string(native_type) + attributes->second;
}

std::string MysqlDialect::differs(std::string_view, std::string_view,
                                  const std::vector<std::string>&) const {
  // The server compares old and new row byte by byte and skips the write; `=` would follow the
  // collation (decisions: unchanged rows).
  return "1=1";
}

std::string_view MysqlDialect::now_micros() const {
  return "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)";
}

std::string_view MysqlDialect::text_type() const {
  return "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
}

std::string_view MysqlDialect::key_text_type() const {
  return "VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
}

std::string_view MysqlDialect::table_options() const {
  return "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
}

}  // namespace tidemark::mysql
