#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemark::config {

/// A text as a YAML scalar on one line: plain where that reads back the same, else in double
/// quotes.
std::string yaml_scalar(std::string_view text);
/// "[a, b]".
std::string yaml_list(const std::vector<std::string>& texts);
/// Words filled into lines of at most `width`; each line starts with `prefix`.
std::string wrapped(std::string_view text, std::string_view prefix, std::size_t width);

}  // namespace tidemark::config
