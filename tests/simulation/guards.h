#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "core/guard_switch.h"

namespace tidemark::sim {

struct GuardName {
  Guard guard;
  std::string_view name;
  /// Where another guard stands behind this one, neither is missed alone: both are off then.
  std::optional<Guard> backed_by = {};
};

/// Every guard, by the name the command line knows.
const std::array<GuardName, static_cast<std::size_t>(Guard::count_)>& guards();

/// Switches a guard off while it lives, and the one that backs it; none for nullptr. One at a time,
/// one thread.
class Without {
 public:
  explicit Without(const GuardName* guard);
  ~Without();
  Without(const Without&) = delete;
  Without& operator=(const Without&) = delete;
};

}  // namespace tidemark::sim
