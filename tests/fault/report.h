#pragma once

#include <string>
#include <vector>

namespace tidemark::test {

/// One line of a table of docs/reliability.md, for `scripts/test --matrix`: goes to the file that
/// TIDEMARK_REPORT names; without one nothing happens. Any thread.
void report(const std::string& table, const std::vector<std::string>& cells);

}  // namespace tidemark::test
