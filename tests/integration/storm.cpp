#include "storm.h"

#include <libpq-fe.h>
#include <mysql.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace tidemark::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

class PostgresClient final : public Client {
 public:
  explicit PostgresClient(const PostgresServer& server)
      : connection_(PQconnectdb(("host=" + server.socket_directory() + " port=" +
                                 std::to_string(server.port()) + " user=tidemark dbname=test")
                                    .c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) throw std::runtime_error("no writer connection");
  }
  ~PostgresClient() override { PQfinish(connection_); }
  bool execute(const std::string& statement) override {
    PGresult* result = PQexec(connection_, statement.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return true;
    PQclear(PQexec(connection_, "ROLLBACK"));
    return false;
  }

 private:
  PGconn* connection_;
};

class MariaClient final : public Client {
 public:
  explicit MariaClient(const MariaDbServer& server) : connection_(mysql_init(nullptr)) {
    if (mysql_real_connect(connection_, nullptr, "root", "", "test", 0, server.socket().c_str(),
                           0) == nullptr)
      throw std::runtime_error("no writer connection");
  }
  ~MariaClient() override { mysql_close(connection_); }
  bool execute(const std::string& statement) override {
    if (mysql_query(connection_, statement.c_str()) == 0) {
      if (MYSQL_RES* result = mysql_store_result(connection_)) mysql_free_result(result);
      return true;
    }
    mysql_query(connection_, "ROLLBACK");
    return false;
  }

 private:
  MYSQL* connection_;
};

}  // namespace

seconds storm_length() {
  const char* wanted = std::getenv("TIDEMARK_STORM_SECONDS");
  return seconds(wanted == nullptr ? 20 : std::strtol(wanted, nullptr, 10));
}

milliseconds longest_hold() {
  const auto length = std::chrono::duration_cast<milliseconds>(storm_length());
  return length < std::chrono::minutes(1) ? length / 25 : seconds(5);
}

std::unique_ptr<Client> postgres_client(const PostgresServer& server) {
  return std::make_unique<PostgresClient>(server);
}
std::unique_ptr<Client> maria_client(const MariaDbServer& server) {
  return std::make_unique<MariaClient>(server);
}

Writers::Writers(const std::function<std::unique_ptr<Client>()>& connect) {
  for (int number = 1; number <= 8; ++number) {
    writers_.push_back(std::make_unique<Writer>(connect(), number));
    threads_.emplace_back([this, writer = writers_.back().get()] { writer->run(stop_); });
  }
}

void Writers::calm() {
  stop_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::size_t Writers::committed() const {
  std::size_t count = 0;
  for (const auto& writer : writers_)
    count += writer->committed();
  return count;
}

std::set<long> Writers::gone() const {
  std::set<long> all;
  for (const auto& writer : writers_)
    all.insert(writer->gone().begin(), writer->gone().end());
  return all;
}

std::map<long, std::string> orders_of(Server& server) {
  std::istringstream lines(server.sql("SELECT id, note FROM orders"));
  std::map<long, std::string> rows;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    rows[std::stol(line.substr(0, tab))] = line.substr(tab + 1);
  }
  return rows;
}

std::string difference(const std::map<long, std::string>& source,
                       const std::map<long, std::string>& target, const std::set<long>& gone) {
  for (const auto& [id, note] : source) {
    const auto found = target.find(id);
    if (found == target.end()) return "row " + std::to_string(id) + " is missing";
    if (found->second != note) return "row " + std::to_string(id) + " is an old version";
  }
  for (const auto& [id, note] : target)
    if (!source.contains(id) && !gone.contains(id))
      return "row " + std::to_string(id) + " was never committed";
  return {};
}

std::string events_of(Server& server) {
  return server.sql("SELECT id, what FROM events ORDER BY id");
}

}  // namespace tidemark::test
