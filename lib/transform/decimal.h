#pragma once

#include <string>
#include <string_view>

namespace tidemark {

// Arithmetic on canonical decimal text (core/value.h), which has no limit of digits.

/// Cuts digits after the point down to `scale`, towards zero. False when one of them was not 0.
bool cut_to_scale(std::string& decimal, int scale);
/// Digits before the point, leading zeros apart.
int whole_digits(std::string_view decimal) noexcept;
/// Whether two decimals are the same number: "1.50" and "1.5" are.
bool same_number(std::string_view left, std::string_view right) noexcept;

}  // namespace tidemark
