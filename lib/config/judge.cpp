// What may be the value of an option of each kind.
#include <algorithm>
#include <optional>

#include "config/config.h"
#include "config/near_miss.h"
#include "config/reader.h"
#include "config/scalar.h"
#include "core/error.h"
#include "core/type.h"

namespace tidemark::config {
namespace {

std::vector<std::string> strings(const std::vector<std::string_view>& views) {
  return {views.begin(), views.end()};
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

/// The value as one number that bounds can be compared with.
std::optional<double> measure(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::integer:
      if (const auto value = parse_integer(text)) return static_cast<double>(*value);
      return std::nullopt;
    case Kind::number:
      return parse_number(text);
    case Kind::duration:
      if (const auto value = parse_duration(text)) return static_cast<double>(value->count());
      return std::nullopt;
    case Kind::duration_or_count:
      if (const auto value = parse_integer(text)) return *value >= 0 ? 0.0 : -1.0;
      return measure(Kind::duration, text);
    case Kind::size:
      if (const auto value = parse_size(text)) return static_cast<double>(*value);
      return std::nullopt;
    case Kind::rate:
      if (const auto value = parse_rate(text)) return static_cast<double>(*value);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

Verdict malformed(Kind kind, const std::string& text, const std::string& shown) {
  switch (kind) {
    case Kind::integer:
      if (text.size() > 1 && text.front() == '0' && is_digits(text))
        return {shown + " has a leading zero, which some readers take for octal",
                "write it without"};
      return {shown + " is not a whole number", "digits only"};
    case Kind::number:
      return {shown + " is not a number", "digits, perhaps with a point: 0.5"};
    case Kind::duration:
      if (is_digits(text)) return {shown + " has no unit", "500ms, 30s, 5m, 2h or 7d"};
      return {shown + " is not a duration", "a whole number and a unit: 500ms, 30s, 5m, 2h or 7d"};
    case Kind::duration_or_count:
      return {shown + " is neither a duration nor a whole number",
              "for times 15m, for number cursors 1000"};
    case Kind::size:
      if (is_digits(text)) return {shown + " has no unit", "64KiB, 8MiB or 1GiB"};
      return {shown + " is not a size", "a whole number and B, KiB, MiB, GiB or TiB"};
    case Kind::rate:
      return {shown + " is not a rate", "a whole number a second: 50000/s"};
    default:
      return {shown + " is not understood", ""};
  }
}

Verdict judge_measured(const Option& option, const std::string& text, const std::string& shown) {
  const auto value = measure(option.kind, text);
  if (!value) {
    Verdict verdict = malformed(option.kind, text, shown);
    const std::string guess = did_you_mean(text, strings(option.choices));
    if (!guess.empty())
      verdict.hint = guess;
    else if (!option.choices.empty())
      verdict.hint += "; or " + listed(option.choices);
    return verdict;
  }
  if (!option.lowest.empty() && option.lowest == option.highest && text != option.lowest)
    return {shown + " is not known", "only " + std::string(option.lowest) + " is"};
  if (!option.lowest.empty() && *value < *measure(option.kind, option.lowest))
    return {shown + " is too small", "at least " + std::string(option.lowest)};
  if (!option.highest.empty() && *value > *measure(option.kind, option.highest))
    return {shown + " is too large", "at most " + std::string(option.highest)};
  return {};
}

Verdict judge_choice(const Option& option, const std::string& text, const std::string& shown) {
  const auto& later = option.later_choices;
  if (std::find(later.begin(), later.end(), text) != later.end())
    return {shown + " is not yet available in this version", "for now: " + listed(option.choices)};
  const std::string guess = did_you_mean(text, strings(option.choices));
  return {shown + " is none of: " + listed(option.choices), guess};
}

Verdict judge_type(const std::string& text, const std::string& shown) {
  try {
    parse_type(text);
    return {};
  } catch (const Error& error) {
    std::string hint = error.fields().hint;
    if (hint.starts_with("Use ")) hint.front() = 'u';
    if (hint.ends_with('.')) hint.pop_back();
    return {shown + " is not a type", hint};
  }
}

}  // namespace

Verdict judge(const Option& option, const std::string& text, bool quoted,
              const std::string& shown) {
  if (std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end())
    return {};
  switch (option.kind) {
    case Kind::text:
    case Kind::secret:
      if (text.empty() && !option.may_be_empty) return {"must not be empty"};
      return {};
    case Kind::boolean:
      if (quoted) return {shown + " is a text in quotes", "write true or false without quotes"};
      if (!parse_boolean(text)) return {shown + " is neither true nor false"};
      return {};
    case Kind::integer:
    case Kind::number:
      if (quoted) return {shown + " is a text in quotes", "write the number without quotes"};
      return judge_measured(option, text, shown);
    case Kind::duration:
    case Kind::duration_or_count:
    case Kind::size:
    case Kind::rate:
      return judge_measured(option, text, shown);
    case Kind::choice:
      return judge_choice(option, text, shown);
    case Kind::type:
      return judge_type(text, shown);
    default:
      return {};
  }
}

}  // namespace tidemark::config
