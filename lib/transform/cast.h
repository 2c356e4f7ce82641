#pragma once

#include "core/settings.h"
#include "transform/column_transform.h"

namespace tidemark {

/// Whether values of one type can become another at all; what can't is refused at check time.
bool can_cast(const Type& from, const Type& to) noexcept;

/// Changes a column's type. Every value must arrive whole, or it is Error{conversion} with its row.
/// With Lossy::allow what is finer than the new type is cut off (fractions, digits, characters);
/// a value beyond its range is an error all the same.
class Cast final : public ColumnTransform {
 public:
  Cast(std::string column, Type to, Lossy lossy)
      : ColumnTransform(std::move(column)), to_(std::move(to)), lossy_(lossy) {}
  std::string_view name() const noexcept override { return "type"; }
  std::string describe() const override { return "type " + to_string(to_); }

 protected:
  Column change(const Column& input) const override;
  std::optional<ColumnData> convert(const ColumnData& input, const Type& to) const override;

 private:
  Type to_;
  Lossy lossy_;
};

}  // namespace tidemark
