#pragma once

#include "core/zones.h"

namespace tidemark::schedule {

/// Zones over the system's tz database, read once per process.
class SystemZones final : public Zones {
 public:
  bool known(std::string_view zone) const noexcept override;
  std::int64_t local_to_utc(std::string_view zone, std::int64_t local_micros) const override;
  std::int64_t utc_to_local(std::string_view zone, std::int64_t utc_micros) const override;
};

}  // namespace tidemark::schedule
