#include "site.h"

#include <fmt/format.h>

#include <fstream>
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

test::Daemon Site::start(const std::vector<std::string>& environment,
                         const std::string& config_path, const std::string& log_name) const {
  test::Daemon daemon({.config = config_path.empty() ? config() : config_path,
                       .socket = socket(),
                       .log = path(log_name.empty() ? "daemon.log" : log_name)},
                      environment);
  daemon.start();
  return daemon;
}

test::Daemon Site::start_ready(const std::vector<std::string>& environment) const {
  test::Daemon daemon = start(environment);
  daemon.wait_ready();
  return daemon;
}

std::string Site::log(const std::string& name) const {
  return read_file(path(name));
}

Json Site::job(const std::string& name) const {
  return client().get("/api/v1/jobs/" + name).body;
}

std::string Site::raw(const std::string& bytes) const {
  return test::exchange({.port = port_}, bytes);
}

HttpAnswer Site::http(const std::string& method, const std::string& target,
                      const std::map<std::string, std::string>& headers,
                      const std::string& body) const {
  return test::http({.port = port_}, method, target, headers, body);
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
