#include "state/directory.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "core/error.h"

namespace tidemark::state {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::string_view what, const std::string& path, int error_number) {
  Error::Fields fields{
      .kind = error_number == EACCES || error_number == EPERM || error_number == EROFS
                  ? FailureKind::permission
                  : FailureKind::resource,
      .message = fmt::format("can't {} {}: {}", what, path,
                             std::generic_category().message(error_number))};
  fields.operation = "open state store";
  fields.hint = "Set daemon.state_dir to a directory that the daemon's user may write to.";
  throw Error(std::move(fields));
}

std::string holder_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size() - 1, 0);
  std::string holder = size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : "";
  while (!holder.empty() && holder.back() == '\n')
    holder.pop_back();
  return holder.empty() ? "another process" : "process " + holder;
}

}  // namespace

void make_directory(const std::string& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return;
  const fs::path parent = fs::path(directory).parent_path();
  if (!parent.empty()) fs::create_directories(parent, error);
  if (error) fail("make", parent.string(), error.value());
  if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fail("make", directory, errno);
}

void make_private_file(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) fail("open", path, errno);
  close(descriptor);
}

std::string move_aside(const std::string& path) {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string stem = fmt::format("{}.damaged-{:%Y%m%dT%H%M%SZ}", path, fmt::gmtime(now));
  std::string aside = stem;
  for (int number = 2; fs::exists(aside); ++number)
    aside = fmt::format("{}.{}", stem, number);
  if (std::rename(path.c_str(), aside.c_str()) != 0) fail("move aside", path, errno);
  // A write-ahead log left behind would be taken for the new file's.
  for (const char* side : {"-wal", "-shm"})
    if (std::rename((path + side).c_str(), (aside + side).c_str()) != 0 && errno != ENOENT)
      fail("move aside", path + side, errno);
  return aside;
}

DirectoryLock::DirectoryLock(const std::string& directory) {
  const std::string path = directory + "/state.lock";
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) fail("open", path, errno);
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
    const std::string pid = std::to_string(getpid()) + "\n";
    // The pid is for people only: where it can't be written the lock still holds.
    const bool written =
        ftruncate(descriptor_, 0) == 0 && pwrite(descriptor_, pid.data(), pid.size(), 0) >= 0;
    static_cast<void>(written);
    return;
  }
  const int error_number = errno;
  const std::string holder = holder_of(descriptor_);
  close(descriptor_);
  if (error_number != EWOULDBLOCK) fail("lock", path, error_number);
  Error::Fields fields{.kind = FailureKind::conflict,
                       .message = fmt::format("{} is in use by {}", directory, holder),
                       .code = "locked"};
  fields.operation = "open state store";
  fields.hint = "Stop the other daemon, or give this one a daemon.state_dir of its own.";
  throw Error(std::move(fields));
}

std::string DirectoryLock::identity() const {
  struct stat file {};
  if (fstat(descriptor_, &file) != 0) fail("look at the lock in", "the state directory", errno);
  return fmt::format("{:x}-{:x}", file.st_dev, file.st_ino);
}

DirectoryLock::~DirectoryLock() {
  close(descriptor_);
}

}  // namespace tidemark::state
