#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The plain values of the configuration; those with units are in config.h. All return nullopt for
// what they can't read. Any thread.
namespace tidemark::config {

/// Decimal digits, perhaps a minus sign; no leading zero, no underscore, no exponent.
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;
/// Digits with or without a decimal point.
std::optional<double> parse_number(std::string_view text) noexcept;
/// "true" or "false" and nothing else.
std::optional<bool> parse_boolean(std::string_view text) noexcept;

}  // namespace tidemark::config
