#include "transform/map.h"

#include <algorithm>

#include "core/error.h"
#include "core/value.h"
#include "transform/text_length.h"

namespace tidemark {

std::string MapValues::describe() const {
  std::string text = "map " + std::to_string(map_.size()) + " values, others ";
  switch (unmapped_) {
    case Unmapped::keep:
      return text + "kept";
    case Unmapped::null:
      return text + "NULL";
    case Unmapped::error:
      return text + "refused";
  }
  return text;
}

Column MapValues::change(const Column& input) const {
  Column column = input;
  std::size_t longest = 0;
  for (const auto& [from, to] : map_)
    longest = std::max(longest, characters_of(to));
  const bool was_text = input.type.kind == TypeKind::text;
  if (unmapped_ == Unmapped::keep) {
    column.type = text_type(was_text && input.type.length > 0
                                ? std::max(input.type.length, static_cast<std::uint32_t>(longest))
                                : 0);
  } else {
    column.type = text_type(static_cast<std::uint32_t>(std::max<std::size_t>(longest, 1)));
  }
  if (unmapped_ == Unmapped::null) column.nullable = true;
  return column;
}

std::optional<ColumnData> MapValues::convert(const ColumnData& input, const Type& to) const {
  const bool held_as_text = input.type().kind == TypeKind::text;
  ColumnData output(to);
  output.reserve(input.size());
  std::string made;
  for (std::size_t row = 0; row < input.size(); ++row) {
    if (input.is_null(row)) {
      output.push_null();
      continue;
    }
    if (!held_as_text) made = text_of(input, row);
    const std::string_view text = held_as_text ? input.bytes_at(row) : std::string_view(made);
    if (const auto at = map_.find(text); at != map_.end())
      output.push_bytes(at->second);
    else if (unmapped_ == Unmapped::keep)
      output.push_bytes(text);
    else if (unmapped_ == Unmapped::null)
      output.push_null();
    else
      throw Error({.kind = FailureKind::conversion,
                   .message = "the map does not have this value",
                   .hint = "Add it to `map`, or set `unmapped` to keep or null.",
                   .row = row});
  }
  return output;
}

}  // namespace tidemark
