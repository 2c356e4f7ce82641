#pragma once

#include <string>
#include <vector>

namespace tidemark::state {

/// Makes the directory with its parents, for its owner only, unless it is there. Throws Error.
void make_directory(const std::string& directory);

/// An empty file that only its owner may read: SQLite gives its side files the same mode. Does
/// nothing to a file that is there. Throws Error.
void make_private_file(const std::string& path);

/// Renames a database with its side files out of the way; returns the new name. Throws Error.
std::string move_aside(const std::string& path);

/// One process per state directory: an advisory lock on `state.lock` that ends with the process.
/// Files opened later are not inherited by child processes, so nobody else keeps it alive.
class DirectoryLock {
 public:
  /// Throws Error{conflict, "locked"} that names the holder.
  explicit DirectoryLock(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// Device and inode of the locked file itself: on this machine no two processes that live at the
  /// same time have one, not even when the file is deleted or the directory copied in between.
  std::string identity() const;

 private:
  int descriptor_ = -1;
};

}  // namespace tidemark::state
