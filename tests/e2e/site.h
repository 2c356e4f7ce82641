#pragma once

#include <sqlite3.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/control_client.h"
#include "support/daemon.h"
#include "support/http.h"

// What the end-to-end tests stand on: the real binary in a directory of its own, two SQLite files,
// and plain sockets. Nothing of the engine is used to look at the result.
namespace tidemark::e2e {

using Json = nlohmann::json;

/// One SQLite file, opened by the test itself.
class Sqlite {
 public:
  explicit Sqlite(const std::string& path);
  /// Throws std::runtime_error with SQLite's words.
  void execute(const std::string& statements);
  /// Rows as "a|b|c", NULL as "NULL"; no rows where the table does not exist.
  std::vector<std::string> rows(const std::string& query);
  std::int64_t number(const std::string& query);

 private:
  struct Close {
    void operator()(sqlite3* handle) const noexcept { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

struct CommandResult {
  int status = 0;
  std::string out;
  std::string err;
};

using test::HttpAnswer;

/// A directory with configuration, source and target, and the commands to work on it.
class Site {
 public:
  /// Writes a configuration with two jobs: `items` (incremental, upsert) and `log` (append).
  /// `daemon`: further lines of the daemon's section; `jobs`: further jobs, in YAML.
  explicit Site(const std::string& daemon = "", const std::string& jobs = "");

  std::string path(const std::string& name) const { return dir_ / name; }
  std::string config() const { return path("tidemark.yaml"); }
  std::string socket() const { return path("t.sock"); }
  std::uint16_t port() const { return port_; }
  Sqlite& source() { return source_; }
  Sqlite& target() { return target_; }

  std::string config_text() const;
  void write_config(const std::string& text) const;
  void write_file(const std::string& name, const std::string& text) const;

  /// `tidemark WORDS… -c config` to its end.
  CommandResult command(std::vector<std::string> words, bool with_config = true) const;
  /// Starts `tidemark daemon` without waiting for it.
  test::Daemon start(const std::vector<std::string>& environment = {},
                     const std::string& config = "", const std::string& log = "") const;
  /// Starts it and waits until it answers.
  test::Daemon start_ready(const std::vector<std::string>& environment = {}) const;
  std::string log(const std::string& name = "daemon.log") const;

  ControlClient client() const { return ControlClient(socket()); }
  Json job(const std::string& name) const;
  HttpAnswer http(const std::string& method, const std::string& target,
                  const std::map<std::string, std::string>& headers = {},
                  const std::string& body = "") const;
  /// What comes back for these bytes until the server closes.
  std::string raw(const std::string& bytes) const;

  /// Rows that both tables hold are equal and all of the source's are in the target.
  bool equal(const std::string& table);
  void wait_equal(const std::string& table, std::chrono::seconds limit = std::chrono::seconds(60));
  void add_items(int count, const std::string& word = "item");

 private:
  test::TempDir dir_;
  std::uint16_t port_ = test::free_port();
  std::string daemon_;
  std::string jobs_;
  Sqlite source_;
  Sqlite target_;
};

using test::read_file;
/// Runs any command, not through a shell.
CommandResult run(const std::vector<std::string>& words);

}  // namespace tidemark::e2e
