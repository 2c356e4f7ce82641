#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/node.h"
#include "config/reader.h"
#include "config/report.h"

namespace tidemark::config {

/// The main file and what it includes, as one tree; `defaults` not merged yet.
struct Sources {
  std::optional<Node> root;  ///< nullopt: there is nothing to read on with
  std::uint64_t fingerprint = 0;
};

/// Reads the files; what is wrong goes to `report`.
Sources read_sources(const std::string& path, Reader& reader, Report& report);

/// The files that a pattern of `include` finds, sorted bytewise; `base` is the including file.
std::vector<std::string> included_files(const std::string& base, const std::string& pattern);

}  // namespace tidemark::config
