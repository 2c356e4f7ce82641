#include "connector/mysql/native_type.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/error.h"

namespace tidemark::mysql {
namespace {

struct NameRow {
  std::string_view name;
  NativeKind kind;
};

constexpr std::array names{
    NameRow{"bit", NativeKind::bit},
    NameRow{"year", NativeKind::year},
    NameRow{"enum", NativeKind::enumeration},
    NameRow{"set", NativeKind::set},
    NameRow{"inet4", NativeKind::inet4},
    NameRow{"inet6", NativeKind::inet6},
    NameRow{"geometry", NativeKind::geometry},
    NameRow{"point", NativeKind::geometry},
    NameRow{"linestring", NativeKind::geometry},
    NameRow{"polygon", NativeKind::geometry},
    NameRow{"multipoint", NativeKind::geometry},
    NameRow{"multilinestring", NativeKind::geometry},
    NameRow{"multipolygon", NativeKind::geometry},
    NameRow{"geometrycollection", NativeKind::geometry},
    NameRow{"geomcollection", NativeKind::geometry},  // MySQL 8's name of the same
    NameRow{"date", NativeKind::date},
    NameRow{"datetime", NativeKind::datetime},
    NameRow{"timestamp", NativeKind::timestamp},
    NameRow{"time", NativeKind::time},
};

// A type may be named by a configuration, which can ask for more.
constexpr std::ptrdiff_t most_set_labels = 64;
constexpr unsigned most_bits = 64;

constexpr std::string_view connector_prefix = "mysql:";

[[noreturn]] void refuse(const char* what) {
  throw Error({.kind = FailureKind::conversion, .message = what, .operation = "write"});
}

/// 'a','it''s','back\\slash' as information_schema writes labels.
std::vector<std::string> parse_labels(std::string_view list) {
  std::vector<std::string> labels;
  std::string label;
  bool inside = false;
  for (std::size_t at = 0; at < list.size(); ++at) {
    const char c = list[at];
    const char next = at + 1 < list.size() ? list[at + 1] : '\0';
    if (!inside) {
      inside = c == '\'';
    } else if (c == '\'' && next == '\'') {
      label += c;
      ++at;
    } else if (c == '\\' && at + 1 < list.size()) {
      label += next == '0' ? '\0' : next == 'n' ? '\n' : next == 'r' ? '\r' : next;
      ++at;
    } else if (c == '\'') {
      labels.push_back(std::move(label));
      label.clear();
      inside = false;
    } else {
      label += c;
    }
  }
  return labels;
}

/// Digits of `pattern`'s 'd' and its other characters as they stand.
bool matches(std::string_view text, std::string_view pattern) {
  return text.size() == pattern.size() &&
         std::equal(text.begin(), text.end(), pattern.begin(),
                    [](char c, char p) { return p == 'd' ? c >= '0' && c <= '9' : c == p; });
}

}  // namespace

std::optional<NativeType> parse_native(std::string_view column_type) {
  const std::size_t end = std::min(column_type.find_first_of("( "), column_type.size());
  NativeType type;
  for (const char c : column_type.substr(0, end))
    type.name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto* const row = std::find_if(names.begin(), names.end(),
                                       [&](const NameRow& one) { return one.name == type.name; });
  if (row == names.end()) return std::nullopt;
  type.kind = row->kind;
  const std::size_t close = column_type.rfind(')');
  std::string_view arguments;
  if (end < column_type.size() && column_type[end] == '(' && close != std::string_view::npos)
    arguments = column_type.substr(end + 1, close - end - 1);
  if (type.kind == NativeKind::enumeration || type.kind == NativeKind::set) {
    type.labels = parse_labels(arguments);
  } else {
    if (type.kind == NativeKind::bit) type.argument = 1;
    std::from_chars(arguments.data(), arguments.data() + arguments.size(), type.argument);
    if (type.argument > most_bits) return std::nullopt;
  }
  return type;
}

std::optional<NativeType> parse_origin(std::string_view origin) {
  if (!origin.starts_with(connector_prefix)) return std::nullopt;
  return parse_native(origin.substr(connector_prefix.size()));
}

Type native_type(std::string_view column_type) {
  Type type = make_type(TypeKind::native);
  type.origin = std::string(connector_prefix) + std::string(column_type);
  return type;
}

std::string bit_digits(std::string_view bytes, unsigned bits) {
  std::string digits(bits, '0');
  std::size_t at = digits.size();
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
    for (unsigned bit = 0; bit < 8 && at > 0; ++bit)
      digits[--at] = (static_cast<unsigned char>(*byte) >> bit & 1) != 0 ? '1' : '0';
  return digits;
}

std::uint64_t bits_from_digits(std::string_view digits) {
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits, 2);
  if (error != std::errc{} || end != digits.data() + digits.size())
    refuse("a text is no binary number");
  return bits;
}

std::uint64_t label_number(const NativeType& type, std::string_view label) {
  const auto at = std::find(type.labels.begin(), type.labels.end(), label);
  if (at != type.labels.end()) return static_cast<std::uint64_t>(at - type.labels.begin()) + 1;
  if (label.empty()) return 0;
  refuse("a text is not one of the ENUM's labels");
}

std::uint64_t label_mask(const NativeType& type, std::string_view labels) {
  std::uint64_t mask = 0;
  for (bool more = !labels.empty(); more;) {
    const std::size_t comma = labels.find(',');
    const std::string_view label = labels.substr(0, comma);
    more = comma != std::string_view::npos;
    const auto at = std::find(type.labels.begin(), type.labels.end(), label);
    if (at == type.labels.end()) refuse("a text is not one of the SET's labels");
    const auto number = at - type.labels.begin();
    if (number >= most_set_labels) refuse("a SET has no more than 64 labels");
    const std::uint64_t bit = 1ULL << number;
    // The server would sort labels and drop repeated ones.
    if (mask >= bit) refuse("the labels do not stand in the order of the SET");
    mask |= bit;
    if (more) labels.remove_prefix(comma + 1);
  }
  return mask;
}

void check_own_form(const NativeType& type, std::string_view text) {
  const std::string fraction = type.argument == 0 ? "" : "." + std::string(type.argument, 'd');
  switch (type.kind) {
    case NativeKind::year:
      if (matches(text, "dddd")) return;
      break;
    case NativeKind::date:
      if (matches(text, "dddd-dd-dd")) return;
      break;
    case NativeKind::datetime:
    case NativeKind::timestamp:
      if (matches(text, "dddd-dd-dd dd:dd:dd" + fraction)) return;
      break;
    case NativeKind::time: {
      std::string_view rest = text;
      if (rest.starts_with('-')) rest.remove_prefix(1);
      if (matches(rest, "dd:dd:dd" + fraction)) return;
      if (matches(rest, "ddd:dd:dd" + fraction) && rest.front() != '0') return;
      break;
    }
    default:
      return;
  }
  refuse("a text is not in the form in which the server writes the column's type");
}

}  // namespace tidemark::mysql
