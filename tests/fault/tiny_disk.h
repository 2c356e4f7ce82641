#pragma once

#include <optional>
#include <string>

#include "support/process.h"

namespace tidemark::test {

/// A file system of its own, small enough to be filled (tmpfs). Unmounted at the end.
class TinyDisk {
 public:
  /// nullopt, having said why, where the kernel does not let us mount one.
  static std::optional<TinyDisk> make(const std::string& size, const std::string& owner = {});
  TinyDisk(TinyDisk&& other) noexcept;
  TinyDisk& operator=(TinyDisk&&) = delete;
  ~TinyDisk();

  std::string path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Leaves `left` bytes free.
  void fill(std::size_t left = 0) const;
  /// Takes away what `fill` has put there.
  void relieve() const;

 private:
  explicit TinyDisk(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace tidemark::test
