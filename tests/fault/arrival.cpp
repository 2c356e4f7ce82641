#include "arrival.h"

#include <stdexcept>

#include "support/process.h"

namespace tidemark::test {

void arrive(Daemon& daemon, const std::function<bool()>& equal, std::chrono::seconds limit) {
  wait_until(
      "both sides to be equal",
      [&] {
        if (!daemon.running()) throw std::runtime_error("the daemon ended");
        if (daemon.log().find(": halted: ") != std::string::npos)
          throw std::runtime_error("the job halted");
        return equal();
      },
      limit);
}

}  // namespace tidemark::test
