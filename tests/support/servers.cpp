#include "support/servers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace tidemark::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr const char* postgres_bin = "/usr/lib/postgresql/15/bin/";

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

[[noreturn]] void become(const std::vector<std::string>& command,
                         const ChildProcess::Options& options, pid_t parent) {
  // Die with the test program, even when it is killed.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  if (!options.output.empty()) {
    const int file = open(options.output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(file, 1);
    dup2(file, 2);
  }
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  if (!options.user.empty() && getuid() == 0) {
    const passwd* user = getpwnam(options.user.c_str());
    if (user == nullptr || initgroups(user->pw_name, user->pw_gid) != 0 ||
        setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
      _exit(127);
    // Changing the user clears the death signal.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
  }
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0) _exit(127);
  for (const std::string& entry : options.environment)
    putenv(strdup(entry.c_str()));
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

void give_to(const std::string& path, const std::string& name) {
  if (getuid() != 0) return;
  if (const passwd* user = getpwnam(name.c_str());
      user == nullptr || chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("no system user " + name + ": run scripts/setup");
}

}  // namespace

TempDir::TempDir() {
  std::string pattern = (fs::temp_directory_path() / "tidemark-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  path_ = pattern;
  fs::permissions(path_, fs::perms::all);
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

ChildProcess::ChildProcess(const std::vector<std::string>& command, const Options& options) {
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) become(command, options, parent);
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0 || !running()) return;
  signal(SIGKILL);
  waitpid(pid_, &status_, 0);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

bool ChildProcess::running() {
  if (pid_ <= 0) return false;
  if (waitpid(pid_, &status_, WNOHANG) == 0) return true;
  pid_ = -1;
  return false;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

int ChildProcess::wait(milliseconds limit) {
  wait_until(
      "the end of a child process", [&] { return !running(); }, limit);
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

std::string run_command(const std::vector<std::string>& command, const std::string& user,
                        const std::string& directory) {
  TempDir dir;
  const std::string output = dir / "output";
  ChildProcess process(command, {.user = user, .output = output, .directory = directory});
  const int status = process.wait(std::chrono::minutes(5));
  const std::string text = read_file(output);
  if (status != 0)
    throw std::runtime_error(command.front() + " exited " + std::to_string(status) + ": " + text);
  return text;
}

std::uint16_t free_port() {
  const int handle = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = bind(handle, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(handle, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(handle);
  if (!bound) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

void wait_until(const std::string& what, const std::function<bool()>& condition,
                milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error("waited " + std::to_string(limit.count()) + " ms for " + what);
    std::this_thread::sleep_for(milliseconds(5));
  }
}

// --- PostgreSQL

PostgresServer::PostgresServer(std::vector<std::string> configuration)
    : configuration_(std::move(configuration)) {
  const std::string data = data_directory();
  fs::create_directory(data);
  give_to(data, "postgres");
  give_to(dir_.path(), "postgres");
  std::ofstream(dir_ / "password") << "tidemark\n";
  run_command({std::string(postgres_bin) + "initdb", "-D", data, "-U", "tidemark",
               "--auth-host=scram-sha-256", "--auth-local=trust", "--pwfile=" + (dir_ / "password"),
               "--locale=C.UTF-8", "-E", "UTF8", "-N", "--no-instructions"},
              "postgres", dir_.path().string());
}

PostgresServer::~PostgresServer() {
  stop();
}

void PostgresServer::start() {
  std::vector<std::string> command{std::string(postgres_bin) + "postgres",
                                   "-D",
                                   data_directory(),
                                   "-p",
                                   std::to_string(port_),
                                   "-k",
                                   socket_directory(),
                                   "-h",
                                   "127.0.0.1"};
  for (const std::string& line : configuration_) {
    command.emplace_back("-c");
    command.push_back(line);
  }
  process_ = ChildProcess(command, {.user = "postgres", .output = dir_ / "log"});
  wait_until(
      "PostgreSQL to start",
      [&] {
        if (!process_.running())
          throw std::runtime_error("PostgreSQL ended at start: " + read_file(dir_ / "log"));
        ChildProcess probe({std::string(postgres_bin) + "pg_isready", "-q", "-h",
                            socket_directory(), "-p", std::to_string(port_)},
                           {});
        return probe.wait() == 0;
      },
      std::chrono::seconds(60));
  if (created_) return;
  run_command({std::string(postgres_bin) + "createdb", "-h", socket_directory(), "-p",
               std::to_string(port_), "-U", "tidemark", "test"});
  created_ = true;
}

void PostgresServer::stop() {
  if (!process_.running()) return;
  process_.signal(SIGINT);
  process_.wait();
}

void PostgresServer::crash() {
  // SIGQUIT: every backend goes at once and nothing is flushed, as in a power cut of the process.
  process_.signal(SIGQUIT);
  process_.wait();
}

ConnectionSettings PostgresServer::settings() const {
  ConnectionSettings settings;
  settings.name = ConnectionName("postgres");
  settings.type = "postgres";
  settings.host = "127.0.0.1";
  settings.port = port_;
  settings.user = "tidemark";
  settings.password = Secret("tidemark");
  settings.database = "test";
  settings.tls.mode = TlsMode::disable;
  return settings;
}

std::string PostgresServer::sql(const std::string& statements) {
  return run_command({std::string(postgres_bin) + "psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v",
                      "ON_ERROR_STOP=1", "-h", socket_directory(), "-p", std::to_string(port_),
                      "-U", "tidemark", "-d", "test", "-c", statements});
}

// --- MariaDB

MariaDbServer::MariaDbServer(std::vector<std::string> options) : options_(std::move(options)) {
  const std::string data = dir_ / "data";
  fs::create_directory(data);
  give_to(data, "mysql");
  give_to(dir_.path(), "mysql");
  run_command(
      {"mariadb-install-db", "--no-defaults", "--datadir=" + data, "--user=mysql",
       "--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-log-file-size=64M"},
      "mysql", dir_.path().string());
}

MariaDbServer::~MariaDbServer() {
  stop();
}

void MariaDbServer::start() {
  std::vector<std::string> command{"mariadbd",
                                   "--no-defaults",
                                   "--datadir=" + (dir_ / "data"),
                                   "--socket=" + socket(),
                                   "--port=" + std::to_string(port_),
                                   "--bind-address=127.0.0.1",
                                   "--pid-file=" + (dir_ / "mysqld.pid"),
                                   "--innodb-flush-log-at-trx-commit=2",
                                   "--innodb-buffer-pool-size=128M",
                                   "--innodb-log-file-size=64M",
                                   "--character-set-server=utf8mb4",
                                   "--skip-name-resolve"};
  command.insert(command.end(), options_.begin(), options_.end());
  process_ = ChildProcess(command, {.user = "mysql", .output = dir_ / "log"});
  wait_until(
      "MariaDB to start",
      [&] {
        if (!process_.running())
          throw std::runtime_error("MariaDB ended at start: " + read_file(dir_ / "log"));
        ChildProcess probe({"mariadb-admin", "--no-defaults", "--socket=" + socket(), "-uroot",
                            "--silent", "ping"},
                           {.output = "/dev/null"});
        return probe.wait() == 0;
      },
      std::chrono::seconds(60));
  if (created_) return;
  run_command({"mariadb", "--no-defaults", "--socket=" + socket(), "-uroot", "-e",
               "CREATE DATABASE test CHARACTER SET utf8mb4; "
               "CREATE USER tidemark@'127.0.0.1' IDENTIFIED BY 'tidemark'; "
               "GRANT ALL ON *.* TO tidemark@'127.0.0.1' WITH GRANT OPTION;"});
  created_ = true;
}

void MariaDbServer::stop() {
  if (!process_.running()) return;
  process_.signal(SIGTERM);
  process_.wait();
}

void MariaDbServer::crash() {
  process_.signal(SIGKILL);
  process_.wait();
}

ConnectionSettings MariaDbServer::settings() const {
  ConnectionSettings settings;
  settings.name = ConnectionName("mariadb");
  settings.type = "mysql";
  settings.host = "127.0.0.1";
  settings.port = port_;
  settings.user = "tidemark";
  settings.password = Secret("tidemark");
  settings.database = "test";
  settings.tls.mode = TlsMode::disable;
  return settings;
}

std::string MariaDbServer::sql(const std::string& statements) {
  return run_command({"mariadb", "--no-defaults", "--socket=" + socket(), "-uroot", "-N", "-B",
                      "--default-character-set=utf8mb4", "test", "-e", statements});
}

PostgresServer& shared_postgres() {
  static PostgresServer server({"fsync=off", "max_prepared_transactions=10"});
  static const bool started = [] {
    server.start();
    return true;
  }();
  (void)started;
  return server;
}

MariaDbServer& shared_mariadb() {
  static MariaDbServer server;
  static const bool started = [] {
    server.start();
    return true;
  }();
  (void)started;
  return server;
}

}  // namespace tidemark::test
