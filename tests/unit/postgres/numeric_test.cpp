#include "connector/postgres/numeric.h"

#include <catch2/catch.hpp>
#include <random>
#include <vector>

#include "core/value.h"

using namespace tidemark::postgres;

namespace {

std::string round_trip(const std::string& text) {
  std::string binary;
  REQUIRE(encode_numeric(text, binary));
  std::string back = "stale";
  REQUIRE(decode_numeric(binary, back));
  return back;
}

}  // namespace

TEST_CASE("a decimal keeps its digits and its scale through the binary form", "[postgres]") {
  for (const std::string text :
       {"0",
        "0.0",
        "0.00",
        "1",
        "-1",
        "10",
        "9999",
        "10000",
        "10001",
        "99999999",
        "100000000",
        "0.1",
        "0.0001",
        "0.00001",
        "0.000000001",
        "1.10",
        "-1.10",
        "123.4500",
        "1234.5678",
        "12345.6789",
        "1000000000000.0000000000001",
        "-0.00001",
        "9999.9999",
        "10000.00001",
        "18446744073709551615",
        "NaN",
        "Infinity",
        "-Infinity",
        "12345678901234567890123456789012345.123456789012345678901234567890"}) {
    CAPTURE(text);
    CHECK(round_trip(text) == text);
  }
  CHECK(round_trip("007.5") == "7.5");
}

TEST_CASE("zero has no sign, as in the server", "[postgres]") {
  CHECK(round_trip("-0") == "0");
  CHECK(round_trip("-0.00") == "0.00");
}

TEST_CASE("the binary form is PostgreSQL's own", "[postgres]") {
  // SELECT numeric_send(-12345.678): 3 digits, weight 1, negative, scale 3: 1 2345 6780.
  std::string binary;
  REQUIRE(encode_numeric("-12345.678", binary));
  CHECK(tidemark::to_hex(binary) ==
        "000300014000000300010929"
        "1a7c");
  binary.clear();
  // SELECT numeric_send(0.00): no digits.
  REQUIRE(encode_numeric("0.00", binary));
  CHECK(tidemark::to_hex(binary) == "0000000000000002");
  binary.clear();
  // SELECT numeric_send(0.00001234): first digit group lies two behind the point.
  REQUIRE(encode_numeric("0.00001234", binary));
  CHECK(tidemark::to_hex(binary) == "0001fffe0000000804d2");
}

TEST_CASE("random decimals of any length survive", "[postgres]") {
  std::mt19937 random(42);  // NOLINT: the same digits at each run
  for (int round = 0; round < 5000; ++round) {
    std::string text = random() % 2 == 0 ? "" : "-";
    const auto whole = random() % 60;
    const auto fraction = random() % 60;
    text += whole == 0 ? '0' : static_cast<char>('1' + random() % 9);
    for (unsigned digit = 1; digit < whole; ++digit)
      text += static_cast<char>('0' + random() % 10);
    if (fraction > 0) text += '.';
    for (unsigned digit = 0; digit < fraction; ++digit)
      text += static_cast<char>('0' + (random() % 4 == 0 ? random() % 10 : 0));
    if (text.find_first_of("123456789") == std::string::npos && text.front() == '-')
      text.erase(0, 1);
    CAPTURE(text);
    REQUIRE(round_trip(text) == text);
  }
}

TEST_CASE("bytes that are no numeric are refused, whatever they are", "[postgres]") {
  std::string text;
  const auto decode = [&](const std::string& hex) {
    return decode_numeric(tidemark::from_hex(hex), text);
  };
  CHECK_FALSE(decode(""));
  CHECK_FALSE(decode("0001000000000000"));      // a digit is missing
  CHECK_FALSE(decode("00010000000000002710"));  // 10000 is no digit
  CHECK_FALSE(decode("00010000123400000001"));  // no such sign
  CHECK_FALSE(decode("ffff000000000000"));      // negative count
  CHECK_FALSE(decode("000000000000000000"));    // a byte too many
  CHECK(
      decode("0001000000000000"
             "0007"));
  CHECK(text == "7");

  std::mt19937 random(7);  // NOLINT
  for (int round = 0; round < 20000; ++round) {
    std::string bytes(random() % 24, '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random() % 5 == 0 ? random() : random() % 3);
    decode_numeric(bytes, text);
  }
}

TEST_CASE("text that is no decimal is not encoded", "[postgres]") {
  std::string out;
  for (const char* text : {"", "-", ".5", "1e5", "abc", "1.2.3", "1,5", "nan", " 1"})
    CHECK_FALSE(encode_numeric(text, out));
  CHECK_FALSE(encode_numeric("1." + std::string(20000, '1'), out));
}

TEST_CASE("the shape of a decimal decides what it fits into", "[postgres]") {
  CHECK(shape_of("123.4500").whole == 3);
  CHECK(shape_of("123.4500").fraction == 2);
  CHECK(shape_of("-0.00").whole == 0);
  CHECK(shape_of("-0.00").fraction == 0);
  CHECK(shape_of("0007").whole == 1);
  CHECK_FALSE(shape_of("NaN").finite);
  CHECK_FALSE(shape_of("-Infinity").finite);
}

TEST_CASE("bytes that no server sends are no number, or one that can be written", "[postgres]") {
  const auto bytes = [](std::initializer_list<int> shorts) {
    std::string binary;
    for (const int value : shorts)
      binary += {static_cast<char>(value >> 8), static_cast<char>(value)};
    return binary;
  };
  std::string text;
  CHECK_FALSE(decode_numeric(bytes({2, 0, 0, 0xf709, 0, 5000}), text));  // 63,241 digits of scale
  CHECK(decode_numeric(bytes({2, 0, 0, 0x3fff, 1, 5000}), text));
  CHECK(text.size() == 2 + 0x3fff);
  REQUIRE(decode_numeric(bytes({0, 0, 0x4000, 2}), text));
  CHECK(text == "0.00");
  REQUIRE(decode_numeric(bytes({1, -1, 0x4000, 4, 1}), text));
  CHECK(text == "-0.0001");
}
