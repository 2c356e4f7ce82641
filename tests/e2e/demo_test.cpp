#include <catch2/catch.hpp>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;

TEST_CASE("the demo proves that both sides are equal", "[e2e][demo]") {
  const CommandResult demo = run({TIDEMARK_BINARY, "demo", "--seconds", "3"});
  INFO(demo.out << demo.err);
  CHECK(demo.status == 0);
  CHECK(demo.out.find("Proved: 20") != std::string::npos);
  CHECK(demo.out.find("NOT EQUAL") == std::string::npos);
}
