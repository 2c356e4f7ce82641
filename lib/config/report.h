#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/node.h"

namespace tidemark::config {

/// What a problem says, without its place.
struct Remark {
  std::string path;
  std::string message;
  std::string hint = {};
};

/// Collects the problems of all files. A value of `defaults` that is wrong would be found again in
/// each job: the same message at the same place is kept once. One thread.
class Report {
 public:
  /// Registers a file and gives its index for Place.
  std::uint32_t add_file(std::string shown_name);
  const std::vector<std::string>& files() const noexcept { return files_; }

  void error(const Place& place, Remark remark) { add(errors_, place, std::move(remark)); }
  void warning(const Place& place, Remark remark) { add(warnings_, place, std::move(remark)); }

  /// "file:line", as hints and origins name a place.
  std::string where(const Place& place) const;
  bool has_errors() const noexcept { return !errors_.empty(); }

  std::vector<Problem> take_errors() { return sorted(std::move(errors_)); }
  std::vector<Problem> take_warnings() { return sorted(std::move(warnings_)); }

 private:
  struct Found {
    Place place;
    Remark remark;
  };
  static void add(std::vector<Found>& all, const Place& place, Remark remark);
  std::vector<Problem> sorted(std::vector<Found> all) const;

  std::vector<std::string> files_;
  std::vector<Found> errors_;
  std::vector<Found> warnings_;
};

}  // namespace tidemark::config
