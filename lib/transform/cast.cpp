#include "transform/cast.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/temporal.h"
#include "core/value.h"
#include "transform/decimal.h"
#include "transform/text_length.h"

namespace tidemark {
namespace {

bool is_number(TypeKind kind) {
  return is_integer(kind) || kind == TypeKind::decimal || kind == TypeKind::float32 ||
         kind == TypeKind::float64 || kind == TypeKind::boolean;
}

bool is_float(TypeKind kind) {
  return kind == TypeKind::float32 || kind == TypeKind::float64;
}

bool has_fraction_digits(TypeKind kind) {
  return kind == TypeKind::time || kind == TypeKind::timestamp || kind == TypeKind::instant;
}

[[noreturn]] void refuse_value(const Type& to, std::size_t row, const char* why) {
  throw Error({.kind = FailureKind::conversion,
               .message = std::string(why) + " " + to_string(to),
               .hint = "Choose a wider type, or `lossy: allow` where cutting off is right.",
               .row = row});
}

/// Calls `with` with a value of the C++ type that holds an integer kind.
template <class Function>
void with_integer(TypeKind kind, Function&& with) {
  switch (kind) {
    case TypeKind::int8:
      return with(std::int8_t{});
    case TypeKind::int16:
      return with(std::int16_t{});
    case TypeKind::int32:
      return with(std::int32_t{});
    case TypeKind::int64:
      return with(std::int64_t{});
    case TypeKind::uint8:
      return with(std::uint8_t{});
    case TypeKind::uint16:
      return with(std::uint16_t{});
    case TypeKind::uint32:
      return with(std::uint32_t{});
    default:
      return with(std::uint64_t{});
  }
}

ColumnData cast_integers(const ColumnData& input, const Type& to) {
  ColumnData output(to);
  output.reserve(input.size());
  with_integer(input.type().kind, [&](auto from_example) {
    with_integer(to.kind, [&](auto to_example) {
      using From = decltype(from_example);
      using To = decltype(to_example);
      for (std::size_t row = 0; row < input.size(); ++row) {
        if (input.is_null(row)) {
          output.push_null();
          continue;
        }
        const From value = input.at<From>(row);
        if (!std::in_range<To>(value)) refuse_value(to, row, "a value is out of the range of");
        output.push(static_cast<To>(value));
      }
    });
  });
  return output;
}

/// The same values under a type of the same storage.
ColumnData relabel(const ColumnData& input, const Type& to) {
  ColumnData output(to);
  output.reserve(input.size());
  for (std::size_t row = 0; row < input.size(); ++row)
    output.push_cell(input, row);
  return output;
}

class CellCast {
 public:
  CellCast(const ColumnData& input, const Type& to, Lossy lossy)
      : input_(input), to_(to), lossy_(lossy == Lossy::allow) {}

  void push(ColumnData& output, std::size_t row) const {
    const TypeKind from = input_.type().kind;
    if (to_.kind == TypeKind::text) return push_limited(output, text(row), row);
    if (to_.kind == TypeKind::bytes) return push_bytes(output, row);
    if (from == TypeKind::bytes && to_.kind == TypeKind::uuid) return push_uuid(output, row);
    if (has_fraction_digits(to_.kind) && (has_fraction_digits(from) || from == TypeKind::date))
      return push_temporal(output, row);
    if (to_.kind == TypeKind::date && has_fraction_digits(from)) return push_date(output, row);
    if (to_.kind == TypeKind::boolean) return push_boolean(output, row);
    if (is_number(to_.kind)) return push_number(output, row);
    parse(output, text(row), row);
  }

 private:
  std::string text(std::size_t row) const {
    if (input_.type().kind == TypeKind::bytes) return std::string(input_.bytes_at(row));
    return text_of(input_, row);
  }

  void parse(ColumnData& output, const std::string& text, std::size_t row) const {
    try {
      push_text(output, text);
    } catch (const Error&) {
      refuse_value(to_, row, "a value is not a valid");
    }
    if (has_fraction_digits(to_.kind)) {
      const auto micros = output.at<std::int64_t>(output.size() - 1);
      const std::int64_t cut = floor_to_precision(micros, to_.precision);
      if (cut == micros) return;
      if (!lossy_) refuse_value(to_, row, "a time is finer than");
      output.pop();
      output.push(cut);
    }
  }

  void push_limited(ColumnData& output, const std::string& text, std::size_t row) const {
    if (!is_valid_utf8(text)) refuse_value(to_, row, "bytes are not UTF-8 and so no");
    if (to_.length == 0 || characters_of(text) <= to_.length) return output.push_bytes(text);
    if (!lossy_) refuse_value(to_, row, "a text is longer than");
    output.push_bytes(first_characters(text, to_.length));
  }

  void push_bytes(ColumnData& output, std::size_t row) const {
    std::string bytes;
    if (input_.type().kind == TypeKind::uuid) {
      const Uuid uuid = input_.at<Uuid>(row);
      bytes.assign(reinterpret_cast<const char*>(uuid.bytes.data()), uuid.bytes.size());
    } else {
      bytes = std::string(input_.bytes_at(row));
    }
    if (to_.length > 0 && bytes.size() > to_.length) {
      if (!lossy_) refuse_value(to_, row, "a value is longer than");
      bytes.resize(to_.length);
    }
    output.push_bytes(bytes);
  }

  void push_uuid(ColumnData& output, std::size_t row) const {
    const std::string_view bytes = input_.bytes_at(row);
    Uuid uuid;
    if (bytes.size() != uuid.bytes.size()) refuse_value(to_, row, "bytes are too few or many for");
    std::copy(bytes.begin(), bytes.end(), uuid.bytes.begin());
    output.push(uuid);
  }

  void push_temporal(ColumnData& output, std::size_t row) const {
    if (input_.type().kind == TypeKind::date) {
      const auto days = input_.at<std::int32_t>(row);
      if (days == date_infinity) return output.push(timestamp_infinity);
      if (days == date_minus_infinity) return output.push(timestamp_minus_infinity);
      return output.push(static_cast<std::int64_t>(days) * micros_per_day);
    }
    const auto micros = input_.at<std::int64_t>(row);
    const std::int64_t cut = floor_to_precision(micros, to_.precision);
    if (cut != micros && !lossy_) refuse_value(to_, row, "a time is finer than");
    output.push(cut);
  }

  void push_date(ColumnData& output, std::size_t row) const {
    const auto micros = input_.at<std::int64_t>(row);
    if (micros == timestamp_infinity) return output.push(date_infinity);
    if (micros == timestamp_minus_infinity) return output.push(date_minus_infinity);
    std::int64_t days = micros / micros_per_day;
    const std::int64_t rest = micros % micros_per_day;
    if (rest != 0 && !lossy_) refuse_value(to_, row, "a time of day does not fit");
    if (rest < 0) --days;
    output.push(static_cast<std::int32_t>(days));
  }

  void push_boolean(ColumnData& output, std::size_t row) const {
    const std::string value = text(row);
    std::string_view plain = value;
    if (is_number(input_.type().kind) && plain.find('.') != std::string_view::npos)
      plain = plain.substr(0, plain.find_last_not_of("0.") == std::string_view::npos
                                  ? 1
                                  : plain.find_last_not_of('0') + 1);
    if (plain.ends_with('.')) plain.remove_suffix(1);
    if (plain == "1" || plain == "true" || plain == "t") return output.push(std::uint8_t{1});
    if (plain == "0" || plain == "false" || plain == "f") return output.push(std::uint8_t{0});
    refuse_value(to_, row, "a value is neither 0 nor 1 and so no");
  }

  void push_number(ColumnData& output, std::size_t row) const {
    const TypeKind from = input_.type().kind;
    if (is_float(to_.kind)) return push_float(output, row);
    std::string value = text(row);
    if (from == TypeKind::boolean) value = value == "true" ? "1" : "0";
    if (is_float(from) && (value == "NaN" || value.ends_with("Infinity")) &&
        !(to_.kind == TypeKind::decimal && to_.precision == 0))
      refuse_value(to_, row, "NaN and infinity are no");
    try {
      value = canonical_decimal(value);
    } catch (const Error&) {
      refuse_value(to_, row, "a value is not a valid");
    }
    const bool whole = to_.kind != TypeKind::decimal;
    if (whole || to_.precision > 0) {
      const int scale = whole ? 0 : to_.scale;
      if (!cut_to_scale(value, scale) && !lossy_)
        refuse_value(to_, row, "a fraction is finer than");
      if (!whole && whole_digits(value) > to_.precision - to_.scale)
        refuse_value(to_, row, "a value is out of the range of");
    }
    try {
      push_text(output, value);
    } catch (const Error&) {
      refuse_value(to_, row, "a value is out of the range of");
    }
  }

  void push_float(ColumnData& output, std::size_t row) const {
    std::string value = text(row);
    if (input_.type().kind == TypeKind::boolean) value = value == "true" ? "1" : "0";
    try {
      push_text(output, value);
    } catch (const Error&) {
      refuse_value(to_, row, "a value is not a valid");
    }
    if (lossy_ || reads_back(output, value)) return;
    refuse_value(to_, row, "a value has more digits than");
  }

  /// Whether the float just pushed prints as the value it was made of.
  static bool reads_back(const ColumnData& output, const std::string& value) {
    const std::string text = text_of(output, output.size() - 1);
    if (text == value || text == "NaN" || text.ends_with("Infinity")) return true;
    return same_number(canonical_decimal(text), canonical_decimal(value));
  }

  const ColumnData& input_;
  const Type& to_;
  bool lossy_;
};

}  // namespace

bool can_cast(const Type& from, const Type& to) noexcept {
  // A native value is its server's text, so it goes where a text goes; under another database's
  // name too, which is the user's word, and the target's to refuse.
  if (from.kind == to.kind) return true;
  if (to.kind == TypeKind::text) return true;
  if (is_number(from.kind) && is_number(to.kind)) return true;
  switch (from.kind) {
    case TypeKind::text:
    case TypeKind::native:
      return true;
    case TypeKind::bytes:
      return to.kind == TypeKind::uuid;
    case TypeKind::uuid:
      return to.kind == TypeKind::bytes;
    case TypeKind::date:
      return to.kind == TypeKind::timestamp;
    case TypeKind::timestamp:
      return to.kind == TypeKind::date;
    default:
      return false;
  }
}

Column Cast::change(const Column& input) const {
  if (!can_cast(input.type, to_))
    refuse(to_string(input.type) + " can't become " + to_string(to_),
           "Choose a type that can hold these values, or exclude the column.");
  Column column = input;
  column.type = to_;
  return column;
}

std::optional<ColumnData> Cast::convert(const ColumnData& input, const Type& to) const {
  const Type& from = input.type();
  if (from == to) return std::nullopt;
  if (is_integer(from.kind) && is_integer(to.kind)) return cast_integers(input, to);
  const bool same_kind = from.kind == to.kind;
  if (same_kind && (from.kind == TypeKind::json || is_float(from.kind))) return relabel(input, to);
  if (to.kind == TypeKind::json || to.kind == TypeKind::native) return relabel(input, to);
  const CellCast cell(input, to, lossy_);
  ColumnData output(to);
  output.reserve(input.size());
  for (std::size_t row = 0; row < input.size(); ++row) {
    if (input.is_null(row))
      output.push_null();
    else
      cell.push(output, row);
  }
  return output;
}

}  // namespace tidemark
