// Canonical texts of all logical types: what is taken reads back to the same bits, and cursor
// values are in one order.
#include <array>

#include "core/temporal.h"
#include "core/value.h"
#include "fuzz.h"
#include "sync/cursor_value.h"

using namespace tidemark;
using fuzz::require;

namespace {

constexpr std::array kinds{TypeKind::boolean,  TypeKind::int8,      TypeKind::int16,
                           TypeKind::int32,    TypeKind::int64,     TypeKind::uint8,
                           TypeKind::uint16,   TypeKind::uint32,    TypeKind::uint64,
                           TypeKind::float32,  TypeKind::float64,   TypeKind::decimal,
                           TypeKind::text,     TypeKind::bytes,     TypeKind::date,
                           TypeKind::time,     TypeKind::timestamp, TypeKind::instant,
                           TypeKind::interval, TypeKind::uuid,      TypeKind::json};

Type type_of(std::uint8_t kind, std::uint8_t digits) {
  Type type = make_type(kinds[kind % kinds.size()]);
  if (is_temporal(type.kind) || type.kind == TypeKind::time) type.precision = digits % 7;
  return type;
}

void check_text(const Type& type, std::string_view text) {
  ColumnData column(type);
  try {
    push_text(column, text);
  } catch (const Error& error) {
    require(error.kind() == FailureKind::conversion, "a text that is no value is refused as one");
    require(column.size() == 0, "what was refused left nothing behind");
    return;
  }
  const std::string canonical = text_of(column, 0);
  push_text(column, canonical);
  require(text_of(column, 1) == canonical, "a canonical text reads back");
}

void check_cursor(const Type& type, std::string_view left, std::string_view right) {
  if (!is_cursor_type(type)) return;
  Value a, b;
  try {
    a = parse_cursor_value(type, std::string(left));
    b = parse_cursor_value(type, std::string(right));
  } catch (const Error&) {
    return;
  }
  require(compare_cursor(a, a) == 0, "a value equals itself");
  require((compare_cursor(a, b) < 0) == (compare_cursor(b, a) > 0), "the order has two sides");
  const Value back =
      is_temporal(type.kind) ? minus(a, std::chrono::hours(1)) : minus(a, std::uint64_t{17});
  require(!less(a, back), "what lies behind a value is not above it");
  static_cast<void>(distance(a, b));
  static_cast<void>(wall_time_of(a));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::uint8_t kind = input.byte();
  const Type type = type_of(kind, input.byte());
  const std::string_view first = input.line();
  const std::string_view second = input.rest();
  check_text(type, first);
  check_cursor(type, first, second);
  return 0;
}
