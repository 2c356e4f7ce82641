#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "connector/sql/dialect.h"

namespace tidemark::sql {

/// A user's SELECT, taken apart only as far as it takes to put it behind FROM: what is code and
/// what is quoted or a comment, and which words stand at the top level.
struct ScannedQuery {
  std::string text;                  ///< without a closing semicolon
  std::vector<std::size_t> markers;  ///< where {{cursor}} stands in `text`

  /// The text with every {{cursor}} replaced.
  std::string with_cursor(std::string_view predicate) const;
};

inline constexpr std::string_view cursor_marker = "{{cursor}}";

/// Any thread. Throws Error{schema} with the line for what select.h's check_query refuses.
ScannedQuery scan_query(std::string_view query, const Lexis& lexis);

}  // namespace tidemark::sql
