#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/type.h"

namespace tidemark::mysql {

/// What a type's name means to the reader and the writer, where the logical kind does not say it.
enum class NativeKind : std::uint8_t {
  bit,
  year,
  enumeration,
  set,
  inet4,
  inet6,
  geometry,  ///< and its kinds: point, polygon, …
  date,
  datetime,
  timestamp,
  time,
};

/// A type as the server writes it, taken apart.
struct NativeType {
  NativeKind kind = NativeKind::bit;
  std::string name;                      ///< lower case, without arguments: "bit", "point"
  unsigned argument = 0;                 ///< bits of BIT, fractional digits of a time; else 0
  std::vector<std::string> labels = {};  ///< of ENUM and SET, in the order of their numbers

  bool temporal() const noexcept { return kind >= NativeKind::date; }
};

/// "enum('a','it''s')", "BIT(9)", "point"; nullopt for a type that is read and written by its
/// logical kind alone, or that is not known. Any thread.
std::optional<NativeType> parse_native(std::string_view column_type);
/// The same of a Type's origin "mysql:…"; nullopt for another connector's.
std::optional<NativeType> parse_origin(std::string_view origin);
/// Kind native with the origin "mysql:<column_type>".
Type native_type(std::string_view column_type);

// Canonical texts, and what the server takes for them. All throw Error{conversion} for a text that
// is no value of the type, without the text in it.

/// BIT(n): n binary digits. The big-endian bytes that the server sends, to digits.
std::string bit_digits(std::string_view bytes, unsigned bits);
std::uint64_t bits_from_digits(std::string_view digits);
/// ENUM: the label's number from 1; 0 for "" where that is no label (the server's error value).
std::uint64_t label_number(const NativeType& type, std::string_view label);
/// SET: labels joined by commas in the order of their definition, to one bit each.
std::uint64_t label_mask(const NativeType& type, std::string_view labels);
/// Throws unless `text` is how the server itself would write a value of this temporal type or YEAR:
/// it would change any other form, or cut it, without an error.
void check_own_form(const NativeType& type, std::string_view text);

}  // namespace tidemark::mysql
