#pragma once

#include <array>
#include <string>
#include <vector>

namespace tidemark::test {

/// What a job does while it is killed.
enum class Work {
  upsert,  ///< a first run in one pass
  append,
  full,    ///< replacing other rows
  ranges,  ///< a first load in key ranges
  swap,    ///< a full job that puts a new table in place of the old one
  stop,    ///< an upsert at SIGTERM
};

std::string to_string(Work work);

/// One line of the crash matrix: when the daemon is killed, and in which work. A new stage is one
/// more line.
struct Stage {
  std::string name;
  std::string moment;  ///< as tests/fault/program/moments.h has it
  std::vector<Work> works;
};

const std::vector<Stage>& stages();

}  // namespace tidemark::test
