#pragma once

#include <string>
#include <string_view>

namespace tidemark::postgres {

/// PostgreSQL's binary numeric: int16 count of digits, weight, sign and display scale, then digits
/// to base 10000. The display scale is kept both ways: 1.10 stays 1.10.

/// Canonical decimal text of the binary form, put into `text` (its old content is dropped, its
/// memory kept). False when the bytes are no numeric.
bool decode_numeric(std::string_view binary, std::string& text);

/// Appends the binary form of a canonical decimal ("-12.50", "NaN", "Infinity"). False when the
/// text is none or has more digits than PostgreSQL holds.
bool encode_numeric(std::string_view text, std::string& out);

/// Digits of a canonical decimal before the point (leading zeros left out) and behind it (zeros at
/// the end left out): what decides whether it fits decimal(p, s) exactly.
struct DecimalShape {
  std::size_t whole = 0;
  std::size_t fraction = 0;
  bool finite = true;
};
DecimalShape shape_of(std::string_view text);

}  // namespace tidemark::postgres
