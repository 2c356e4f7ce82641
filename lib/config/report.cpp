#include "config/report.h"

#include <algorithm>
#include <tuple>

#include "core/one_line.h"

namespace tidemark::config {

std::string to_string(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line != 0)
    text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  text += ": ";
  if (!problem.path.empty()) text += problem.path + ": ";
  text += problem.message;
  if (!problem.hint.empty()) text += " (" + problem.hint + ")";
  return text;
}

std::uint32_t Report::add_file(std::string shown_name) {
  files_.push_back(std::move(shown_name));
  return static_cast<std::uint32_t>(files_.size() - 1);
}

std::string Report::where(const Place& place) const {
  const std::string file = place.file < files_.size() ? files_[place.file] : std::string();
  return place.line == 0 ? file : file + ":" + std::to_string(place.line);
}

void Report::add(std::vector<Found>& all, const Place& place, Remark remark) {
  const bool known = std::any_of(all.begin(), all.end(), [&](const Found& one) {
    return one.place.file == place.file && one.place.line == place.line &&
           one.place.column == place.column && one.remark.message == remark.message &&
           (place.inherited || one.remark.path == remark.path);
  });
  if (!known) all.push_back({place, std::move(remark)});
}

// Names of keys and files come into messages as they were written, line breaks and all.
std::vector<Problem> Report::sorted(std::vector<Found> all) const {
  std::stable_sort(all.begin(), all.end(), [](const Found& left, const Found& right) {
    return std::tie(left.place.file, left.place.line, left.place.column) <
           std::tie(right.place.file, right.place.line, right.place.column);
  });
  std::vector<Problem> problems;
  problems.reserve(all.size());
  for (const Found& one : all)
    problems.push_back(
        {.file = one.place.file < files_.size() ? one_line(files_[one.place.file]) : "",
         .line = one.place.line,
         .column = one.place.column,
         .path = one_line(one.remark.path),
         .message = one_line(one.remark.message),
         .hint = one_line(one.remark.hint)});
  return problems;
}

}  // namespace tidemark::config
