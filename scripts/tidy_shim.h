// For clang-tidy alone: clang 14 can't compile libstdc++ 12's <source_location>.
#pragma once
#include <version>
#ifndef __cpp_lib_source_location
namespace std {
struct source_location {
  static constexpr source_location current() noexcept { return {}; }
  constexpr unsigned line() const noexcept { return 0; }
  constexpr unsigned column() const noexcept { return 0; }
  constexpr const char* file_name() const noexcept { return ""; }
  constexpr const char* function_name() const noexcept { return ""; }
};
}  // namespace std
#endif
