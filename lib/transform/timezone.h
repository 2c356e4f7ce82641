#pragma once

#include "core/zones.h"
#include "transform/column_transform.h"

namespace tidemark {

/// Local time to instants, or back, by the rules of a zone. Outlived by the Zones.
class ShiftZone final : public ColumnTransform {
 public:
  enum class Direction { to_instant, to_local };
  ShiftZone(std::string column, Direction direction, std::string zone, const Zones& zones)
      : ColumnTransform(std::move(column)),
        direction_(direction),
        zone_(std::move(zone)),
        zones_(zones) {}
  std::string_view name() const noexcept override { return "timezone"; }
  std::string describe() const override;

 protected:
  Column change(const Column& input) const override;
  std::optional<ColumnData> convert(const ColumnData& input, const Type& to) const override;

 private:
  Direction direction_;
  std::string zone_;
  const Zones& zones_;
};

}  // namespace tidemark
