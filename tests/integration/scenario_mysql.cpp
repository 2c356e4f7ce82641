#include "integration/scenario_mysql.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <stdexcept>

namespace tidemark::test::scenario {

Session::Session(const MariaDbServer& server) : mysql_(mysql_init(nullptr)) {
  if (mysql_real_connect(mysql_, nullptr, "root", "", "test", 0, server.socket().c_str(), 0) ==
      nullptr)
    throw std::runtime_error("no session: " + std::string(mysql_error(mysql_)));
}

Session::~Session() {
  if (running_.joinable()) running_.join();
  mysql_close(mysql_);
}

void Session::start(const std::string& statement) {
  failure_.clear();
  running_ = std::thread([this, statement] {
    if (mysql_query(mysql_, statement.c_str()) != 0) {
      failure_ = mysql_error(mysql_);
      return;
    }
    if (MYSQL_RES* result = mysql_store_result(mysql_)) mysql_free_result(result);
  });
}

void Session::finish() {
  running_.join();
  if (!failure_.empty()) throw std::runtime_error(failure_);
}

void Session::run(const std::string& statement) {
  start(statement);
  finish();
}

std::string Session::id() const {
  return std::to_string(mysql_thread_id(mysql_));
}

std::string yaml_of(const MariaDbServer& server, const std::string& more, const std::string& user) {
  return "{type: mysql, host: 127.0.0.1, port: " + std::to_string(server.port()) +
         ", user: " + user + ", password: {env: SCENARIO_PASSWORD}, database: test" +
         (more.empty() ? "" : ", " + more) + "}";
}

std::string yaml_of(const PostgresServer& server) {
  return "{type: postgres, host: 127.0.0.1, port: " + std::to_string(server.port()) +
         ", user: tidemark, password: {env: SCENARIO_PASSWORD}, database: test}";
}

Job::Job(const Parts& parts) {
  static std::atomic<int> number = 0;
  std::ofstream(dir_ / "tidemark.yaml")
      << "version: 1\n"
      << "daemon: {listen: none, socket: " << dir_ / "socket"
      << ", state_dir: " << dir_.path().string() << ", instance: scenario-" << ++number << "}\n"
      << "connections:\n  from: " << parts.from << "\n  to: " << parts.to << "\n"
      << parts.connections << "defaults:\n  retry: {initial: 50ms, max: 200ms, attempts: 10}\n"
      << "jobs:\n  job:\n"
      << parts.job << "    schedule: {manual: true}\n";
}

int Job::execute(const std::vector<std::string>& words) {
  std::vector<std::string> command{TIDEMARK_BINARY};
  command.insert(command.end(), words.begin(), words.end());
  command.insert(command.end(), {"-c", dir_ / "tidemark.yaml"});
  const std::string file = dir_ / "output";
  std::ofstream(file, std::ios::trunc).close();
  ChildProcess process(command, {.output = file, .environment = {"SCENARIO_PASSWORD=tidemark"}});
  const int status = process.wait(std::chrono::minutes(2));
  std::ifstream text(file);
  output_.assign(std::istreambuf_iterator<char>(text), {});
  return status;
}

int Job::run() {
  return execute({"run", "job"});
}

void Job::must_run() {
  const int status = run();
  INFO(output_);
  REQUIRE(status == 0);
}

int Job::check() {
  return execute({"check", "--connect"});
}

std::string rows_of(Server& server, const std::string& select) {
  return server.sql(select);
}

void must_arrive(Job& job, Server& source, Server& target, const std::string& select,
                 const std::string& target_select) {
  const std::string wanted = rows_of(source, select);
  std::string there;
  for (int round = 0; round < 20; ++round) {
    job.must_run();
    there = rows_of(target, target_select.empty() ? select : target_select);
    if (there == wanted) return;
  }
  INFO(job.output());
  CHECK(there == wanted);
}

}  // namespace tidemark::test::scenario
