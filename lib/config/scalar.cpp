#include "config/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "config/config.h"

namespace tidemark::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// In ascending order: formatting takes the last one that divides.
constexpr std::array<Unit, 5> duration_units{{{"ms", 1'000},
                                              {"s", 1'000'000},
                                              {"m", 60'000'000},
                                              {"h", 3'600'000'000},
                                              {"d", 86'400'000'000}}};
constexpr std::array<Unit, 5> size_units{
    {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1ULL << 40}}};

template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text,
                                             const std::array<Unit, N>& units) {
  std::uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || (text.front() == '0' && rest != text.data() + 1)) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string format_with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) best = &unit;
  return std::to_string(value / best->factor) + std::string(best->name);
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto micros = parse_with_unit(text, duration_units);
  if (!micros) return std::nullopt;
  return Duration(static_cast<std::int64_t>(*micros));
}

std::optional<Bytes> parse_size(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return parse_with_unit(text, size_units);
}

std::optional<std::uint64_t> parse_rate(std::string_view text) {
  if (!text.ends_with("/s")) return std::nullopt;
  const auto number = parse_integer(text.substr(0, text.size() - 2));
  if (!number || *number <= 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::string format_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  return format_with_unit(static_cast<std::uint64_t>(duration.count()), duration_units);
}

std::string format_size(Bytes size) {
  return format_with_unit(size, size_units);
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  // YAML 1.1 readers take 010 for eight: a leading zero is refused and not guessed.
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) noexcept {
  if (text.empty() || text.find_first_not_of("-.0123456789") != std::string_view::npos)
    return std::nullopt;
  if (text.size() > 1 && text[0] == '0' && text[1] != '.') return std::nullopt;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) noexcept {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<TableName> parse_table(std::string_view text) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  do {
    std::string part;
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        if (at >= text.size()) return std::nullopt;
        if (text[at] == '"' && (at + 1 >= text.size() || text[at + 1] != '"')) break;
        if (text[at] == '"') ++at;
        part += text[at];
      }
      ++at;
      if (at < text.size() && text[at] != '.') return std::nullopt;
    } else {
      const std::size_t end = std::min(text.find('.', at), text.size());
      part = text.substr(at, end - at);
      if (part.find('"') != std::string::npos) return std::nullopt;
      if (!part.empty() && (part.front() == ' ' || part.back() == ' ')) return std::nullopt;
      at = end;
    }
    if (part.empty()) return std::nullopt;
    parts.push_back(std::move(part));
  } while (at++ < text.size());
  if (parts.size() == 1) return TableName{.schema = {}, .name = parts[0]};
  if (parts.size() == 2) return TableName{.schema = parts[0], .name = parts[1]};
  return std::nullopt;
}

}  // namespace tidemark::config
