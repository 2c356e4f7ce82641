#pragma once

#include <optional>

namespace tidemark::observe {

/// What Linux says of this process; a value that can't be read is absent.
struct ProcessValues {
  std::optional<double> cpu_seconds = {};
  std::optional<double> open_fds = {};
  std::optional<double> max_fds = {};
  std::optional<double> virtual_bytes = {};
  std::optional<double> virtual_max_bytes = {};  ///< -1: no limit
  std::optional<double> resident_bytes = {};
  std::optional<double> start_time = {};  ///< seconds since 1970
};

/// Reads /proc/self only, so it works under systemd's ProcSubset=pid. Any thread; never throws.
ProcessValues read_process() noexcept;

}  // namespace tidemark::observe
