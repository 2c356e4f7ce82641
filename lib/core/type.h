#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark {

/// The closed set of logical types. Every connector maps its own types to and from these.
enum class TypeKind : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  uint64,
  float32,
  float64,
  decimal,    ///< precision and scale; precision 0 = unlimited
  text,       ///< UTF-8; length in characters, 0 = unlimited; `fixed` for char(n)
  bytes,      ///< length in bytes, 0 = unlimited; `fixed` for binary(n)
  date,       ///< proleptic Gregorian
  time,       ///< time of day or signed span of it; precision = fractional digits
  timestamp,  ///< local: no zone; precision = fractional digits
  instant,    ///< a point in time, held in UTC; precision = fractional digits
  interval,   ///< months, days and microseconds apart
  uuid,
  json,    ///< the text as the source gave it
  native,  ///< its server's own text form of a type that has no logical one; see `origin`
};

/// How a column of a type is held in a Batch.
enum class Storage : std::uint8_t { fixed, variable };

struct Type {
  TypeKind kind = TypeKind::text;
  std::uint32_t length = 0;     ///< text, bytes: limit in characters or bytes; 0 = none
  std::uint16_t precision = 0;  ///< decimal: digits in all, 0 = unlimited; time…: fractional digits
  std::int16_t scale = 0;       ///< decimal: digits after the point
  bool fixed = false;           ///< text, bytes: padded to `length` by its database
  /// native: "<connector>:<type as its server writes it>": "postgres:integer[]", "mysql:year(4)".
  std::string origin = {};

  friend bool operator==(const Type&, const Type&) = default;
};

/// Shorthands that read well in type maps and tests.
Type make_type(TypeKind kind);
Type decimal_type(std::uint16_t precision, std::int16_t scale);
Type text_type(std::uint32_t length = 0);
Type bytes_type(std::uint32_t length = 0);
Type time_type(TypeKind kind, std::uint16_t fractional_digits = 6);
/// "postgres:inet" as kind native.
Type origin_type(std::string origin);
/// What the server of `connector` calls a native type of its own: "inet" for "postgres:inet" and
/// "postgres"; empty for every other type.
std::string_view native_name_in(const Type& type, std::string_view connector) noexcept;

Storage storage_of(TypeKind kind) noexcept;
/// Bytes of one value of a fixed kind; 0 for a variable one.
std::size_t width_of(TypeKind kind) noexcept;
bool is_integer(TypeKind kind) noexcept;
bool is_signed_integer(TypeKind kind) noexcept;
/// date, timestamp, instant.
bool is_temporal(TypeKind kind) noexcept;
/// May be a cursor: integers, decimal(p,0) and temporal kinds, whose order is the same everywhere.
bool is_cursor_type(const Type& type) noexcept;

/// "decimal(12,2)", "varchar(20)", "timestamptz", "postgres:inet": as configuration and `plan`
/// print it.
std::string to_string(const Type& type);
std::string_view to_string(TypeKind kind) noexcept;
/// The inverse of to_string, plus the usual SQL spellings ("varchar(32)", "bigint unsigned",
/// "timestamptz", "datetime(6)"). "<connector>:<type>" is kind native; what stands behind the colon
/// is kept letter by letter. Throws Error{schema} that lists what is understood.
Type parse_type(std::string_view text);

/// A column as its database or the transforms before it describe it.
struct Column {
  std::string name;
  Type type;
  bool nullable = true;
  std::string native_type = {};  ///< as its database writes it; empty if made by us
};

using Schema = std::vector<Column>;

/// Index of a column, or npos. Names compare exactly.
inline constexpr std::size_t npos = static_cast<std::size_t>(-1);
std::size_t find_column(const Schema& schema, std::string_view name) noexcept;

}  // namespace tidemark
