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
class DirectoryLock {
 public:
  /// Throws Error{conflict, "locked"} that names the holder.
  explicit DirectoryLock(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace tidemark::state
