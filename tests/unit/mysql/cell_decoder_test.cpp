#include "connector/mysql/cell_decoder.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/error.h"
#include "core/value.h"

using namespace tidemark;
using namespace tidemark::mysql;

namespace {

/// A cell of the binary protocol, given its bytes, as canonical text.
std::string decoded(const WireField& field, TypeKind kind, std::string cell) {
  ColumnData column(make_type(kind));
  auto* at = reinterpret_cast<unsigned char*>(cell.data());
  decode_cell(field, &at, column);
  REQUIRE(at == reinterpret_cast<unsigned char*>(cell.data()) + cell.size());
  return text_of(column, 0);
}

/// Length 12: sign, days, hours, minutes, seconds, microseconds.
std::string time_cell(std::uint32_t days, int hours) {
  std::string cell{12, 1};
  for (int byte = 0; byte < 4; ++byte)
    cell += static_cast<char>(days >> (8 * byte));
  cell += static_cast<char>(hours);
  cell += {59, 59, 1, 0, 0, 0};
  return cell;
}

}  // namespace

TEST_CASE("a time is a signed span of up to 838 hours", "[mysql][wire]") {
  const WireField field{.type = MYSQL_TYPE_TIME};
  CHECK(decoded(field, TypeKind::time, time_cell(34, 22)) == "-838:59:59.000001");
  CHECK(decoded(field, TypeKind::time, std::string(1, 0)) == "00:00:00");
}

TEST_CASE("a time that no server holds is refused and not counted in 64 bits", "[mysql][wire]") {
  const WireField field{.type = MYSQL_TYPE_TIME};
  try {
    decoded(field, TypeKind::time, time_cell(0xffffffffU, 22));
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::conversion);
  }
}

TEST_CASE("a number is checked against the type that was described", "[mysql][wire]") {
  const WireField tiny{.type = MYSQL_TYPE_TINY}, wide{.type = MYSQL_TYPE_LONGLONG};
  CHECK(decoded(tiny, TypeKind::int64, "\x80") == "-128");
  CHECK(decoded({.type = MYSQL_TYPE_TINY, .is_unsigned = true}, TypeKind::int16, "\x80") == "128");
  CHECK_THROWS_AS(decoded(tiny, TypeKind::uint8, "\x80"), Error);
  CHECK_THROWS_AS(decoded(wide, TypeKind::int32, std::string(8, '\x7f')), Error);
  CHECK(decoded({.type = MYSQL_TYPE_LONGLONG, .is_unsigned = true}, TypeKind::uint64,
                std::string(8, '\xff')) == "18446744073709551615");
}
