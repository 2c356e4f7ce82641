#include "integration/trip.h"

#include <cctype>
#include <fstream>

namespace tidemark::test {

Trip::Trip(const Database& source, const Database& target, const std::string& from,
           const std::string& to, const std::string& settings) {
  for (const char c : from + "-" + to)
    name_ += c == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::ofstream(dir_ / "tidemark.yaml")
      << "version: 1\n"
      << "daemon: {listen: none, socket: " << dir_ / "socket"
      << ", state_dir: " << dir_.path().string() << ", instance: " << name_ << "}\n"
      << "connections:\n"
      << "  from: " << source.connection_yaml() << "\n"
      << "  to: " << target.connection_yaml() << "\n"
      << "jobs:\n"
      << "  " << name_ << ":\n"
      << "    source: {connection: from, table: " << source.table(from) << "}\n"
      << "    target: {connection: to, table: " << target.table(to) << "}\n"
      << "    schedule: {manual: true}\n"
      << settings;
}

ChildProcess Trip::start(const std::vector<std::string>& verb) const {
  std::vector<std::string> command{TIDEMARK_BINARY};
  command.insert(command.end(), verb.begin(), verb.end());
  command.insert(command.end(), {name_, "-c", dir_ / "tidemark.yaml"});
  return {command, {.output = dir_ / "output", .environment = {"PAIR_PASSWORD=tidemark"}}};
}

Trip::Result Trip::call(const std::vector<std::string>& verb, std::chrono::minutes limit) const {
  const int status = start(verb).wait(limit);
  return {status, output()};
}

}  // namespace tidemark::test
