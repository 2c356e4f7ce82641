#pragma once

#include "config/node.h"
#include "config/option.h"

namespace tidemark::config {

/// A job with what `defaults` says: maps merge, everything else is replaced, an entry of a
/// dictionary that the job sets to null goes away. What came from `base` is marked as inherited.
Node merge(const OptionNode& spec, const Node& base, const Node& over);

}  // namespace tidemark::config
