#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "support/process.h"

using namespace tidemark::test;

// For its own sake, not for the times: the benchmarks must still run when somebody needs them, and
// compare what really arrived.
TEST_CASE("every benchmark runs and moves the same rows in each of its ways", "[bench]") {
  const TempDir dir;
  const std::string program =
      std::filesystem::path(TIDEMARK_BINARY).replace_filename("tidemark_bench").string();
  ChildProcess process({"sh", "-c", R"("$1" --smoke --no-peers --json --write "$2" >"$3" 2>"$4")",
                        "sh", program, dir / "report.md", dir / "out", dir / "err"},
                       {.environment = {"TMPDIR=" + dir.path().string()}});
  const int status = process.wait(std::chrono::minutes(15));
  INFO(read_file(dir / "err"));
  REQUIRE(status == 0);

  const auto report = nlohmann::json::parse(read_file(dir / "out"));
  const std::string markdown = read_file(dir / "report.md");
  CHECK(report["routes"].size() == 9);
  for (const auto& route : report["routes"]) {
    CAPTURE(route.dump());
    CHECK(route["equal"] == true);
    CHECK(route["cases"].size() == 2);
    for (const auto& one : route["cases"]) {
      CHECK(one["seconds"].size() == 1);
      CHECK(one["rows_per_second"] > 0);
    }
    CHECK(route["ratio_to_limit"] > 0);
    CHECK(markdown.find("| " + route["name"].get<std::string>() + " | tidemark |") !=
          std::string::npos);
  }
  // Two databases, two shapes of table, two budgets; and what many jobs cost.
  CHECK(report["figures"].size() == 8 + 5);
  for (const auto& figure : report["figures"])
    CHECK(figure["value"] >= 0);
}
