#pragma once

#include <cstdint>
#include <vector>

#include "core/batch.h"
#include "core/value.h"
#include "sync/cursor_value.h"

namespace tidemark {

/// Neighbouring rows of a batch in cursor order that, should they change anything at the target,
/// came about equally late.
struct LateSlice {
  std::size_t end = 0;  ///< behind its last row
  Distance by = {};     ///< of its lowest cursor, so that a report errs on the long side
};

/// Cuts the rows at the start of a batch whose cursor is below `bound`, what had been read past by
/// then, into slices of like lateness; empty where there are none. Cursors are not NULL. Looks at
/// few rows. Any thread.
std::vector<LateSlice> late_slices(const ColumnData& cursor, const Value& bound);

/// What turned out to have come late in one batch: rows of its slices that changed the target.
struct LateRows {
  Distance by = {};
  std::uint64_t rows = 0;
};

}  // namespace tidemark
