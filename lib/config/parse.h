#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "config/node.h"
#include "config/report.h"

namespace tidemark::config {

inline constexpr std::size_t max_file_bytes = 4 << 20;
inline constexpr std::size_t max_depth = 32;

/// Reads one YAML document strictly: no anchors, aliases, merge keys, tags, duplicate keys, second
/// documents or unclosed quotes. nullopt when nothing could be read; what is wrong goes to
/// `report`. An empty file is an empty map.
std::optional<Node> parse(std::string_view text, std::uint32_t file, Report& report);

}  // namespace tidemark::config
