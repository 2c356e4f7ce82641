#include "report.h"

#include <cstdlib>
#include <fstream>
#include <mutex>

namespace tidemark::test {

void report(const std::string& table, const std::vector<std::string>& cells) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const char* path = std::getenv("TIDEMARK_REPORT");
  if (path == nullptr) return;
  std::ofstream file(path, std::ios::app);
  file << table << "\t|";
  for (const std::string& cell : cells)
    file << " " << cell << " |";
  file << "\n";
}

}  // namespace tidemark::test
