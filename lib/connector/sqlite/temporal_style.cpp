#include "connector/sqlite/temporal_style.h"

namespace tidemark::sqlite {
namespace {

constexpr std::size_t date_length = 10;   // 2024-02-29
constexpr std::size_t clock_length = 19;  // 2024-02-29 12:00:00

/// The parts of a text that parse_timestamp or parse_instant has accepted.
struct Parts {
  bool plain = false;  ///< a four-digit year and, but for a date, hours to seconds
  char separator = ' ';
  std::string_view fraction;
  std::string_view zone;
};

Parts take_apart(std::string_view text) {
  Parts parts;
  if (text.size() < date_length || text[4] != '-' || text[7] != '-') return parts;
  if (text.size() == date_length) {
    parts.plain = true;
    parts.separator = '\0';
    return parts;
  }
  if (text.size() < clock_length || text[13] != ':' || text[16] != ':') return parts;
  parts.plain = true;
  parts.separator = text[date_length];
  std::size_t end = clock_length;
  if (end < text.size() && text[end] == '.') {
    const std::size_t start = ++end;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9')
      ++end;
    parts.fraction = text.substr(start, end - start);
  }
  parts.zone = text.substr(end);
  return parts;
}

}  // namespace

bool TemporalStyle::learn_digits(std::size_t count, bool ends_in_zero) {
  if (count == 0) {
    if (digits_ == Digits::unknown) digits_ = Digits::none;
    if (digits_ == Digits::equal) digits_ = Digits::cut;
    return digits_ != Digits::fixed;
  }
  switch (digits_) {
    case Digits::unknown:
      digits_ = ends_in_zero ? Digits::fixed : Digits::equal;
      count_ = count;
      return true;
    case Digits::none:
      digits_ = Digits::cut;
      return !ends_in_zero;
    case Digits::equal:
      if (ends_in_zero) {
        digits_ = Digits::fixed;
        return count == count_;
      }
      if (count != count_) digits_ = Digits::cut;
      return true;
    case Digits::fixed:
      return count == count_;
    case Digits::cut:
      return !ends_in_zero;
  }
  return false;
}

bool TemporalStyle::learn(std::string_view text) {
  const Parts parts = take_apart(text);
  if (!parts.plain) return false;
  if (learned_ && (parts.separator != separator_ || parts.zone != zone_)) return false;
  if (!learned_) {
    separator_ = parts.separator;
    zone_ = parts.zone;
    learned_ = true;
  }
  return learn_digits(parts.fraction.size(), parts.fraction.ends_with('0'));
}

std::string TemporalStyle::apply(const Type& type, const std::string& canonical) const {
  const Parts parts = take_apart(canonical);
  if (!learned_ || !parts.plain || type.kind == TypeKind::date) return canonical;
  std::string text = canonical.substr(0, date_length);
  // A column of bare dates is a timestamp at midnight; a bound within a day sorts behind its date.
  if (separator_ == '\0') return canonical.substr(date_length, 9) == " 00:00:00" ? text : canonical;
  text += separator_;
  text += canonical.substr(date_length + 1, clock_length - date_length - 1);
  std::string fraction(parts.fraction);
  if (digits_ == Digits::fixed && fraction.size() < count_) fraction.resize(count_, '0');
  if (!fraction.empty()) text += "." + fraction;
  return text + zone_;
}

}  // namespace tidemark::sqlite
