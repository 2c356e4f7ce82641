#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "support/process.h"

namespace tidemark::config::test {

/// Options as the daemon gives them, with an environment, zones and calendars of the test's own.
inline LoadOptions options_with(std::map<std::string, std::string> environment = {}) {
  LoadOptions options;
  options.cores = 4;
  options.environment = [environment](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  options.check_zone = [](const std::string& zone) -> std::optional<std::string> {
    if (zone == "UTC" || zone == "Asia/Shanghai" || zone == "Europe/Berlin") return std::nullopt;
    return "no time zone is named \"" + zone + "\"";
  };
  options.check_cron = [](const std::string& expression,
                          const std::string&) -> std::optional<std::string> {
    if (expression.starts_with("61")) return "minute 61 is not from 0 to 59";
    return std::nullopt;
  };
  options.check_query = [](const std::string& type,
                           const std::string& query) -> std::optional<Complaint> {
    if (query.find("ORDER BY") == std::string::npos) return std::nullopt;
    return Complaint{"an ORDER BY at the top level of a " + type + " query", "take it out"};
  };
  return options;
}

inline std::string joined(const std::vector<Problem>& problems, const std::string& kind) {
  std::string text;
  for (const Problem& problem : problems)
    text += kind + to_string(problem) + "\n";
  return text;
}

/// What loading said, a line each, without the directory of the file.
inline std::string report_of(const LoadResult& result, const std::string& directory) {
  std::string text = joined(result.errors, "error: ") + joined(result.warnings, "warning: ");
  const std::string prefix = directory + "/";
  for (std::size_t at = 0; (at = text.find(prefix, at)) != std::string::npos;)
    text.erase(at, prefix.size());
  return text;
}

/// Loads a text that is written to a file first; further files by name.
class Loader {
 public:
  void file(const std::string& name, const std::string& text) const;
  LoadResult load(const std::string& text, const LoadOptions& options = options_with()) const;
  /// Errors and warnings of a text, as report_of gives them.
  std::string report(const std::string& text, const LoadOptions& options = options_with()) const;
  std::string directory() const { return directory_.path().string(); }

 private:
  tidemark::test::TempDir directory_;
};

/// A job that is right, with lines of YAML added to it and to the top of the file.
struct JobText {
  std::string extra = "";  ///< at the job's level
  std::string top = "";    ///< at the file's level
  std::string source = "table: customers";
  std::string target = "table: customers";
  std::string mode = "incremental";
  std::string cursor = "cursor: {column: updated_at}";
  std::string schedule = "schedule: {every: 30s}";
};
std::string file_with_job(const JobText& text);

}  // namespace tidemark::config::test
