#include "tiny_disk.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace tidemark::test {

std::optional<TinyDisk> TinyDisk::make(const std::string& size, const std::string& owner) {
  std::string pattern = (std::filesystem::temp_directory_path() / "tidemark-disk-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  const std::string options = "mode=0777,size=" + size;
  if (::mount("tidemark-test", pattern.c_str(), "tmpfs", 0, options.c_str()) != 0) {
    WARN("skipped: no tmpfs can be mounted here (" << std::strerror(errno) << ")");
    ::rmdir(pattern.c_str());
    return std::nullopt;
  }
  if (!owner.empty()) {
    const passwd* user = getpwnam(owner.c_str());
    if (user == nullptr || chown(pattern.c_str(), user->pw_uid, user->pw_gid) != 0)
      throw std::runtime_error("no system user " + owner);
  }
  return TinyDisk(pattern);
}

TinyDisk::TinyDisk(TinyDisk&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TinyDisk::~TinyDisk() {
  if (path_.empty()) return;
  ::umount2(path_.c_str(), MNT_DETACH);
  ::rmdir(path_.c_str());
}

void TinyDisk::fill(std::size_t left) const {
  struct statvfs disk {};
  if (::statvfs(path_.c_str(), &disk) != 0) throw std::runtime_error("no such disk");
  const std::size_t free = disk.f_bavail * disk.f_bsize;
  if (free <= left) return;
  const int file = ::open((path_ + "/ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const off_t at = ::lseek(file, 0, SEEK_END);
  const int result = ::posix_fallocate(file, at, static_cast<off_t>(free - left));
  ::close(file);
  if (result != 0) throw std::runtime_error("the disk can't be filled");
}

void TinyDisk::relieve() const {
  std::filesystem::remove(path_ + "/ballast");
}

}  // namespace tidemark::test
