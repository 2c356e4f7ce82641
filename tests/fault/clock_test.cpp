// The machine's clock jumps while the daemon runs: an hour either way, and a second, which is what
// a leap second is to a program.
#include <catch2/catch.hpp>

#include "report.h"
#include "scene.h"
#include "support/fake_clock.h"

using namespace tidemark::test;
using namespace std::chrono_literals;

TEST_CASE("a clock that jumps a second or an hour either way neither stops a job nor makes it lie",
          "[fault][clock]") {
  FakeClock clock;
  const auto source = postgres_place(shared_postgres());
  const auto target = mariadb_place(shared_mariadb());
  source->make("jumps", 100);
  Scene scene(*source, *target, "jumps", {.append = true, .environment = clock.environment()});
  scene.daemon().start();
  scene.arrive();
  for (const std::chrono::seconds ahead : {1s, 0s, 3600s, 0s, -3600s, 0s}) {
    clock.set(ahead);
    INFO("clock ahead by " << ahead.count() << " s\n" << scene.daemon().log());
    // Twice: also what was scheduled before the jump comes about.
    for (const char* word : {"first", "second"}) {
      source->add("jumps", 10, word);
      scene.arrive(60s);
    }
    wait_until("the job to be in time", [&] {
      const double lag = scene.metric("tidemark_job_lag_seconds");
      return scene.metric("tidemark_job_stale") == 0 && lag >= 0 && lag < 60;
    });
  }
  CHECK(scene.daemon().stop() == 0);
  CHECK(scene.equal());
  source->drop("jumps");
  target->drop("jumps");
  report("resources",
         {"the daemon's clock jumps a second or an hour either way", "in time, lag as it is"});
}
