#include "transform/default.h"

#include "core/error.h"
#include "core/value.h"

namespace tidemark {

std::string DefaultValue::describe() const {
  return instead_of_ == DefaultFor::null ? "default for NULL" : "default for empty text";
}

Column DefaultValue::change(const Column& input) const {
  if (instead_of_ == DefaultFor::empty && input.type.kind != TypeKind::text)
    refuse("the column is " + to_string(input.type) + ", which is never empty",
           "Use `default_for: null`.");
  try {
    ColumnData probe(input.type);
    push_text(probe, value_);
  } catch (const Error&) {
    refuse("the default is not a valid " + to_string(input.type),
           "Write it as the column's type is written.");
  }
  Column column = input;
  if (instead_of_ == DefaultFor::null) column.nullable = false;
  return column;
}

bool DefaultValue::replaces(const ColumnData& input, std::size_t row) const noexcept {
  if (instead_of_ == DefaultFor::null) return input.is_null(row);
  return !input.is_null(row) && input.bytes_at(row).empty();
}

std::optional<ColumnData> DefaultValue::convert(const ColumnData& input, const Type& to) const {
  if (instead_of_ == DefaultFor::null && input.null_count() == 0) return std::nullopt;
  ColumnData constant(to);
  push_text(constant, value_);
  ColumnData output(to);
  output.reserve(input.size());
  for (std::size_t row = 0; row < input.size(); ++row) {
    if (replaces(input, row))
      output.push_cell(constant, 0);
    else
      output.push_cell(input, row);
  }
  return output;
}

}  // namespace tidemark
