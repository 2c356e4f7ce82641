#include "core/connector.h"

#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>

#include "connector/sql/select.h"
#include "connector/sqlite/dialect.h"
#include "connector/sqlite/source.h"
#include "connector/sqlite/target.h"
#include "connector/sqlite/types.h"
#include "core/error.h"

namespace tidemark {
namespace sqlite {
namespace {

[[noreturn]] void refuse(const ConnectionSettings& settings, FailureKind kind,
                         const std::string& message, const std::string& hint) {
  throw Error({.kind = kind,
               .message = "connection " + settings.name.text + ": " + message,
               .operation = "open",
               .hint = hint});
}

/// A file on this machine. Holds no session.
class SqliteConnector final : public Connector {
 public:
  explicit SqliteConnector(ConnectionSettings settings) : settings_(std::move(settings)) {}

  std::unique_ptr<Source> open_source() override {
    return std::make_unique<SqliteSource>(connect(), settings_.access == Access::write);
  }

  std::unique_ptr<Target> open_target() override {
    check_path();
    if (settings_.access == Access::read)
      refuse(settings_, FailureKind::permission, "it is declared access: read",
             "Only a connection with access: write can be a target.");
    const std::filesystem::path folder = std::filesystem::absolute(settings_.path).parent_path();
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored))
      refuse(settings_, FailureKind::schema, "the directory of " + settings_.path + " is missing",
             "Create it, or correct the path.");
    return std::make_unique<SqliteTarget>(settings_);
  }

  ConnectionFacts probe() override {
    check_path();
    ConnectionFacts facts{.server_version = std::string("SQLite ") + sqlite3_libversion(),
                          .tls = "local",
                          .identity = file_identity(settings_.path)};
    std::error_code ignored;
    if (!std::filesystem::exists(settings_.path, ignored) && settings_.access == Access::write) {
      open_target();
      facts.warnings.push_back("there is no file " + settings_.path +
                               " yet: the first run as a target makes it");
      facts.clock = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
      return facts;
    }
    const auto connection = connect();
    facts.clock = WallTime(Duration(connection->now_micros()));
    return facts;
  }

  /// A file knows no logins: what it takes are rights in the file system, under systemd too.
  std::vector<std::string> grants(const GrantNeeds& needs) const override {
    const std::filesystem::path path = std::filesystem::absolute(settings_.path);
    const std::string folder = path.parent_path().string();
    std::vector<std::string> lines;
    if (needs.target) {
      lines.push_back("# the user of the daemon needs to write " + path.string() +
                      " and to create files in " + folder);
      lines.push_back("systemctl edit tidemark  # [Service] ReadWritePaths=" + folder);
    } else {
      lines.push_back("# the user of the daemon needs to read " + path.string());
      lines.push_back("systemctl edit tidemark  # [Service] ReadOnlyPaths=" + folder +
                      "  (ReadWritePaths= where the file is in WAL mode)");
    }
    return lines;
  }

 private:
  void check_path() const {
    if (settings_.path.empty())
      refuse(settings_, FailureKind::schema, "it has no path",
             "Set connections." + settings_.name.text + ".path to the database file.");
    if (settings_.path == ":memory:" || settings_.path.starts_with("file:"))
      refuse(settings_, FailureKind::schema, "its path is not that of a file",
             "Several sessions have to see the same database: name a file.");
  }

  std::unique_ptr<Connection> connect() const {
    check_path();
    std::error_code ignored;
    if (!std::filesystem::exists(settings_.path, ignored))
      refuse(settings_, FailureKind::schema, "there is no file " + settings_.path,
             "Check the connection's path.");
    const bool write =
        settings_.access == Access::write && access(settings_.path.c_str(), W_OK) == 0;
    auto connection = std::make_unique<Connection>(
        settings_.path, write ? Connection::Opening::read_write : Connection::Opening::read_only,
        lock_wait(settings_));
    pin_session(*connection, settings_, false);
    return connection;
  }

  ConnectionSettings settings_;
};

}  // namespace
}  // namespace sqlite

ConnectorInfo sqlite_connector() {
  return {
      .type = "sqlite",
      .default_port = 0,
      .make = [](const ConnectionSettings& settings,
                 const ConnectorContext&) -> std::unique_ptr<Connector> {
        return std::make_unique<sqlite::SqliteConnector>(settings);
      },
      .types = [] { return sqlite::type_samples(); },
      .holds =
          [](const Column& column) { return sqlite::SqliteDialect().column_type(column, false); },
      .check_query =
          [](std::string_view query) { sql::check_query(query, sqlite::SqliteDialect()); }};
}

}  // namespace tidemark
