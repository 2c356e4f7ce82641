#pragma once

#include <string>

namespace tidemark {

/// docs/types.md: every type of every connector that lists its types, and what it becomes in each
/// database that can be a target. From the tables that run the jobs; needs no server. Any thread.
std::string types_markdown();

}  // namespace tidemark
