#pragma once

#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>

namespace tidemark::test {

/// Prometheus' text format, taken apart for assertions.
class Exposition {
 public:
  explicit Exposition(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("# TYPE ")) {
        const std::size_t space = line.find(' ', 7);
        types_[line.substr(7, space - 7)] = line.substr(space + 1);
      } else if (!line.empty() && line.front() != '#') {
        const std::size_t space = line.rfind(' ');
        samples_[line.substr(0, space)] = std::stod(line.substr(space + 1));
      }
    }
  }

  /// `series` as it is written: name{label="value",…}, labels sorted.
  std::optional<double> value(const std::string& series) const {
    const auto found = samples_.find(series);
    if (found == samples_.end()) return std::nullopt;
    return found->second;
  }
  const std::map<std::string, double>& samples() const { return samples_; }
  const std::map<std::string, std::string>& types() const { return types_; }

  /// Label names of all series of a metric; those of a histogram without its own `le`.
  std::set<std::string> labels(const std::string& name) const {
    std::set<std::string> all;
    for (const auto& [series, value] : samples_) {
      const std::size_t brace = series.find('{');
      std::string base = series.substr(0, brace);
      for (const char* suffix : {"_bucket", "_sum", "_count"})
        if (base == name + suffix) base = name;
      if (base != name || brace == std::string::npos) continue;
      for (std::size_t at = brace + 1; at < series.size() && series[at] != '}';) {
        const std::size_t equals = series.find('=', at);
        if (series.substr(at, equals - at) != "le") all.insert(series.substr(at, equals - at));
        at = series.find('"', equals + 2);
        while (series[at - 1] == '\\')
          at = series.find('"', at + 1);
        at += series[at + 1] == ',' ? 2 : 1;
      }
    }
    return all;
  }

  std::size_t count_with(const std::string& part) const {
    std::size_t count = 0;
    for (const auto& [series, value] : samples_)
      count += series.find(part) != std::string::npos;
    return count;
  }

 private:
  std::map<std::string, double> samples_;
  std::map<std::string, std::string> types_;
};

}  // namespace tidemark::test
