#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "unit/config/loading.h"

namespace tidemark::config::test {
namespace {

const std::string directory = std::string(TIDEMARK_SOURCE_DIR) + "/tests/data/bad_config";

std::vector<std::filesystem::path> files() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    if (entry.path().extension() == ".yaml") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("every broken configuration is refused with exactly the expected words",
          "[unit][config]") {
  const LoadOptions options = options_with(
      {{"EMPTY", ""}, {"WORDS", "words"}, {"SHORT", "abc"}, {"SET", "a-long-enough-token"}});
  for (const auto& path : files()) {
    const std::string name = path.stem().string();
    CAPTURE(name);
    const std::string report = report_of(load(path.string(), options), directory);
    CHECK(report == content(path.parent_path() / (name + ".expected")));
  }
}

TEST_CASE("there are at least sixty broken configurations, each with its expectation",
          "[unit][config]") {
  CHECK(files().size() >= 60);
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().extension() != ".expected") continue;
    CAPTURE(entry.path());
    CHECK(std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension(".yaml")));
    CHECK(std::filesystem::file_size(entry.path()) > 0);
  }
}

}  // namespace tidemark::config::test
