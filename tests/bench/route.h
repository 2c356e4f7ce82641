#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/place.h"

namespace tidemark::bench {

/// One way of doing a route's work: Tidemark's, the limit's, or a peer's.
struct Case {
  std::string name;                   ///< "tidemark", "limit", or the peer's name
  std::function<void()> reset;        ///< before each round, not timed
  std::function<Cost()> run;          ///< timed
  std::function<std::string()> sums;  ///< what arrived
};

/// One row of the table: the same work in several ways, in turns.
struct Route {
  std::string name;
  std::string title;   ///< for people
  std::string limit;   ///< what the limit does, for people
  std::uint64_t rows;  ///< that each case moves
  double must;         ///< targets: Tidemark's time over the limit's
  double aim;
  std::function<void()> before_round = [] {};
  std::vector<Case> cases = {};
  std::function<std::string()> expected = {};  ///< what must have arrived
  std::vector<std::string> notes = {};
};

struct RouteInfo {
  std::string name;
  std::function<Route(Stage&)> make;
};

/// Every route that can be timed against a limit, in the order of the report.
const std::vector<RouteInfo>& routes();

Route first_load(Stage& stage, const std::string& name);
Route upsert(Stage& stage, const std::string& name);

/// `tidemark run` of one job, the real program with a configuration of its own: an incremental job
/// at the defaults of every key, but for the index that the target is to have.
class Job {
 public:
  struct Options {
    std::string table = "orders";
    std::string daemon = {};  ///< more of the daemon's section: ", memory: 16MiB"
    std::string lines = {};   ///< more lines of the job, four blanks in front
  };
  Job(Stage& stage, const std::string& name, const Place& source, const Place& target,
      const Options& options);
  Job(Stage& stage, const std::string& name, const Place& source, const Place& target);
  /// Once, to its end.
  Cost run() const;
  /// Until a run finds nothing that the one before did not.
  void catch_up() const;
  const std::string& config() const { return config_; }

 private:
  const Stage& stage_;
  std::string config_;
};

/// Whether a program is in the PATH.
bool installed(const std::string& program);

}  // namespace tidemark::bench
