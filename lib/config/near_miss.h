#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::config {

/// Edits between two words: insert, delete, replace one letter, swap two neighbours (optimal string
/// alignment, the restricted Damerau-Levenshtein distance). Any thread.
std::size_t edit_distance(std::string_view left, std::string_view right);

/// The candidate that `word` most likely stands for: at most two edits away and fewer than half its
/// letters; "" if there is none.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// `did you mean "x"?`, or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace tidemark::config
