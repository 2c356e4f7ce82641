#include "contract/harness.h"
#include "support/servers.h"

namespace tidemark {

ConnectorInfo mysql_connector();

namespace test {
namespace {

class MysqlHarness final : public Harness {
 public:
  ConnectorInfo connector() const override { return mysql_connector(); }
  ConnectionSettings settings() const override { return server().settings(); }
  TableName table(const std::string& name) const override { return {"test", name}; }
  std::optional<ConnectionSettings> wrong_password() const override {
    ConnectionSettings settings = server().settings();
    settings.password = Secret("wrong-password");
    return settings;
  }
  ConnectionSettings incomplete() const override {
    ConnectionSettings settings = server().settings();
    settings.database = "no_such_database";
    return settings;
  }
  std::string slow_query() const override { return "SELECT SLEEP(30) AS v"; }
  bool kill_sessions() override {
    const std::string kills = server().sql(
        "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE user = "
        "'tidemark'");
    if (!kills.empty()) server().sql(kills);
    return true;
  }
  std::optional<std::size_t> open_sessions() override {
    return std::stoul(server().sql(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'tidemark'"));
  }
  void add_unique(const TableName& table, const std::string& column) override {
    server().sql("ALTER TABLE `" + table.schema + "`.`" + table.name + "` ADD UNIQUE KEY (`" +
                 column + "`)");
  }
  std::vector<Quirk> quirks() const override {
    return {{"negative-zero", "MariaDB stores -0.0 as 0 in FLOAT and DOUBLE, whatever sends it"}};
  }

 private:
  static MariaDbServer& server() { return shared_mariadb(); }
};

}  // namespace

std::unique_ptr<Harness> make_harness() {
  return std::make_unique<MysqlHarness>();
}

}  // namespace test
}  // namespace tidemark
