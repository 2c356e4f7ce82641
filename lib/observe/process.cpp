#include "observe/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::observe {
namespace {

/// The fields of /proc/self/stat from the third on (proc(5) counts from 1). The second, the
/// program's name in brackets, may hold blanks and brackets itself.
std::vector<std::string_view> stat_fields(const std::string& line) {
  std::vector<std::string_view> fields;
  std::string_view rest = line;
  const std::size_t bracket = rest.rfind(')');
  if (bracket == std::string_view::npos) return fields;
  rest.remove_prefix(bracket + 1);
  while (!rest.empty()) {
    const std::size_t start = rest.find_first_not_of(" \n");
    if (start == std::string_view::npos) break;
    rest.remove_prefix(start);
    const std::size_t end = std::min(rest.find_first_of(" \n"), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  return fields;
}

std::optional<double> field(const std::vector<std::string_view>& fields, std::size_t number) {
  if (number < 3 || number - 3 >= fields.size()) return std::nullopt;
  const std::string_view text = fields[number - 3];
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void read_stat(ProcessValues& values) {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return;
  const auto fields = stat_fields(line);
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  const auto user = field(fields, 14);
  const auto system = field(fields, 15);
  if (user && system) values.cpu_seconds = (*user + *system) / ticks;
  // Started so many ticks after boot. The time of boot would stand in /proc/stat, which a sandbox
  // hides; two clocks read one after the other give it to well below a tick.
  static const double boot = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
  if (const auto started = field(fields, 22)) values.start_time = boot + *started / ticks;
  values.virtual_bytes = field(fields, 23);
  if (const auto pages = field(fields, 24))
    values.resident_bytes = *pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::optional<double> count_fds() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  if (!directory) return std::nullopt;
  double count = 0;
  while (const dirent* entry = readdir(directory.get()))
    if (entry->d_name[0] != '.') ++count;
  return count - 1;  // the directory's own
}

std::optional<double> limit(__rlimit_resource resource) {
  rlimit found{};
  if (getrlimit(resource, &found) != 0) return std::nullopt;
  return found.rlim_cur == RLIM_INFINITY ? -1 : static_cast<double>(found.rlim_cur);
}

}  // namespace

ProcessValues read_process() noexcept {
  ProcessValues values;
  try {
    read_stat(values);
    values.open_fds = count_fds();
    values.max_fds = limit(RLIMIT_NOFILE);
    values.virtual_max_bytes = limit(RLIMIT_AS);
  } catch (const std::exception&) {
    // Out of memory while describing memory: what was read so far is what there is.
  }
  return values;
}

}  // namespace tidemark::observe
