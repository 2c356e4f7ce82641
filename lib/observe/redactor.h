#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings.h"

namespace tidemark::observe {

/// Takes secrets out of text that is about to leave the process. Knows registered values (as they
/// are, percent-encoded and JSON-escaped) and patterns: URL userinfo, `password=`, `passwd=`,
/// `pwd=`, `token=`, `access_token=`, `api_token=`, `secret=` (also as JSON members), `?key=` and
/// `&sign=` of a URL's query, `Bearer …` and `Basic …`.
///
/// Values shorter than 4 characters are not searched for (they would tear every line apart); the
/// patterns still catch them where they stand behind their name. Any thread.
class Redactor {
 public:
  /// Registers the passwords and the API token of `settings`. Values of earlier settings stay
  /// registered: text about them may still be under way.
  void learn(const Settings& settings);
  void add(const Secret& secret);

  /// `text` with each secret replaced by "***".
  std::string redact(std::string_view text) const;

 private:
  using Values = std::vector<Secret>;
  std::shared_ptr<const Values> values() const;
  mutable std::mutex mutex_;
  std::shared_ptr<const Values> values_ = std::make_shared<const Values>();
};

}  // namespace tidemark::observe
