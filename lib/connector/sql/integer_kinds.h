#pragma once

#include "core/type.h"

namespace tidemark::sql {

/// Decimal digits that any value of an integer kind fits in: what a decimal column needs to hold
/// it. Any thread.
constexpr int digits_of(TypeKind kind) noexcept {
  switch (kind) {
    case TypeKind::int8:
    case TypeKind::uint8:
      return 3;
    case TypeKind::int16:
    case TypeKind::uint16:
      return 5;
    case TypeKind::int32:
    case TypeKind::uint32:
      return 10;
    case TypeKind::int64:
      return 19;
    default:
      return 20;
  }
}

}  // namespace tidemark::sql
