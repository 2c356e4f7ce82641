#include "connector/mysql/fit.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <optional>

#include "connector/mysql/dialect.h"
#include "connector/mysql/native_type.h"
#include "connector/sql/integer_kinds.h"

namespace tidemark::mysql {
namespace {

constexpr std::uint16_t most_digits = 65;
constexpr std::int16_t most_scale = 30;
/// {"months":-2147483648,"days":-2147483648,"micros":-9223372036854775808}
constexpr std::uint32_t longest_interval = 80;

/// Of a native type's canonical texts, in characters; 0: no limit known.
std::uint32_t longest_text(const NativeType& type) {
  std::size_t longest = 0;
  switch (type.kind) {
    case NativeKind::bit:
      return type.argument;
    case NativeKind::enumeration:
      for (const std::string& label : type.labels)
        longest = std::max(longest, label.size());
      return static_cast<std::uint32_t>(std::max<std::size_t>(longest, 1));
    case NativeKind::set:
      return static_cast<std::uint32_t>(std::accumulate(
          type.labels.begin(), type.labels.end(), std::size_t{1},
          [](std::size_t sum, const std::string& label) { return sum + label.size() + 1; }));
    case NativeKind::geometry:
      return 0;
    default:
      return 39;
  }
}

bool integer_fits(TypeKind from, TypeKind into) {
  if (is_signed_integer(from) && !is_signed_integer(into)) return false;
  const std::size_t from_width = width_of(from);
  const std::size_t into_width = width_of(into);
  if (is_signed_integer(from) == is_signed_integer(into)) return from_width <= into_width;
  return from_width < into_width;
}

/// Builds the answer of `fits` for one pair of types.
class Fit {
 public:
  Fit(const Column& arriving, const Column& existing)
      : from_(arriving.type),
        into_(existing.type),
        from_name_(arriving.native_type),
        native_(parse_native(existing.native_type)) {
    verdict_.column = arriving.name;
    verdict_.target_type = existing.native_type;
  }

  ColumnVerdict judge() {
    if (native_ && !by_logical_kind())
      into_native();
    else
      by_kind();
    return std::move(verdict_);
  }

 private:
  void by_kind() {
    switch (from_.kind) {
      case TypeKind::boolean:
        boolean();
        break;
      case TypeKind::float32:
      case TypeKind::float64:
        floating();
        break;
      case TypeKind::decimal:
        decimal();
        break;
      case TypeKind::text:
        text();
        break;
      case TypeKind::bytes:
        bytes();
        break;
      case TypeKind::date:
      case TypeKind::time:
      case TypeKind::timestamp:
      case TypeKind::instant:
        temporal();
        break;
      case TypeKind::uuid:
        worded(36, TypeKind::uuid);
        if (into_.kind == TypeKind::uuid) verdict_.note = uuid_note;
        break;
      case TypeKind::json:
        worded(0, TypeKind::json);
        break;
      case TypeKind::native:
        native();
        break;
      case TypeKind::interval:
        worded(longest_interval, TypeKind::text);
        break;
      default:
        integer();
        break;
    }
  }

  /// A temporal column takes temporal values by their logical kind; all else is text to it.
  bool by_logical_kind() const {
    return native_->temporal() && storage_of(from_.kind) == Storage::fixed;
  }

  void lossy(std::string reason) {
    verdict_.fidelity = Fidelity::lossy;
    verdict_.reason = std::move(reason);
  }
  void impossible(std::string reason) {
    verdict_.fidelity = Fidelity::impossible;
    verdict_.reason = std::move(reason);
  }
  void no_way() { impossible("the types have nothing in common"); }

  void native() {
    const auto own = parse_origin(from_.origin);
    worded(own ? longest_text(*own) : 0, TypeKind::text);
    if (verdict_.fidelity == Fidelity::lossless && into_.kind == TypeKind::text)
      verdict_.note = "as text: in the form in which its database writes it";
  }

  void into_native() {
    const auto own = parse_origin(from_.origin);
    switch (native_->kind) {
      case NativeKind::bit:
        return into_bit(own);
      case NativeKind::year:
        return into_year(own);
      case NativeKind::enumeration:
      case NativeKind::set:
        return into_labels(own);
      default:
        break;
    }
    const bool same = own && own->kind == native_->kind;
    const bool any_geometry = native_->name == "geometry";
    if (same &&
        (native_->kind != NativeKind::geometry || any_geometry || own->name == native_->name))
      return;
    // Read as the server's text on request: the words of the user and of the source agree.
    const auto read_as_text = parse_native(from_name_);
    if (from_.kind == TypeKind::text && native_->temporal() && read_as_text &&
        read_as_text->kind == native_->kind && read_as_text->argument == native_->argument)
      return;
    if (from_.kind != TypeKind::text && from_.kind != TypeKind::native) return no_way();
    if (same) return lossy("other kinds of geometry are refused");
    if (native_->temporal() || native_->kind == NativeKind::geometry)
      return lossy("texts in another form than the server's own are refused");
    lossy("the server writes the value in its own form");
  }

  void into_bit(const std::optional<NativeType>& own) {
    const unsigned bits = native_->argument;
    if (own && own->kind == NativeKind::bit) {
      if (own->argument != bits) lossy("the column has another number of bits");
    } else if (const unsigned digits = foreign_bits(from_); digits != 0) {
      if (digits != bits) lossy("the column has another number of bits");
    } else if (is_integer(from_.kind)) {
      if (is_signed_integer(from_.kind) || width_of(from_.kind) * 8 > bits)
        lossy("numbers out of range are refused");
    } else if (from_.kind == TypeKind::text || from_.kind == TypeKind::native) {
      lossy("texts that are not as many binary digits as the column has bits are refused");
    } else if (from_.kind != TypeKind::boolean) {
      no_way();
    }
  }

  void into_year(const std::optional<NativeType>& own) {
    if (own && own->kind == NativeKind::year) return;
    const auto source = parse_native(from_name_);
    if (source && source->kind == NativeKind::year) return;
    if (is_integer(from_.kind)) return lossy("YEAR holds 0 and 1901 to 2155: others are refused");
    if (from_.kind == TypeKind::text || from_.kind == TypeKind::native)
      return lossy("texts that are no year of four digits are refused");
    no_way();
  }

  void into_labels(const std::optional<NativeType>& own) {
    if (from_.kind != TypeKind::text && from_.kind != TypeKind::native) return no_way();
    if (own && own->kind == native_->kind && keeps_labels(own->labels)) return;
    lossy("texts that are not the column's labels are refused");
  }

  /// Whether each label is there, for SET in the same order besides.
  bool keeps_labels(const std::vector<std::string>& labels) const {
    auto from = native_->labels.begin();
    for (const std::string& label : labels) {
      const auto at = std::find(from, native_->labels.end(), label);
      if (at == native_->labels.end()) return false;
      if (native_->kind == NativeKind::set) from = at + 1;
    }
    return true;
  }

  void boolean() {
    if (into_.kind != TypeKind::boolean && !is_integer(into_.kind)) no_way();
  }

  void integer() {
    if (is_integer(into_.kind)) {
      if (!integer_fits(from_.kind, into_.kind)) lossy("numbers out of range are refused");
    } else if (into_.kind == TypeKind::decimal) {
      if (into_.precision - into_.scale < sql::digits_of(from_.kind))
        lossy("numbers out of range are refused");
    } else if (into_.kind == TypeKind::float64 || into_.kind == TypeKind::float32) {
      const std::size_t exact = into_.kind == TypeKind::float64 ? 4 : 2;
      if (width_of(from_.kind) > exact) lossy("large numbers are rounded");
    } else if (into_.kind == TypeKind::text) {
      limit(static_cast<std::uint32_t>(sql::digits_of(from_.kind)) + 1);
    } else if (into_.kind == TypeKind::boolean) {
      lossy("the column is meant for 0 and 1");
    } else {
      no_way();
    }
  }

  void floating() {
    if (into_.kind == TypeKind::float64 || into_.kind == from_.kind) return;
    if (into_.kind == TypeKind::float32 || into_.kind == TypeKind::decimal ||
        is_integer(into_.kind))
      return lossy("numbers are rounded");
    if (into_.kind == TypeKind::text) return limit(24);
    no_way();
  }

  void decimal() {
    if (into_.kind == TypeKind::text) return limit(from_.precision == 0 ? 0 : from_.precision + 3U);
    if (into_.kind == TypeKind::float64 || into_.kind == TypeKind::float32)
      return lossy("numbers are rounded to binary");
    const bool whole = is_integer(into_.kind);
    if (into_.kind != TypeKind::decimal && !whole) return no_way();
    const int room = whole ? sql::digits_of(into_.kind) - 1 : into_.precision - into_.scale;
    const int scale = whole ? 0 : into_.scale;
    // The largest type there is counts as a home for decimals without limits.
    if (from_.precision == 0 && room >= most_digits - most_scale && scale >= most_scale) return;
    if (from_.precision == 0 || from_.precision - from_.scale > room)
      return lossy("numbers out of range are refused");
    if (from_.scale > scale) lossy("digits after the point are rounded");
  }

  void text() {
    if (into_.kind == TypeKind::json || into_.kind == TypeKind::uuid)
      return lossy("texts that are no such value are refused, others may change their form");
    if (into_.kind != TypeKind::text) return no_way();
    if (into_.fixed && !from_.fixed) return lossy("CHAR loses trailing blanks");
    limit(from_.length);
  }

  void bytes() {
    if (into_.kind != TypeKind::bytes) return no_way();
    if (into_.fixed && (!from_.fixed || from_.length != into_.length))
      return lossy("BINARY fills up with zero bytes");
    limit(from_.length);
  }

  /// Of a value that needs up to `length` characters or bytes; 0: no limit known.
  void limit(std::uint32_t length) {
    if (into_.length == 0) return;
    if (length == 0 || length > into_.length) lossy("longer values are refused");
  }

  void worded(std::uint32_t length, TypeKind own) {
    if (into_.kind == own) return own == TypeKind::text ? limit(length) : void();
    if (into_.kind != TypeKind::text) return no_way();
    limit(length);
  }

  void temporal() {
    if (into_.kind == TypeKind::text) return limit(32);
    if (from_.kind == TypeKind::date && into_.kind == TypeKind::timestamp) return;
    if (from_.kind == TypeKind::timestamp && into_.kind == TypeKind::date)
      return lossy("the time of day is cut off");
    if (from_.kind == TypeKind::instant && into_.kind == TypeKind::timestamp)
      return lossy("the column has no zone: values are written in UTC");
    if (into_.kind != from_.kind)
      return from_.kind == TypeKind::timestamp && into_.kind == TypeKind::instant
                 ? impossible(
                       "a time without a zone is no instant: set the column's type to "
                       "timestamptz and source_timezone")
                 : no_way();
    if (from_.kind != TypeKind::date && from_.precision > into_.precision)
      lossy("fractions of a second are cut");
  }

  const Type& from_;
  const Type& into_;
  const std::string& from_name_;
  std::optional<NativeType> native_;  ///< of the existing column
  ColumnVerdict verdict_;
};

}  // namespace

unsigned foreign_bits(const Type& type) {
  constexpr std::string_view name = "postgres:bit(";
  if (type.kind != TypeKind::native || !type.origin.starts_with(name)) return 0;
  unsigned bits = 0;
  std::from_chars(type.origin.data() + name.size(), type.origin.data() + type.origin.size(), bits);
  return bits > 64 ? 0 : bits;
}

ColumnVerdict judge_fit(const Column& arriving, const Column& existing) {
  return Fit(arriving, existing).judge();
}

}  // namespace tidemark::mysql
