#include "scene.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "arrival.h"

namespace tidemark::test {
namespace {

std::string sections(const Place& source, const Place& target, const std::string& name,
                     const Scene::Setting& setting) {
  return fmt::format(
      "connections:\n  source: {}\n  target: {}\n"
      "defaults:\n  schedule: {{every: 200ms}}\n  retry: {{initial: 100ms, max: 500ms}}\n"
      "  freshness: {{warn: 1s, error: 2s}}\n{}"
      "jobs:\n  {}:\n    source: {{connection: source, table: {}}}\n"
      "    target: {{connection: target, table: {}{}}}\n    mode: incremental\n    cursor: {}\n",
      source.connection(), target.connection(), setting.more, name, source.table(name),
      target.table(name), setting.append ? ", write: append" : "",
      setting.append ? "{column: id}"
                     : "{column: changed, assume: [server_assigned, every_write_moves_it, "
                       "single_timezone]}");
}

std::vector<std::string> with_password(std::vector<std::string> environment) {
  environment.emplace_back(password_in_environment);
  return environment;
}

}  // namespace

Scene::Scene(const Place& source, const Place& target, const std::string& name,
             const Setting& setting)
    : source_(source),
      target_(target),
      name_(name),
      daemon_(sections(source, target, name, setting), with_password(setting.environment),
              setting.state_dir) {}

void Scene::arrive(std::chrono::seconds limit) {
  try {
    tidemark::test::arrive(
        daemon_, [this] { return equal(); }, limit);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(std::string(error.what()) + "\n" + job() + "\n" + daemon_.log());
  }
}

bool Scene::is(const std::string& state) const {
  return job().find("\"state\": \"" + state + "\"") != std::string::npos;
}

double Scene::metric(const std::string& series, const std::string& labels) const {
  const std::string text =
      daemon_.metric(fmt::format("{}{{name=\"{}\"{}}}", series, name_, labels));
  return text.empty() ? -1 : std::stod(text);
}

std::string program_after(const TempDir& folder, const std::string& commands) {
  const std::string path = folder / "program";
  std::ofstream(path) << "#!/bin/sh\nset -e\n" << commands << "\nexec " TIDEMARK_BINARY " \"$@\"\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

std::size_t status_of(pid_t pid, const std::string& name) {
  std::ifstream file(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1));
  throw std::runtime_error("no " + name + " of process " + std::to_string(pid));
}

std::size_t memory_of(pid_t pid, const std::string& name) {
  return status_of(pid, name) * 1024;
}

std::chrono::duration<double> processor_time_of(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  // Behind the name, which may hold anything: eleven fields, then user and system time.
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int field = 0; field < 11; ++field)
    fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return std::chrono::duration<double>((user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)));
}

std::size_t descriptors_of(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid)))
    ++count;
  return count;
}

}  // namespace tidemark::test
