#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/config.h"
#include "config/node.h"
#include "config/report.h"

namespace tidemark::config {

/// Values that stand elsewhere: `{env: NAME, default: …}` for any scalar, `{file: PATH}` and
/// `{credential: NAME}` for secrets. One thread.
class References {
 public:
  References(const LoadOptions& options, Report& report) : options_(options), report_(report) {}

  struct Value {
    std::optional<std::string> text;  ///< nullopt: not to be had, and reported
    std::string source;               ///< " (env NAME)"
    const Node* fallback = nullptr;   ///< `default` is to be taken
  };
  /// nullopt: the node is no reference.
  std::optional<Value> resolve(const Node& node, const std::string& path, bool secret);

 private:
  Value from_environment(const Node& node, const std::string& path, bool secret);
  Value from_file(const Entry& entry, const std::string& path);
  Value from_credential(const Entry& entry, const std::string& path);
  /// Only a warning where secrets need not be there.
  void missing(const Place& place, Remark remark);
  std::optional<std::string> variable(const std::string& name) const;
  std::optional<std::string> read(const std::string& file, const Place& place,
                                  const std::string& path, bool check_mode);
  std::string relative_to_file(const std::string& file, const Place& place) const;

  const LoadOptions& options_;
  Report& report_;
};

}  // namespace tidemark::config
