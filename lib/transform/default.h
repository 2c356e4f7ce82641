#pragma once

#include "core/settings.h"
#include "transform/column_transform.h"

namespace tidemark {

/// Puts a constant in place of NULL, or of empty text.
class DefaultValue final : public ColumnTransform {
 public:
  DefaultValue(std::string column, std::string value, DefaultFor instead_of)
      : ColumnTransform(std::move(column)), value_(std::move(value)), instead_of_(instead_of) {}
  std::string_view name() const noexcept override { return "default"; }
  std::string describe() const override;

 protected:
  Column change(const Column& input) const override;
  std::optional<ColumnData> convert(const ColumnData& input, const Type& to) const override;

 private:
  bool replaces(const ColumnData& input, std::size_t row) const noexcept;
  std::string value_;
  DefaultFor instead_of_;
};

}  // namespace tidemark
