#pragma once

#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "core/value.h"

namespace tidemark::test {

// Random values of the types that a test carries, as text or as SQL literals.

using Random = std::mt19937_64;
using Make = std::function<std::string(Random&)>;

std::string quoted(const std::string& text);
Make in_quotes(Make make);
Make integers(int bits, bool with_sign);
Make decimals(int whole, int fraction);
/// Without a point or an exponent SQLite would take it for a whole number.
std::string real_text(Random& random);
std::string random_hex(Random& random, std::size_t most);
/// At most so many characters of UTF-8, without NUL, which PostgreSQL can't hold.
std::string random_text(Random& random, std::size_t most);
std::string random_date(Random& random);
std::string random_clock(Random& random, int digits);
/// Dates with times of so many fractional digits, `suffix` behind them, as literals.
Make moments(int digits, const std::string& suffix = {});
/// Within what TIMESTAMP of MariaDB holds.
Make unix_moments();
/// Of version 4, as RFC 4122 has it.
std::string random_uuid(Random& random);
std::string random_json(Random& random);
std::string binary_digits(Random& random, std::size_t count);
std::string random_address(Random& random);

/// Any finite value but -0, in the shortest digits that read back to its bits.
template <class Float, class Bits>
std::string float_text(Random& random) {
  for (;;) {
    const auto bits = static_cast<Bits>(random());
    Float value = 0;
    std::memcpy(&value, &bits, sizeof value);
    const std::string text = format_float(value);
    if (text.find_first_of("Nn") == std::string::npos && text != "-0") return text;
  }
}

}  // namespace tidemark::test
