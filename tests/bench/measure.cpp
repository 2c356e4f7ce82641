#include "bench/measure.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <stdexcept>

#include "support/process.h"

namespace tidemark::bench {
namespace {

namespace fs = std::filesystem;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

/// The fields of /proc/PID/stat from the third on; a command's name may hold blanks.
std::vector<std::string> stat_of(const std::string& pid) {
  const std::string text = test::read_file("/proc/" + pid + "/stat");
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream words(text.substr(end + 1));
  return {std::istream_iterator<std::string>(words), {}};
}

struct ProcessTimes {
  pid_t parent;
  double own;     ///< seconds
  double waited;  ///< of children that it waited for
};

}  // namespace

Cost measure(const Command& command) {
  const test::TempDir dir;
  Cost cost;
  const auto start = std::chrono::steady_clock::now();
  test::ChildProcess process(command.words, {.output = dir / "output",
                                             .environment = command.environment,
                                             .directory = command.directory});
  const int status = process.wait(command.limit);
  cost.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const rusage& usage = process.usage();
  cost.client_cpu = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  cost.peak_rss = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  cost.output = test::read_file(dir / "output");
  if (status != 0)
    throw std::runtime_error(command.words.front() + " exited " + std::to_string(status) + ":\n" +
                             cost.output);
  return cost;
}

double cpu_of_tree(pid_t root) {
  static const double tick = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::map<pid_t, ProcessTimes> all;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    const auto fields = stat_of(name);
    if (fields.size() < 15) continue;
    all[pid] = {.parent = std::stoi(fields[1]),
                .own = (std::stod(fields[11]) + std::stod(fields[12])) * tick,
                .waited = (std::stod(fields[13]) + std::stod(fields[14])) * tick};
  }
  double sum = 0;
  for (const auto& [pid, times] : all) {
    pid_t above = pid;
    while (above != root && all.contains(above))
      above = all.at(above).parent;
    if (above == root) sum += times.own + times.waited;
  }
  return sum;
}

std::uint64_t rss_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  file >> pages >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string tidemark_program() {
  return TIDEMARK_BINARY;
}

std::string limits_program() {
  return fs::path(TIDEMARK_BINARY).replace_filename("tidemark_limits");
}

std::string limits_script(const std::string& name) {
  return std::string(TIDEMARK_SOURCE_DIR) + "/tests/bench/limits/" + name;
}

}  // namespace tidemark::bench
