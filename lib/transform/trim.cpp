#include "transform/trim.h"

namespace tidemark {
namespace {
constexpr std::string_view blanks = " \t\r\n\v\f";
}  // namespace

std::string TrimText::describe() const {
  return side_ == Trim::left ? "trim left" : side_ == Trim::right ? "trim right" : "trim both";
}

Column TrimText::change(const Column& input) const {
  if (input.type.kind != TypeKind::text)
    refuse("the column is " + to_string(input.type) + ", not text", "Only text can be trimmed.");
  Column column = input;
  column.type.fixed = false;  // a trimmed char(n) is a varchar(n)
  return column;
}

std::string_view TrimText::trimmed(std::string_view text) const noexcept {
  if (side_ != Trim::right) {
    const std::size_t first = text.find_first_not_of(blanks);
    text = first == std::string_view::npos ? std::string_view{} : text.substr(first);
  }
  if (side_ != Trim::left) {
    const std::size_t last = text.find_last_not_of(blanks);
    text = last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
  }
  return text;
}

std::optional<ColumnData> TrimText::convert(const ColumnData& input, const Type& to) const {
  std::size_t row = 0;
  while (row < input.size() &&
         (input.is_null(row) || trimmed(input.bytes_at(row)).size() == input.bytes_at(row).size()))
    ++row;
  if (row == input.size() && input.type() == to) return std::nullopt;
  ColumnData output(to);
  output.reserve(input.size());
  for (row = 0; row < input.size(); ++row) {
    if (input.is_null(row))
      output.push_null();
    else
      output.push_bytes(trimmed(input.bytes_at(row)));
  }
  return output;
}

}  // namespace tidemark
