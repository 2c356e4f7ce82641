// The configuration: any file is read or refused with places, and what is in force reads back.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/config.h"
#include "fuzz.h"
#include "schedule/cron.h"

using namespace tidemark;
using fuzz::require;

namespace {

/// One file in a directory of its own, so that `include` finds nothing but it.
class Scratch {
 public:
  Scratch() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tidemark-fuzz-XXXXXX").string();
    require(mkdtemp(pattern.data()) != nullptr, "a temporary directory can be made");
    directory_ = pattern;
  }
  ~Scratch() { std::filesystem::remove_all(directory_); }
  std::string write(std::string_view text) const {
    const std::string path = directory_ / "fuzz.yaml";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

 private:
  std::filesystem::path directory_;
};

config::LoadResult load(std::string_view text) {
  static const Scratch scratch;
  config::LoadOptions options{.resolve_secrets = false, .cores = 2};
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    return name.size() % 2 == 0 ? std::optional<std::string>("value-of-the-environment")
                                : std::nullopt;
  };
  options.check_cron = [](const std::string& expression, const std::string& zone) {
    return schedule::validate(expression, zone);
  };
  return config::load(scratch.write(text), options);
}

void check(const std::vector<config::Problem>& problems) {
  for (const config::Problem& problem : problems) {
    require(!problem.message.empty(), "a problem is said");
    require(config::to_string(problem).find('\n') == std::string::npos, "a problem is one line");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // An absolute pattern would read files of this machine.
  if (text.find("include") != std::string_view::npos) return 0;
  const config::LoadResult first = load(text);
  check(first.errors);
  check(first.warnings);
  if (!first.ok()) return 0;
  const std::string shown = config::explain(first.effective);
  static_cast<void>(config::explain(first.effective, {.origin = true, .json = true}));
  if (shown.find("<secret>") != std::string::npos) return 0;
  const config::LoadResult second = load(shown);
  require(second.ok(), "what is in force can be read");
  require(second.settings == first.settings, "and means the same");
  return 0;
}
