#include "unit/config/loading.h"

#include <filesystem>
#include <fstream>

namespace tidemark::config::test {

void Loader::file(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = directory_.path() / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

LoadResult Loader::load(const std::string& text, const LoadOptions& options) const {
  file("tidemark.yaml", text);
  return config::load(directory_ / "tidemark.yaml", options);
}

std::string Loader::report(const std::string& text, const LoadOptions& options) const {
  return report_of(load(text, options), directory());
}

namespace {

std::string indented(const std::string& text, const std::string& indent) {
  std::string lines;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines += indent + text.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return lines;
}

}  // namespace

std::string file_with_job(const JobText& text) {
  return "version: 1\n" + text.top +
         "connections:\n"
         "  shop: {type: sqlite, path: /srv/shop.db}\n"
         "  warehouse: {type: sqlite, path: /srv/warehouse.db}\n"
         "jobs:\n"
         "  customers:\n"
         "    source: {connection: shop, " +
         text.source +
         "}\n"
         "    target: {connection: warehouse, " +
         text.target +
         "}\n"
         "    mode: " +
         text.mode + "\n" + indented(text.cursor, "    ") + indented(text.schedule, "    ") +
         indented(text.extra, "    ");
}

}  // namespace tidemark::config::test
