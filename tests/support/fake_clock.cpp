#include "support/fake_clock.h"

#include <fstream>
#include <stdexcept>

namespace tidemark::test {
namespace {

/// Debian keeps it in a folder per architecture.
std::string library() {
  for (const auto& folder : std::filesystem::directory_iterator("/usr/lib")) {
    const auto file = folder.path() / "faketime" / "libfaketimeMT.so.1";
    if (std::filesystem::exists(file)) return file;
  }
  throw std::runtime_error("no libfaketime: run scripts/setup");
}

}  // namespace

FakeClock::FakeClock() {
  // A server runs as another user than we do.
  using std::filesystem::perms;
  std::filesystem::permissions(dir_.path(), perms::others_read | perms::others_exec,
                               std::filesystem::perm_options::add);
  set({});
}

std::vector<std::string> FakeClock::environment() const {
  return {"LD_PRELOAD=" + library(), "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
          "FAKETIME_TIMESTAMP_FILE=" + (dir_ / "offset")};
}

void FakeClock::set(std::chrono::seconds ahead) {
  // A rename is seen whole; the library reads the file anew each time it is asked.
  const std::string offset = dir_ / "offset";
  std::ofstream(offset + ".new") << (ahead.count() < 0 ? "" : "+") << ahead.count() << "\n";
  std::filesystem::rename(offset + ".new", offset);
}

}  // namespace tidemark::test
