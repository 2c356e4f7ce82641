// The contract suite on a PostgreSQL server that the tests start.
#include "contract/harness.h"
#include "support/servers.h"

namespace tidemark {
ConnectorInfo postgres_connector();
}

namespace tidemark::test {
namespace {

/// The server's own client logs in as the same user, so its session is left out by its name.
constexpr const char* ours = "usename = 'tidemark' AND application_name = 'tidemark'";

class PostgresHarness final : public Harness {
 public:
  ConnectorInfo connector() const override { return postgres_connector(); }
  ConnectionSettings settings() const override { return shared_postgres().settings(); }
  TableName table(const std::string& name) const override { return {"public", name}; }

  std::optional<ConnectionSettings> wrong_password() const override {
    ConnectionSettings settings = this->settings();
    settings.password = Secret("wrong-password");
    return settings;
  }
  ConnectionSettings incomplete() const override {
    ConnectionSettings settings = this->settings();
    settings.database.clear();
    return settings;
  }
  std::string slow_query() const override { return "SELECT 1::bigint AS v FROM pg_sleep(30)"; }
  bool kill_sessions() override {
    shared_postgres().sql(std::string("SELECT pg_terminate_backend(pid, 10000) FROM "
                                      "pg_stat_activity WHERE ") +
                          ours);
    return true;
  }
  std::optional<std::size_t> open_sessions() override {
    return std::stoul(
        shared_postgres().sql(std::string("SELECT count(*) FROM pg_stat_activity WHERE ") + ours));
  }
  void add_unique(const TableName& table, const std::string& column) override {
    shared_postgres().sql("CREATE UNIQUE INDEX ON \"" + table.schema + "\".\"" + table.name +
                          "\" (\"" + column + "\")");
  }
};

}  // namespace

std::unique_ptr<Harness> make_harness() {
  return std::make_unique<PostgresHarness>();
}

}  // namespace tidemark::test
