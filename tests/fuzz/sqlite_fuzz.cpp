// SQLite's values: the literals they travel as, the texts of times, and any value in any column.
#include <cstring>

#include "connector/sqlite/any_value.h"
#include "connector/sqlite/cell_reader.h"
#include "connector/sqlite/number_time.h"
#include "connector/sqlite/temporal_style.h"
#include "connector/sqlite/types.h"
#include "core/temporal.h"
#include "core/value.h"
#include "fuzz.h"

using namespace tidemark;
using namespace tidemark::sqlite;
using fuzz::require;

namespace {

Connection& memory() {
  static Connection connection(":memory:", Connection::Opening::memory, Duration(0));
  return connection;
}

/// A value as its column's SELECT would give it.
Statement& bound(fuzz::Input& input) {
  Statement& statement = memory().prepared("SELECT ?1");
  statement.reset();
  const std::uint8_t storage = input.byte() % 4;
  if (storage == 0) statement.bind(1, input.number<std::int64_t>());
  if (storage == 1) {
    const auto bits = input.number<std::uint64_t>();
    double real = 0;
    static_assert(sizeof real == sizeof bits);
    std::memcpy(&real, &bits, sizeof real);
    statement.bind(1, real);
  }
  const std::string_view rest = storage >= 2 ? input.rest() : std::string_view{};
  if (storage == 2) statement.bind_copy(1, rest);
  if (storage == 3) statement.bind_blob(1, rest);
  require(statement.step(), "a row is there");
  return statement;
}

void check_literal(fuzz::Input& input) {
  Statement& statement = bound(input);
  if (sqlite3_column_type(statement.get(), 0) == SQLITE_NULL) return;  // NaN
  const std::string literal = literal_of(statement, 0);
  require(is_literal(literal), "a literal is one");
  Statement& again = memory().prepared("SELECT ?1 AS again");
  again.reset();
  require(bind_literal(again, 1, literal), "a literal can be bound");
  require(again.step(), "a row is there");
  require(literal_of(again, 0) == literal, "a value comes back");
  // SQLite's own reading of it is a value of the same storage class, and but for the last bits of
  // a float, which its parser may round away, the same value.
  Statement said(memory(), "SELECT " + literal);
  require(said.step(), "SQLite takes the literal");
  const int storage = sqlite3_column_type(said.get(), 0);
  require(storage == sqlite3_column_type(again.get(), 0), "SQLite means the same class by it");
  if (storage != SQLITE_FLOAT)
    require(literal_of(said, 0) == literal, "SQLite means the same value by it");
}

void check_cell(fuzz::Input& input) {
  const bool named = (input.byte() & 1) != 0;
  const std::string declared(input.line());
  const Column column{.name = "c", .type = type_of(declared), .native_type = declared};
  Statement& statement = bound(input);
  ColumnData into(column.type);
  try {
    CellReader(column, 0, named).read(statement, into);
  } catch (const Error& error) {
    require(error.kind() == FailureKind::conversion, "what is no value is refused as such");
    require(into.size() == 0, "what was refused left nothing behind");
    return;
  }
  require(into.size() == 1, "one cell was read");
  if (into.is_null(0)) return;
  const std::string text = text_of(into, 0);
  push_text(into, text);
  require(text_of(into, 1) == text, "a cell's text reads back");
}

/// Two texts of one style sort as their times do, which is what a bound in SQL rests on.
void check_style(std::string_view first, std::string_view second) {
  TemporalStyle style;
  std::int64_t left = 0, right = 0;
  try {
    left = parse_timestamp(first);
    right = parse_timestamp(second);
  } catch (const Error&) {
    return;
  }
  if (!style.learn(first) || !style.learn(second)) return;
  if (left != right) require((left < right) == (first < second), "one style sorts as time does");
  const Type type = time_type(TypeKind::timestamp);
  require(parse_timestamp(style.apply(type, format_timestamp(left))) == left,
          "a bound is the time");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  switch (input.byte() % 3) {
    case 0:
      check_literal(input);
      break;
    case 1:
      check_cell(input);
      break;
    default: {
      const std::string_view first = input.line();
      check_style(first, input.rest());
    }
  }
  return 0;
}
