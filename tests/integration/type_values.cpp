#include "integration/type_values.h"

#include <array>
#include <cstdio>

namespace tidemark::test {

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

Make in_quotes(Make make) {
  return [make = std::move(make)](Random& random) { return quoted(make(random)); };
}

Make integers(int bits, bool with_sign) {
  return [=](Random& random) {
    const std::uint64_t wide = random() >> (64 - bits);
    if (!with_sign) return std::to_string(wide);
    return std::to_string(static_cast<std::int64_t>(wide << (64 - bits)) >> (64 - bits));
  };
}

Make decimals(int whole, int fraction) {
  return [=](Random& random) {
    std::string text = random() % 2 == 0 ? "-" : "";
    text += std::to_string(1 + random() % 9);
    for (int digit = 1; digit < whole; ++digit)
      text += std::to_string(random() % 10);
    text += '.';
    for (int digit = 0; digit < fraction; ++digit)
      text += std::to_string(random() % 10);
    return text;
  };
}

std::string real_text(Random& random) {
  std::string text = float_text<double, std::uint64_t>(random);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string random_hex(Random& random, std::size_t most) {
  std::string bytes;
  for (auto left = random() % (most + 1); left > 0; --left)
    bytes += static_cast<char>(random());
  return to_hex(bytes);
}

std::string random_text(Random& random, std::size_t most) {
  static const std::array<std::string, 15> characters{
      "a", " ", "'", "\"", "\\", "\n", "\t", "%", "é", "鸡", "🐔", "\xcc\x81", "\x01", "ß", "0"};
  std::string text;
  for (auto left = random() % (most + 1); left > 0; --left)
    text += characters[random() % characters.size()];
  return text;
}

std::string random_date(Random& random) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d",
                static_cast<int>(1000 + random() % 9000), static_cast<int>(1 + random() % 12),
                static_cast<int>(1 + random() % 28));
  return text.data();
}

std::string random_clock(Random& random, int digits) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%06d", static_cast<int>(random() % 24),
                static_cast<int>(random() % 60), static_cast<int>(random() % 60),
                static_cast<int>(random() % 1'000'000));
  std::string clock = text.data();
  clock.resize(clock.size() - 6 + static_cast<std::size_t>(digits));
  return clock;
}

Make moments(int digits, const std::string& suffix) {
  return [=](Random& random) {
    return quoted(random_date(random) + " " + random_clock(random, digits) + suffix);
  };
}

Make unix_moments() {
  return [](Random& random) {
    return quoted(std::to_string(1971 + random() % 66) + random_date(random).substr(4) + " " +
                  random_clock(random, 6));
  };
}

std::string random_uuid(Random& random) {
  std::string hex;
  while (hex.size() < 32)
    hex += to_hex(std::string(1, static_cast<char>(random())));
  hex[12] = '4';
  hex[16] = "89ab"[random() % 4];
  for (const std::size_t at : {8U, 13U, 18U, 23U})
    hex.insert(at, 1, '-');
  return hex;
}

std::string random_json(Random& random) {
  return R"({"b": [1, null, "鸡"], "a": )" + std::to_string(random() % 1000) + R"(, "n": 1.50})";
}

std::string binary_digits(Random& random, std::size_t count) {
  std::string digits;
  while (digits.size() < count)
    digits += random() % 2 == 0 ? '0' : '1';
  return digits;
}

std::string random_address(Random& random) {
  std::string text;
  for (int part = 0; part < 4; ++part)
    text += (part == 0 ? "" : ".") + std::to_string(random() % 256);
  return text;
}

}  // namespace tidemark::test
