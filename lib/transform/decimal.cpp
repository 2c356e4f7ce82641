#include "transform/decimal.h"

namespace tidemark {
namespace {

std::string_view without_trailing_zeros(std::string_view decimal) noexcept {
  if (decimal.find('.') == std::string_view::npos) return decimal;
  while (decimal.ends_with('0'))
    decimal.remove_suffix(1);
  if (decimal.ends_with('.')) decimal.remove_suffix(1);
  return decimal;
}

}  // namespace

bool cut_to_scale(std::string& decimal, int scale) {
  const std::size_t point = decimal.find('.');
  if (point == std::string::npos) return true;
  const std::size_t keep = point + (scale > 0 ? static_cast<std::size_t>(scale) + 1 : 0);
  if (keep >= decimal.size()) return true;
  const bool exact = decimal.find_first_not_of("0.", keep) == std::string::npos;
  decimal.resize(keep);
  if (decimal.find_first_not_of("-0.") == std::string::npos && decimal.starts_with('-'))
    decimal.erase(0, 1);
  return exact;
}

int whole_digits(std::string_view decimal) noexcept {
  if (decimal.starts_with('-')) decimal.remove_prefix(1);
  decimal = decimal.substr(0, decimal.find('.'));
  const std::size_t first = decimal.find_first_not_of('0');
  return first == std::string_view::npos ? 0 : static_cast<int>(decimal.size() - first);
}

bool same_number(std::string_view left, std::string_view right) noexcept {
  left = without_trailing_zeros(left);
  right = without_trailing_zeros(right);
  const auto zero = [](std::string_view text) {
    return text.find_first_not_of("-0.") == std::string_view::npos;
  };
  return left == right || (zero(left) && zero(right));
}

}  // namespace tidemark
