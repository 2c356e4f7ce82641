#pragma once

#include "core/settings.h"
#include "transform/column_transform.h"

namespace tidemark {

/// Takes blanks, tabs and line ends off text. What is left of nothing but blanks is empty text,
/// not NULL.
class TrimText final : public ColumnTransform {
 public:
  TrimText(std::string column, Trim side) : ColumnTransform(std::move(column)), side_(side) {}
  std::string_view name() const noexcept override { return "trim"; }
  std::string describe() const override;

 protected:
  Column change(const Column& input) const override;
  std::optional<ColumnData> convert(const ColumnData& input, const Type& to) const override;

 private:
  std::string_view trimmed(std::string_view text) const noexcept;
  Trim side_;
};

}  // namespace tidemark
