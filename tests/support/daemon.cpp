#include "support/daemon.h"

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "support/http.h"

namespace tidemark::test {

Daemon::Daemon(const std::string& sections, std::vector<std::string> environment,
               const std::string& state_dir)
    : own_folder_(std::make_unique<TempDir>()),
      files_{.config = *own_folder_ / "tidemark.yaml",
             .socket = *own_folder_ / "socket",
             .log = *own_folder_ / "log"},
      environment_(std::move(environment)) {
  std::ofstream(files_.config) << "version: 1\ndaemon: {listen: none, socket: " << files_.socket
                               << ", state_dir: "
                               << (state_dir.empty() ? own_folder_->path().string() : state_dir)
                               << "}\n"
                               << sections;
}

Daemon::Daemon(Files files, std::vector<std::string> environment)
    : files_(std::move(files)), environment_(std::move(environment)) {}

void Daemon::start(const Life& life) {
  std::vector<std::string> environment = environment_;
  environment.insert(environment.end(), life.environment.begin(), life.environment.end());
  const std::string program = life.program.empty() ? TIDEMARK_BINARY : life.program;
  process_ = ChildProcess({program, "daemon", "-c", files_.config},
                          {.output = files_.log, .environment = environment});
}

void Daemon::wait_ready() {
  wait_until("the daemon at its socket", [&] {
    if (!running()) throw std::runtime_error("the daemon ended:\n" + log());
    return !get("/readyz").empty();
  });
}

int Daemon::stop() {
  process_.signal(SIGTERM);
  return process_.wait();
}

void Daemon::kill() {
  process_.signal(SIGKILL);
  process_.wait();
}

std::string Daemon::get(const std::string& path) const {
  const HttpAnswer answer = http({.socket = files_.socket}, "GET", path);
  return answer.status == 200 ? answer.body : std::string();
}

std::string Daemon::metric(const std::string& series) const {
  const std::string text = get("/metrics");
  const std::size_t at = text.find("\n" + series + " ");
  if (at == std::string::npos) return {};
  const std::size_t start = at + series.size() + 2;
  return text.substr(start, text.find('\n', start) - start);
}

}  // namespace tidemark::test
