#include "contract/harness.h"

#include "connector/sqlite/connection.h"
#include "connector/sqlite/dialect.h"
#include "support/servers.h"

namespace tidemark {

ConnectorInfo sqlite_connector();

namespace test {
namespace {

/// The SQLite connector in the contract suite: a file of this process's own.
class SqliteHarness final : public Harness {
 public:
  SqliteHarness() {
    sqlite::Connection(settings().path, sqlite::Connection::Opening::create,
                       std::chrono::seconds(10));
  }

  ConnectorInfo connector() const override { return sqlite_connector(); }
  ConnectionSettings settings() const override {
    ConnectionSettings settings;
    settings.name = ConnectionName("sqlite");
    settings.type = "sqlite";
    settings.path = dir_ / "contract.db";
    return settings;
  }
  ConnectionSettings incomplete() const override {
    ConnectionSettings settings = this->settings();
    settings.path.clear();
    return settings;
  }
  std::string slow_query() const override {
    return "WITH RECURSIVE n(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < 10000000000) "
           "SELECT MAX(v) AS v FROM n";
  }
  void add_unique(const TableName& table, const std::string& column) override {
    const sqlite::SqliteDialect dialect;
    sqlite::Connection(settings().path, sqlite::Connection::Opening::read_write,
                       std::chrono::seconds(10))
        .execute("CREATE UNIQUE INDEX " + dialect.quote(table.name + "_" + column) + " ON " +
                 dialect.quote(table.name) + " (" + dialect.quote(column) + ")");
  }
  std::vector<Quirk> quirks() const override {
    return {{"password", "a file has no logins"},
            {"killed", "a file has no server that could end a session"},
            {"leftovers", "a file has no server that could count sessions"},
            {"side-by-side", "a file has one writer at a time"}};
  }

 private:
  TempDir dir_;
};

}  // namespace

std::unique_ptr<Harness> make_harness() {
  return std::make_unique<SqliteHarness>();
}

}  // namespace test
}  // namespace tidemark
