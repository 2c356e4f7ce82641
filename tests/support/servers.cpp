#include "support/servers.h"

#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace tidemark::test {
namespace {

constexpr const char* postgres_bin = "/usr/lib/postgresql/15/bin/";

void give_to(const std::string& path, const std::string& name) {
  if (getuid() != 0) return;
  if (const passwd* user = getpwnam(name.c_str());
      user == nullptr || chown(path.c_str(), user->pw_uid, user->pw_gid) != 0)
    throw std::runtime_error("no system user " + name + ": run scripts/setup");
}

std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

Server::Server(Vendor vendor) : vendor_(std::move(vendor)) {
  std::filesystem::create_directory(data_directory());
  give_to(data_directory(), vendor_.system_user);
  give_to(dir_.path(), vendor_.system_user);
}

Server::~Server() {
  stop();
}

void Server::start() {
  process_ = ChildProcess(
      command(),
      {.user = vendor_.system_user, .output = dir_ / "log", .environment = environment_});
  wait_until(
      vendor_.name + " to start",
      [&] {
        if (!process_.running())
          throw std::runtime_error(vendor_.name + " ended at start: " + read_file(dir_ / "log"));
        return answers();
      },
      std::chrono::seconds(60));
  if (!std::exchange(created_, true)) create_database();
}

void Server::stop() {
  if (!process_.running()) return;
  process_.signal(vendor_.stop_signal);
  process_.wait();
}

void Server::crash() {
  process_.signal(vendor_.crash_signal);
  process_.wait();
}

ConnectionSettings Server::settings() const {
  ConnectionSettings settings;
  settings.name = ConnectionName(vendor_.type);
  settings.type = vendor_.type;
  settings.host = "127.0.0.1";
  settings.port = port_;
  settings.user = "tidemark";
  settings.password = Secret("tidemark");
  settings.database = "test";
  settings.tls.mode = TlsMode::disable;
  return settings;
}

std::string Server::sql(const std::string& statements) {
  return run_command(client(statements));
}

// --- PostgreSQL

// SIGQUIT as the crash: every backend goes at once and nothing is flushed.
PostgresServer::PostgresServer(std::vector<std::string> configuration)
    : Server(vendor()), configuration_(std::move(configuration)) {
  std::ofstream(dir_ / "password") << "tidemark\n";
  run_command({std::string(postgres_bin) + "initdb", "-D", data_directory(), "-U", "tidemark",
               "--auth-host=scram-sha-256", "--auth-local=trust", "--pwfile=" + (dir_ / "password"),
               "--locale=C.UTF-8", "-E", "UTF8", "-N", "--no-instructions"},
              "postgres", dir_.path().string());
}

PostgresServer::PostgresServer(StandbyOf of, std::vector<std::string> configuration)
    : Server(vendor()), configuration_(std::move(configuration)), has_database_(true) {
  std::filesystem::permissions(data_directory(), std::filesystem::perms::owner_all);
  run_command(
      joined(of.primary.tool("pg_basebackup"), {"-D", data_directory(), "-R", "-c", "fast"}),
      "postgres", dir_.path().string());
}

Server::Vendor PostgresServer::vendor() {
  return {.name = "PostgreSQL",
          .type = "postgres",
          .system_user = "postgres",
          .stop_signal = SIGINT,
          .crash_signal = SIGQUIT};
}

std::vector<std::string> PostgresServer::command() const {
  std::vector<std::string> words{std::string(postgres_bin) + "postgres",
                                 "-D",
                                 data_directory(),
                                 "-p",
                                 std::to_string(port_),
                                 "-k",
                                 socket_directory(),
                                 "-h",
                                 "127.0.0.1"};
  for (const std::string& line : configuration_) {
    words.emplace_back("-c");
    words.push_back(line);
  }
  return words;
}

std::vector<std::string> PostgresServer::tool(const std::string& name) const {
  return {postgres_bin + name,   "-h", socket_directory(), "-p",
          std::to_string(port_), "-U", "tidemark"};
}

std::vector<std::string> PostgresServer::client(const std::string& statements) const {
  return joined(tool("psql"), {"-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-d",
                               "test", "-c", statements});
}

bool PostgresServer::answers() const {
  return ChildProcess(tool("pg_isready"), {.output = "/dev/null"}).wait() == 0;
}

void PostgresServer::create_database() {
  if (!has_database_) run_command(joined(tool("createdb"), {"test"}));
}

// --- MariaDB

MariaDbServer::MariaDbServer(std::vector<std::string> options)
    : Server({.name = "MariaDB",
              .type = "mysql",
              .system_user = "mysql",
              .stop_signal = SIGTERM,
              .crash_signal = SIGKILL}),
      options_(std::move(options)) {
  run_command(
      {"mariadb-install-db", "--no-defaults", "--datadir=" + data_directory(), "--user=mysql",
       "--tmpdir=" + dir_.path().string(), "--auth-root-authentication-method=normal",
       "--skip-test-db", "--innodb-log-file-size=64M"},
      "mysql", dir_.path().string());
}

std::vector<std::string> MariaDbServer::command() const {
  return joined(
      {"mariadbd", "--no-defaults", "--datadir=" + data_directory(), "--socket=" + socket(),
       "--port=" + std::to_string(port_), "--bind-address=127.0.0.1",
       // A server that starts deletes the temporary files of others in its tmpdir.
       "--tmpdir=" + dir_.path().string(), "--pid-file=" + (dir_ / "mysqld.pid"),
       "--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=128M",
       "--innodb-log-file-size=64M", "--character-set-server=utf8mb4", "--skip-name-resolve"},
      options_);
}

std::vector<std::string> MariaDbServer::tool(const std::string& name) const {
  return {name, "--no-defaults", "--socket=" + socket(), "-uroot"};
}

std::vector<std::string> MariaDbServer::client(const std::string& statements) const {
  return joined(tool("mariadb"),
                {"-N", "-B", "--default-character-set=utf8mb4", "test", "-e", statements});
}

bool MariaDbServer::answers() const {
  return ChildProcess(joined(tool("mariadb-admin"), {"--silent", "ping"}), {.output = "/dev/null"})
             .wait() == 0;
}

void MariaDbServer::create_database() {
  run_command(
      joined(tool("mariadb"), {"-e",
                               "CREATE DATABASE test CHARACTER SET utf8mb4; "
                               "CREATE USER tidemark@'127.0.0.1' IDENTIFIED BY 'tidemark'; "
                               "GRANT ALL ON *.* TO tidemark@'127.0.0.1' WITH GRANT OPTION;"}));
}

PostgresServer& shared_postgres() {
  static PostgresServer server({"fsync=off", "max_prepared_transactions=10"});
  [[maybe_unused]] static const bool started = (server.start(), true);
  return server;
}

MariaDbServer& shared_mariadb() {
  static MariaDbServer server;
  [[maybe_unused]] static const bool started = (server.start(), true);
  return server;
}

}  // namespace tidemark::test
