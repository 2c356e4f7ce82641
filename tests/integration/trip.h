#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "integration/database.h"
#include "support/process.h"

namespace tidemark::test {

/// One job of its own, in a configuration of its own, between two tables: for the real program.
class Trip {
 public:
  /// `settings`: lines of YAML below the job, each with four blanks in front.
  Trip(const Database& source, const Database& target, const std::string& from,
       const std::string& to, const std::string& settings);

  struct Result {
    int status;
    std::string output;
  };
  /// Runs `tidemark VERB… JOB` to its end, which must come within `limit`.
  Result call(const std::vector<std::string>& verb,
              std::chrono::minutes limit = std::chrono::minutes(5)) const;
  /// The same, still running.
  ChildProcess start(const std::vector<std::string>& verb) const;
  std::string output() const { return read_file(dir_ / "output"); }

 private:
  TempDir dir_;
  std::string name_;
};

}  // namespace tidemark::test
