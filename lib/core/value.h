#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/batch.h"
#include "core/type.h"

namespace tidemark {

/// One typed value outside a batch: a cursor, a key part, a literal. Held as canonical text, so it
/// keeps the source's full precision through JSON, a checkpoint and back into a bound parameter.
///
/// Canonical text: integers plain; boolean "true"/"false"; decimal "-12.50" (the scale is kept);
/// floats shortest form that reads back to the same bits, "NaN", "Infinity", "-Infinity"; text,
/// json, native as they are; bytes lower hex; uuid lower with dashes; temporal kinds as in
/// core/temporal.h; interval "1 mons 2 days 3.5 secs" as {"months":1,"days":2,"micros":3500000}.
struct Value {
  Type type;
  bool null = true;
  std::string text;

  static Value of(Type type, std::string text) { return {std::move(type), false, std::move(text)}; }
  static Value null_of(Type type) { return {std::move(type), true, {}}; }
  friend bool operator==(const Value&, const Value&) = default;
};

/// Canonical text of one cell; must not be null.
std::string text_of(const ColumnData& column, std::size_t row);
Value value_at(const ColumnData& column, std::size_t row);
/// Parses canonical text (and what temporal.h's parsers take) into the column's storage. Throws
/// Error{conversion} without the value in it.
void push_text(ColumnData& column, std::string_view text);
void push_value(ColumnData& column, const Value& value);

/// Order of two non-null values of one cursor type (is_cursor_type), the same in every database.
std::strong_ordering compare_cursor(const Value& left, const Value& right);

/// Checks and normalises decimal text as databases print it ("+1.50", ".5", "1e3", "-0.0"):
/// "1.50", "0.5", "1000", "0.0". Throws Error{conversion}.
std::string canonical_decimal(std::string_view text);
/// Shortest text that reads back to the same bits.
std::string format_float(float value);
std::string format_float(double value);
std::string to_hex(std::string_view bytes);
std::string from_hex(std::string_view hex);
bool is_valid_utf8(std::string_view text) noexcept;

/// Where a row stands in (cursor, key…) order.
struct Position {
  Value cursor;
  std::vector<Value> key;
  friend bool operator==(const Position&, const Position&) = default;
};

}  // namespace tidemark
