#include "connector/mysql/dialect.h"

#include <array>
#include <charconv>
#include <limits>

#include "connector/mysql/fit.h"
#include "connector/mysql/native_type.h"
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
constexpr std::uint32_t longest_interval = 80;

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

/// All digits of a FLOAT as a DOUBLE: its shortest form may name a double beyond the largest FLOAT,
/// and none that a FLOAT column compares equal with.
std::string float_literal(const Value& value) {
  if (value.text.find_first_of("Nn") != std::string::npos) no_literal("NaN or an infinite number");
  std::string text = value.text;
  if (value.type.kind == TypeKind::float32) {
    ColumnData column(value.type);
    push_text(column, text);
    text = format_float(static_cast<double>(column.at<float>(0)));
  }
  // With an exponent it is a DOUBLE; without one it would be a DECIMAL.
  return text.find('e') == std::string::npos ? text + "e0" : text;
}

/// BIT, ENUM and SET sort by their numbers, so that is how they are compared too: ENUM columns
/// compare with a text as texts, and a page would begin elsewhere than the one before has ended.
std::string native_literal(const Value& value) {
  const std::string text = "_utf8mb4 X'" + to_hex(value.text) + "'";
  const auto type = parse_origin(value.type.origin);
  if (!type) return text;
  switch (type->kind) {
    case NativeKind::bit:
      return std::to_string(bits_from_digits(value.text));
    case NativeKind::enumeration:
      return std::to_string(label_number(*type, value.text));
    case NativeKind::set:
      return std::to_string(label_mask(*type, value.text));
    case NativeKind::geometry:
      return "X'" + to_hex(from_hex(value.text)) + "'";
    default:
      return text;
  }
}

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

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
    case TypeKind::float64:
      return float_literal(value);
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
    case TypeKind::interval:
      return "_utf8mb4 X'" + to_hex(value.text) + "'";
    case TypeKind::native:
      return native_literal(value);
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
          .comments_run = true,
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
    verdict.note.clear();
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
      if (flavor_.mariadb) verdict.note = "the server stores -0.0 as 0";
      break;
    case TypeKind::decimal: {
      const bool unlimited = type.precision == 0;
      into = "DECIMAL(" + std::to_string(unlimited ? most_digits : type.precision) + "," +
             std::to_string(unlimited ? most_scale : type.scale) + ")";
      if (unlimited) verdict.note = "more than 35 digits before or 30 behind the point are refused";
      if (type.precision > most_digits || type.scale > most_scale || type.scale < 0)
        impossible("DECIMAL has at most 65 digits, 30 of them behind the point");
      break;
    }
    case TypeKind::text:
      if (in_key) {
        const std::uint32_t wanted = type.length == 0 ? default_key_text : type.length;
        into = with_length("VARCHAR", std::min(wanted, longest_key_text)) + bytewise;
        if (type.length == 0 || type.length > longest_key_text)
          verdict.note = "longer keys are refused: an index takes no more";
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
          verdict.note = "longer keys are refused: an index takes no more";
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
      if (flavor_.mariadb && flavor_.version >= 100700) {
        into = "UUID";
        verdict.note = uuid_note;
      } else {
        into = "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin";
      }
      break;
    case TypeKind::json:
      into = "JSON";
      if (!flavor_.mariadb) {
        // MySQL's JSON sorts keys and rewrites numbers; a text keeps what came.
        into = "LONGTEXT" + bytewise;
        verdict.note = "held as text, because MySQL's JSON does not keep a document's form";
      }
      if (in_key) impossible("JSON can't be a key");
      break;
    case TypeKind::interval:
      into = with_length("VARCHAR", longest_interval) + bytewise;
      verdict.note =
          "as text: "
          R"({"months":…,"days":…,"micros":…})";
      break;
    case TypeKind::native:
      return native_column(column, in_key);
  }
  return verdict;
}

ColumnVerdict MysqlDialect::native_column(const Column& column, bool in_key) const {
  const std::string bytewise = " CHARACTER SET utf8mb4 COLLATE " + std::string(binary_collation());
  const std::string_view written =
      std::string_view(column.type.origin)
          .substr(std::min(column.type.origin.find(':') + 1, column.type.origin.size()));
  ColumnVerdict verdict{.column = column.name, .target_type = {}};
  if (const unsigned bits = foreign_bits(column.type); bits != 0) {
    verdict.target_type = with_length("BIT", bits);
    return verdict;
  }
  if (const auto own = parse_origin(column.type.origin); own && holds_natively(*own)) {
    // Labels keep their case, the name gets the house's.
    verdict.target_type = upper(own->name) + std::string(written.substr(own->name.size()));
    if (!own->labels.empty()) verdict.target_type += bytewise;
    if (in_key && own->kind == NativeKind::geometry) {
      verdict.fidelity = Fidelity::impossible;
      verdict.reason = "a geometry can't be a key";
    }
    return verdict;
  }
  verdict.target_type = (in_key ? with_length("VARCHAR", default_key_text) : "LONGTEXT") + bytewise;
  verdict.note = "as text: in the form in which its database writes it";
  return verdict;
}

bool MysqlDialect::holds_natively(const NativeType& type) const {
  if (type.kind == NativeKind::inet4) return flavor_.mariadb && flavor_.version >= 101000;
  if (type.kind == NativeKind::inet6) return flavor_.mariadb && flavor_.version >= 100500;
  return true;
}

ColumnVerdict MysqlDialect::fits(const Column& arriving, const Column& existing) const {
  return judge_fit(arriving, existing);
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
