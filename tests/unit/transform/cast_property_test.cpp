// What holds for every value of a type: its canonical text reads back, and casts that say nothing
// of a loss lose nothing.
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"
#include "transform/cast.h"

using namespace tidemark;

namespace {

using Engine = std::mt19937_64;

std::string random_text(Engine& random) {
  static const std::array<std::string, 10> pieces{"a",  "'", "\\", "\n", "é",
                                                  "鸡", "🐔", " ",  "0",  "\x01"};
  std::string text;
  for (auto left = random() % 12; left > 0; --left)
    text += pieces[random() % pieces.size()];
  return text;
}

std::string random_decimal(Engine& random, int whole, int fraction) {
  std::string text = random() % 2 == 0 ? "-" : "";
  text += static_cast<char>('1' + random() % 9);
  for (int digit = 1; digit < whole; ++digit)
    text += static_cast<char>('0' + random() % 10);
  if (fraction > 0) text += '.';
  for (int digit = 0; digit < fraction; ++digit)
    text += static_cast<char>('0' + random() % 10);
  return text;
}

/// Edges first, then anything.
template <class T>
T random_number(Engine& random) {
  switch (random() % 8) {
    case 0:
      return std::numeric_limits<T>::lowest();
    case 1:
      return std::numeric_limits<T>::max();
    case 2:
      return T{};
    default:
      break;
  }
  const std::uint64_t bits = random();
  T value{};
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

void push_random(ColumnData& column, Engine& random) {
  const Type& type = column.type();
  switch (type.kind) {
    case TypeKind::boolean:
      return column.push(static_cast<std::uint8_t>(random() % 2));
    case TypeKind::int8:
      return column.push(random_number<std::int8_t>(random));
    case TypeKind::int16:
      return column.push(random_number<std::int16_t>(random));
    case TypeKind::int32:
      return column.push(random_number<std::int32_t>(random));
    case TypeKind::int64:
      return column.push(random_number<std::int64_t>(random));
    case TypeKind::uint8:
      return column.push(random_number<std::uint8_t>(random));
    case TypeKind::uint16:
      return column.push(random_number<std::uint16_t>(random));
    case TypeKind::uint32:
      return column.push(random_number<std::uint32_t>(random));
    case TypeKind::uint64:
      return column.push(random_number<std::uint64_t>(random));
    case TypeKind::float32: {
      const float value = random_number<float>(random);
      return column.push(value == value ? value : 0.0F);
    }
    case TypeKind::float64: {
      const double value = random_number<double>(random);
      return column.push(value == value ? value : 0.0);
    }
    case TypeKind::decimal:
      return column.push_bytes(random_decimal(random, 1 + static_cast<int>(random() % 30),
                                              static_cast<int>(random() % 30)));
    case TypeKind::bytes: {
      std::string bytes;
      for (auto left = random() % 20; left > 0; --left)
        bytes += static_cast<char>(random());
      return column.push_bytes(bytes);
    }
    case TypeKind::date: {
      const std::array<std::int32_t, 4> edges{date_infinity, date_minus_infinity, -2'451'000, 0};
      const std::size_t choice = random() % 12;
      return column.push(choice < edges.size()
                             ? edges[choice]
                             : static_cast<std::int32_t>(random() % 6'000'000) - 2'000'000);
    }
    case TypeKind::time:
      return column.push(static_cast<std::int64_t>(random() % (2 * 3'020'399'999'999ULL)) -
                         3'020'399'999'999);
    case TypeKind::timestamp:
    case TypeKind::instant: {
      const std::array<std::int64_t, 3> edges{timestamp_infinity, timestamp_minus_infinity, -1};
      const std::size_t choice = random() % 12;
      return column.push(choice < edges.size()
                             ? edges[choice]
                             : static_cast<std::int64_t>(random() % 200'000'000'000'000'000ULL) -
                                   100'000'000'000'000'000);
    }
    case TypeKind::interval:
      return column.push(Interval{random_number<std::int32_t>(random),
                                  random_number<std::int32_t>(random),
                                  random_number<std::int64_t>(random)});
    case TypeKind::uuid: {
      Uuid uuid;
      for (std::uint8_t& byte : uuid.bytes)
        byte = static_cast<std::uint8_t>(random());
      return column.push(uuid);
    }
    case TypeKind::json:
    case TypeKind::text:
    case TypeKind::native:
      return column.push_bytes(random_text(random));
  }
}

const std::array all_kinds{
    TypeKind::boolean,   TypeKind::int8,    TypeKind::int16,    TypeKind::int32,
    TypeKind::int64,     TypeKind::uint8,   TypeKind::uint16,   TypeKind::uint32,
    TypeKind::uint64,    TypeKind::float32, TypeKind::float64,  TypeKind::decimal,
    TypeKind::text,      TypeKind::bytes,   TypeKind::date,     TypeKind::time,
    TypeKind::timestamp, TypeKind::instant, TypeKind::interval, TypeKind::uuid,
    TypeKind::json,      TypeKind::native};

/// The column `v` as `to`; nullopt where a value is refused.
std::optional<ColumnData> cast(const ColumnData& values, const Type& to) {
  Batch batch(std::make_shared<const Schema>(Schema{{"v", values.type()}}));
  for (std::size_t row = 0; row < values.size(); ++row)
    values.is_null(row) ? batch.column(0).push_null() : batch.column(0).push_cell(values, row);
  try {
    Cast("v", to, Lossy::error).apply(batch);
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conversion);
    CHECK(error.fields().column == "v");
    return std::nullopt;
  }
  return std::move(std::move(batch).take_columns().front());
}

}  // namespace

TEST_CASE("a value's canonical text reads back to the same value", "[transform][property]") {
  constexpr std::uint32_t seed = 20'261'121;
  CAPTURE(seed);
  Engine random(seed);
  for (const TypeKind kind : all_kinds) {
    Type type = make_type(kind);
    if (kind == TypeKind::native) type.origin = "postgres:inet";
    CAPTURE(to_string(type));
    ColumnData values(type);
    ColumnData back(type);
    for (int round = 0; round < 2'000; ++round) {
      push_random(values, random);
      push_text(back, text_of(values, values.size() - 1));
    }
    std::size_t differ = 0;
    for (std::size_t row = 0; row < values.size(); ++row) {
      if (storage_of(kind) == Storage::variable)
        differ += values.bytes_at(row) != back.bytes_at(row);
      else
        differ += text_of(values, row) != text_of(back, row);
    }
    CHECK(differ == 0);
  }
}

TEST_CASE("a value that travels as text comes back as it was", "[transform][property]") {
  constexpr std::uint32_t seed = 20'261'121;
  CAPTURE(seed);
  Engine random(seed);
  for (const TypeKind kind : all_kinds) {
    if (kind == TypeKind::bytes) continue;  // arbitrary bytes are no text
    Type type = make_type(kind);
    if (kind == TypeKind::native) type.origin = "mysql:enum('a')";
    CAPTURE(to_string(type));
    ColumnData values(type);
    values.push_null();
    for (int round = 0; round < 500; ++round)
      push_random(values, random);
    REQUIRE(can_cast(type, text_type()));
    REQUIRE(can_cast(text_type(), type));
    const auto text = cast(values, text_type());
    REQUIRE(text);
    const auto back = kind == TypeKind::text ? text : cast(*text, type);
    REQUIRE(back);
    CHECK(back->is_null(0));
    std::size_t differ = 0;
    for (std::size_t row = 1; row < values.size(); ++row)
      differ += text_of(values, row) != text_of(*back, row);
    CHECK(differ == 0);
  }
}

TEST_CASE("a number that a type takes is the same number there", "[transform][property]") {
  constexpr std::uint32_t seed = 20'261'121;
  CAPTURE(seed);
  Engine random(seed);
  const std::array numbers{TypeKind::int8,    TypeKind::int16,   TypeKind::int32,  TypeKind::int64,
                           TypeKind::uint8,   TypeKind::uint16,  TypeKind::uint32, TypeKind::uint64,
                           TypeKind::float32, TypeKind::float64, TypeKind::decimal};
  std::size_t taken = 0;
  for (const TypeKind from : numbers) {
    for (const TypeKind to : numbers) {
      if (from == to) continue;
      CAPTURE(to_string(from), to_string(to));
      for (int round = 0; round < 60; ++round) {
        ColumnData value(make_type(from));
        push_random(value, random);
        const auto there = cast(value, make_type(to));
        if (!there) continue;
        ++taken;
        const auto back = cast(*there, make_type(from));
        REQUIRE(back);
        std::string before = text_of(value, 0);
        std::string after = text_of(*back, 0);
        // The sign of zero and the zeros that end a fraction are no part of the number.
        if (before.find_first_of("NI") == std::string::npos) {
          before = text_of(*cast(value, make_type(TypeKind::decimal)), 0);
          after = text_of(*cast(*back, make_type(TypeKind::decimal)), 0);
          const auto trimmed = [](std::string text) {
            if (text.find('.') == std::string::npos) return text;
            text.erase(text.find_last_not_of('0') + 1);
            if (text.back() == '.') text.pop_back();
            return text == "-0" ? std::string("0") : text;
          };
          before = trimmed(before);
          after = trimmed(after);
        }
        CHECK(after == before);
      }
    }
  }
  CHECK(taken > 500);
}

TEST_CASE("type names of a configuration go both ways", "[transform][property]") {
  for (const TypeKind kind : all_kinds) {
    if (kind == TypeKind::native) continue;
    const Type type = make_type(kind);
    CHECK(parse_type(to_string(type)) == type);
  }
  for (const char* origin :
       {"postgres:inet", "postgres:timestamp with time zone[]", "mysql:enum('a:b','C ')",
        "sqlite:any", "postgres:\"My Type\"", "mysql:set('''')"}) {
    const Type type = parse_type(origin);
    CHECK(type.kind == TypeKind::native);
    CHECK(to_string(type) == origin);
    CHECK(parse_type(to_string(type)) == type);
  }
  CHECK(native_name_in(parse_type("postgres:inet"), "postgres") == "inet");
  CHECK(native_name_in(parse_type("postgres:inet"), "mysql").empty());
  CHECK(native_name_in(text_type(), "postgres").empty());
  for (const char* wrong : {"postgres:", ":inet", "Post gres:inet", "postgres: inet", "inet"})
    CHECK_THROWS_AS(parse_type(wrong), Error);
}
