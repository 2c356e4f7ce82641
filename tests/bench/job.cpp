#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "bench/route.h"

namespace tidemark::bench {
namespace {

/// What the catalogue of a source can't show of its cursor.
std::string assumptions(Vendor vendor) {
  return vendor == Vendor::sqlite
             ? ", assume: [server_assigned, single_timezone, every_write_moves_it]"
             : "";
}

Job::Options with_index(const Place& target) {
  const std::string table = target.table("orders");
  return {.lines = "    hooks: {after: [CREATE INDEX orders_updated_at ON " + table +
                   " (updated_at)], when: initial, timeout: 1h}\n"};
}

}  // namespace

Job::Job(Stage& stage, const std::string& name, const Place& source, const Place& target)
    : Job(stage, name, source, target, with_index(target)) {}

Job::Job(Stage& stage, const std::string& name, const Place& source, const Place& target,
         const Options& options)
    : stage_(stage) {
  const std::string folder = stage.path(name);
  std::filesystem::create_directories(folder);
  config_ = folder + "/tidemark.yaml";
  std::ofstream(config_) << fmt::format(
      "version: 1\n"
      "daemon: {{listen: none, socket: {0}/socket, state_dir: {0}/state, instance: bench{1}}}\n"
      "connections:\n"
      "  from: {2}\n"
      "  to: {3}\n"
      "jobs:\n"
      "  orders:\n"
      "    source: {{connection: from, table: {4}}}\n"
      "    target: {{connection: to, table: {5}}}\n"
      "    mode: incremental\n"
      "    cursor: {{column: updated_at{6}}}\n"
      "    schedule: {{manual: true}}\n"
      "{7}",
      folder, options.daemon, source.yaml(), target.yaml(), source.table(options.table),
      target.table(options.table), assumptions(source.vendor()), options.lines);
}

Cost Job::run() const {
  return measure({.words = {stage_.program(), "run", "orders", "--json", "-c", config_},
                  .environment = {"TIDEMARK_BENCH_PASSWORD=tidemark"}});
}

void Job::catch_up() const {
  constexpr int most = 20;
  std::uint64_t before = 0;
  for (int at = 0; at < most; ++at) {
    const std::string output = run().output;
    const std::size_t rows = output.find("\"rows_read\":");
    if (rows == std::string::npos) throw std::runtime_error("tidemark says nothing: " + output);
    const std::uint64_t read =
        std::strtoull(output.c_str() + rows + sizeof("\"rows_read\":") - 1, nullptr, 10);
    // SQLite's rows of the newest cursor value are looked at in each run.
    if (read == 0 || read == before) return;
    before = read;
  }
  throw std::runtime_error("the job still reads rows after " + std::to_string(most) + " runs");
}

bool installed(const std::string& program) {
  std::istringstream folders(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace tidemark::bench
