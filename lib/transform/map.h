#pragma once

#include <map>

#include "core/settings.h"
#include "transform/column_transform.h"

namespace tidemark {

/// Puts other values in place of some. Compares canonical text; the outcome is text, whatever the
/// column was, so that a `type` may follow. NULL stays NULL.
class MapValues final : public ColumnTransform {
 public:
  MapValues(std::string column, std::map<std::string, std::string> map, Unmapped unmapped)
      : ColumnTransform(std::move(column)), map_(map.begin(), map.end()), unmapped_(unmapped) {}
  std::string_view name() const noexcept override { return "map"; }
  std::string describe() const override;

 protected:
  Column change(const Column& input) const override;
  std::optional<ColumnData> convert(const ColumnData& input, const Type& to) const override;

 private:
  std::map<std::string, std::string, std::less<>> map_;
  Unmapped unmapped_;
};

}  // namespace tidemark
