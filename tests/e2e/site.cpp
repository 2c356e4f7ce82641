#include "site.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace tidemark::e2e {
namespace {

constexpr const char* tables = R"(
PRAGMA journal_mode = WAL;
CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR(60), amount INTEGER,
                    updated_at DATETIME NOT NULL);
CREATE TABLE log (id INTEGER PRIMARY KEY AUTOINCREMENT, word VARCHAR(60) NOT NULL);
)";

}  // namespace

Sqlite::Sqlite(const std::string& path) {
  sqlite3* handle = nullptr;
  const int result = sqlite3_open(path.c_str(), &handle);
  handle_.reset(handle);
  if (result != SQLITE_OK) throw std::runtime_error("can't open " + path);
  sqlite3_busy_timeout(handle, 20'000);
}

void Sqlite::execute(const std::string& statements) {
  char* text = nullptr;
  if (sqlite3_exec(handle_.get(), statements.c_str(), nullptr, nullptr, &text) == SQLITE_OK) return;
  const std::string message = text == nullptr ? "SQLite failed" : text;
  sqlite3_free(text);
  throw std::runtime_error(message);
}

std::vector<std::string> Sqlite::rows(const std::string& query) {
  sqlite3_stmt* statement = nullptr;
  std::vector<std::string> result;
  if (sqlite3_prepare_v2(handle_.get(), query.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    return result;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    std::string row;
    for (int at = 0; at < sqlite3_column_count(statement); ++at) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, at));
      row += (at == 0 ? "" : "|") + std::string(text == nullptr ? "NULL" : text);
    }
    result.push_back(std::move(row));
  }
  sqlite3_finalize(statement);
  return result;
}

std::int64_t Sqlite::number(const std::string& query) {
  const auto all = rows(query);
  return all.empty() ? 0 : std::stoll(all.front());
}

Site::Site(const std::string& daemon, const std::string& jobs)
    : daemon_(daemon), jobs_(jobs), source_(path("source.db")), target_(path("target.db")) {
  source_.execute(tables);
  target_.execute("PRAGMA journal_mode = WAL;");
  write_config(config_text());
}

std::string Site::config_text() const {
  return fmt::format(R"(version: 1
daemon:
  instance: e2e
  listen: 127.0.0.1:{0}
  socket: {1}
  state_dir: {2}
  log: {{level: debug, format: text}}
{3}
connections:
  source: {{type: sqlite, path: {4}, access: read}}
  target: {{type: sqlite, path: {5}}}
defaults:
  source: {{connection: source}}
  target: {{connection: target}}
  schedule: {{every: 1s}}
  retry: {{initial: 100ms, max: 1s, attempts: 3}}
jobs:
  items:
    source: {{table: items}}
    target: {{table: items}}
    mode: incremental
    cursor: {{column: updated_at, assume: [server_assigned, every_write_moves_it, single_timezone]}}
  log:
    source: {{table: log}}
    target: {{table: log, write: append}}
    mode: incremental
    cursor: {{column: id}}
{6})",
                     port_, socket(), path("state"), daemon_, path("source.db"), path("target.db"),
                     jobs_);
}

void Site::write_config(const std::string& text) const {
  write_file("tidemark.yaml", text);
}

void Site::write_file(const std::string& name, const std::string& text) const {
  std::ofstream(path(name)) << text;
}

CommandResult Site::command(std::vector<std::string> words, bool with_config) const {
  words.insert(words.begin(), TIDEMARK_BINARY);
  if (with_config) {
    words.emplace_back("-c");
    words.push_back(config());
  }
  return run(words);
}

test::ChildProcess Site::start(const std::vector<std::string>& environment,
                               const std::string& config_path, const std::string& log_name) const {
  return {{TIDEMARK_BINARY, "daemon", "-c", config_path.empty() ? config() : config_path},
          {.output = path(log_name.empty() ? "daemon.log" : log_name), .environment = environment}};
}

test::ChildProcess Site::start_ready(const std::vector<std::string>& environment) const {
  test::ChildProcess daemon = start(environment);
  test::wait_until("the daemon at its socket", [&] {
    if (!daemon.running()) throw std::runtime_error("the daemon ended:\n" + log());
    try {
      return client().get("/readyz").status == 200;
    } catch (const NoDaemon&) {
      return false;
    }
  });
  return daemon;
}

std::string Site::log(const std::string& name) const {
  return read_file(path(name));
}

Json Site::job(const std::string& name) const {
  return client().get("/api/v1/jobs/" + name).body;
}

std::string Site::raw(const std::string& bytes) const {
  const int handle = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  timeval limit{.tv_sec = 20, .tv_usec = 0};
  setsockopt(handle, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  std::string answer;
  if (connect(handle, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    (void)!send(handle, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(handle, buffer, sizeof(buffer), 0)) > 0;)
      answer.append(buffer, static_cast<std::size_t>(got));
  }
  close(handle);
  return answer;
}

HttpAnswer Site::http(const std::string& method, const std::string& target,
                      const std::map<std::string, std::string>& headers,
                      const std::string& body) const {
  std::string request = method + " " + target + " HTTP/1.1\r\nConnection: close\r\n";
  if (headers.count("Host") == 0) request += fmt::format("Host: 127.0.0.1:{}\r\n", port_);
  for (const auto& [name, value] : headers)
    request += name + ": " + value + "\r\n";
  if (method == "POST") request += fmt::format("Content-Length: {}\r\n", body.size());
  const std::string answer = raw(request + "\r\n" + body);
  HttpAnswer result;
  const std::size_t end = answer.find("\r\n\r\n");
  if (end == std::string::npos) return result;
  result.body = answer.substr(end + 4);
  std::istringstream lines(answer.substr(0, end));
  std::string line;
  std::getline(lines, line);
  result.status = static_cast<unsigned>(std::stoul(line.substr(9)));
  while (std::getline(lines, line)) {
    const std::size_t colon = line.find(':');
    std::string name = line.substr(0, colon), value = line.substr(colon + 2);
    std::transform(name.begin(), name.end(), name.begin(), ::tolower);
    if (!value.empty() && value.back() == '\r') value.pop_back();
    result.headers[name] = value;
  }
  return result;
}

bool Site::equal(const std::string& table) {
  const std::string columns =
      table == "items" ? "id, name, amount, strftime('%Y-%m-%d %H:%M:%f', updated_at)" : "id, word";
  const std::string query = "SELECT " + columns + " FROM " + table + " ORDER BY id";
  return source_.rows(query) == target_.rows(query);
}

void Site::wait_equal(const std::string& table, std::chrono::seconds limit) {
  test::wait_until(
      "both sides of " + table + " to be equal", [&] { return equal(table); }, limit);
}

void Site::add_items(int count, const std::string& word) {
  source_.execute(
      fmt::format("BEGIN IMMEDIATE;"
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) "
                  "INSERT INTO items (name, amount, updated_at) "
                  "SELECT '{1} ' || i, i, strftime('%Y-%m-%d %H:%M:%f', 'now') FROM n;"
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0}) "
                  "INSERT INTO log (word) SELECT '{1} ' || i FROM n; COMMIT;",
                  count, word));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

CommandResult run(const std::vector<std::string>& words) {
  test::TempDir dir;
  // stdout and stderr apart: the shell is only there to redirect, the words reach it as arguments.
  std::vector<std::string> command{
      "/bin/sh", "-c",        R"(out=$1 err=$2; shift 2; "$@" >"$out" 2>"$err")",
      "sh",      dir / "out", dir / "err"};
  command.insert(command.end(), words.begin(), words.end());
  test::ChildProcess process(command, {});
  CommandResult result;
  result.status = process.wait(std::chrono::minutes(2));
  result.out = read_file(dir / "out");
  result.err = read_file(dir / "err");
  return result;
}

}  // namespace tidemark::e2e
