#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>

#include "site.h"

using namespace tidemark;
using namespace tidemark::e2e;
namespace fs = std::filesystem;

namespace {

/// The paths that the table of docs/operations.md names; a folder ends with a slash.
std::set<std::string> documented_paths() {
  std::istringstream page(read_file(std::string(TIDEMARK_SOURCE_DIR) + "/docs/operations.md"));
  const std::regex row(R"(\| [^|]+ \| `(/usr/[^`]+)` \|)");
  std::set<std::string> paths;
  for (std::string line; std::getline(page, line);)
    if (std::smatch match; std::regex_match(line, match, row)) paths.insert(match[1]);
  return paths;
}

/// What a line of the unit says behind `key`.
std::string setting_of(const std::string& unit, const std::string& key) {
  std::istringstream lines(unit);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return {};
}

}  // namespace

TEST_CASE("an installation holds what operations.md says, where it says so, and runs",
          "[e2e][install]") {
  const test::TempDir root;
  const fs::path build = fs::path(TIDEMARK_BINARY).parent_path();
  const CommandResult installed =
      run({"cmake", "--install", build.string(), "--prefix", root / "usr"});
  INFO(installed.out << installed.err);
  REQUIRE(installed.status == 0);

  const std::set<std::string> documented = documented_paths();
  CHECK(documented.size() >= 8);
  for (const std::string& path : documented) {
    INFO(path);
    const fs::path place(root.path().string() + path);
    CHECK((path.ends_with('/') ? fs::is_directory(place) && !fs::is_empty(place)
                               : fs::is_regular_file(place)));
  }
  for (const auto& entry : fs::recursive_directory_iterator(root.path())) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + fs::relative(entry.path(), root.path()).string();
    INFO(path << " is installed and not documented");
    CHECK(std::any_of(documented.begin(), documented.end(), [&](const std::string& known) {
      return path == known || (known.ends_with('/') && path.starts_with(known));
    }));
  }

  const std::string program = root / "usr/bin/tidemark";
  CHECK(run({program, "version"}).status == 0);
  CHECK(run({program, "check", "-c", root / "usr/share/tidemark/examples/tidemark.yaml"}).status ==
        0);
  const std::string unit = read_file(root / "usr/lib/systemd/system/tidemark.service");
  const std::string start = setting_of(unit, "ExecStart=");
  CHECK(start.starts_with("/usr/bin/tidemark daemon"));
  const std::string page = setting_of(unit, "Documentation=file://");
  CHECK(fs::is_regular_file(root.path().string() + page));
  const std::string user = setting_of(unit, "User=");
  CHECK(read_file(root / "usr/lib/sysusers.d/tidemark.conf").find("u " + user + " ") !=
        std::string::npos);
}
