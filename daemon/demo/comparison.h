#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/demo/shop.h"

namespace tidemark::demo {

/// Two SQLite tables side by side.
struct Comparison {
  std::uint64_t rows = 0;       ///< equal ones
  std::uint64_t different = 0;  ///< same key, other values
  std::uint64_t missing = 0;    ///< in the source only
  std::uint64_t extra = 0;      ///< in the target only, or twice
  bool equal() const noexcept { return different == 0 && missing == 0 && extra == 0; }
};

/// Steps through both tables in key order and compares every cell, with plain SQLite and nothing of
/// the engine. The first of `columns` is an integer key; each may be an expression.
Comparison compare(Database& source, Database& target, const std::string& table,
                   const std::vector<std::string>& columns);

}  // namespace tidemark::demo
