#pragma once

#include <vector>

#include "core/connector.h"

namespace tidemark::postgres {

/// Every type that a column of PostgreSQL 15 may have: the logical ones, and those that travel as
/// text with their canonical form; an enum, a composite, a range, an array and a domain stand for
/// all of their kind.
std::vector<TypeSample> type_samples();

}  // namespace tidemark::postgres
