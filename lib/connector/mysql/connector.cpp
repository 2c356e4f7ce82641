#include "core/connector.h"

#include "connector/mysql/control_session.h"
#include "connector/mysql/dialect.h"
#include "connector/mysql/sampler.h"
#include "connector/mysql/source.h"
#include "connector/mysql/target.h"
#include "connector/mysql/type_samples.h"
#include "connector/sql/checkpoint_store.h"
#include "connector/sql/select.h"

namespace tidemark {
namespace mysql {
namespace {

/// Opens sessions on one MariaDB or MySQL server; owns what they share. Any thread.
class MysqlConnector final : public Connector {
 public:
  MysqlConnector(const ConnectionSettings& settings, const ConnectorContext& context)
      : settings_(settings),
        replica_(context.primary.has_value()),
        sampler_(std::make_shared<Sampler>(
            [server = context.primary.value_or(settings)] { return open_server_view(server); })) {}

  std::unique_ptr<Source> open_source() override {
    return std::make_unique<MysqlSource>(settings_, sampler_, cursors_, replica_);
  }
  std::unique_ptr<Target> open_target() override {
    return std::make_unique<MysqlTarget>(settings_);
  }
  ConnectionFacts probe() override;
  std::vector<std::string> grants(const GrantNeeds& needs) const override;

 private:
  std::string account() const;
  std::vector<std::string> source_grants(const GrantNeeds& needs) const;
  std::vector<std::string> target_grants(const GrantNeeds& needs) const;

  ConnectionSettings settings_;
  bool replica_;
  std::shared_ptr<Sampler> sampler_;
  std::shared_ptr<MysqlSource::Cursors> cursors_ = std::make_shared<MysqlSource::Cursors>();
};

ConnectionFacts MysqlConnector::probe() {
  Session session(settings_, Role::source);
  ConnectionFacts facts;
  facts.server_version = session.server_version();
  facts.tls = session.tls();
  facts.identity = identity_of(session, session.flavor().mariadb);
  facts.clock = clock_of(session);
  if (!session.flavor().mariadb)
    facts.warnings.push_back(
        "this is MySQL: Tidemark is tested against MariaDB 10.11, and follows MySQL's "
        "documentation where the two differ");
  const auto lower_case = session.execute("SELECT @@lower_case_table_names").scalar();
  if (lower_case && lower_case != "0")
    facts.warnings.push_back("lower_case_table_names is " + *lower_case +
                             ": write table names in lower case");
  return facts;
}

std::string MysqlConnector::account() const {
  const MysqlDialect dialect({});
  // The host part is the administrator's choice.
  return dialect.quote(settings_.user) + "@'%'";
}

std::vector<std::string> MysqlConnector::source_grants(const GrantNeeds& needs) const {
  const MysqlDialect dialect({});
  std::vector<std::string> statements;
  if (needs.source_table) {
    TableName table = *needs.source_table;
    if (table.schema.empty()) table.schema = settings_.database;
    statements.push_back("GRANT SELECT ON " + dialect.table(table) + " TO " + account() + ";");
  } else {
    statements.push_back("GRANT SELECT ON " + dialect.quote(settings_.database) + ".* TO " +
                         account() + ";");
  }
  if (needs.proof == ProofKind::transactions)
    statements.push_back("GRANT PROCESS ON *.* TO " + account() + ";");
  return statements;
}

std::vector<std::string> MysqlConnector::target_grants(const GrantNeeds& needs) const {
  const MysqlDialect dialect({});
  TableName table = needs.target_table.value_or(TableName{settings_.database, ""});
  if (table.schema.empty()) table.schema = settings_.database;
  const std::string schema =
      settings_.metadata_schema.empty() ? table.schema : settings_.metadata_schema;
  std::vector<std::string> statements;
  const std::string of_table =
      table.name.empty() ? dialect.quote(table.schema) + ".*" : dialect.table(table);
  statements.push_back("GRANT SELECT, INSERT, UPDATE, DELETE" +
                       std::string(needs.creates_table ? ", CREATE, ALTER" : "") + " ON " +
                       of_table + " TO " + account() + ";");
  // A temporary table stages rows where the target has other unique indexes than the key.
  statements.push_back("GRANT CREATE TEMPORARY TABLES ON " + dialect.quote(table.schema) +
                       ".* TO " + account() + ";");
  statements.push_back("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON " +
                       dialect.quote(schema) + ".* TO " + account() + ";");
  return statements;
}

std::vector<std::string> MysqlConnector::grants(const GrantNeeds& needs) const {
  std::vector<std::string> statements;
  if (needs.source) statements = source_grants(needs);
  if (needs.target)
    for (std::string& statement : target_grants(needs))
      statements.push_back(std::move(statement));
  return statements;
}

}  // namespace
}  // namespace mysql

namespace {

/// The newest version that is tested.
constexpr mysql::Flavor newest{.mariadb = true, .version = 101119};

}  // namespace

ConnectorInfo mysql_connector() {
  return {.type = "mysql",
          .default_port = 3306,
          .make = [](const ConnectionSettings& settings,
                     const ConnectorContext& context) -> std::unique_ptr<Connector> {
            return std::make_unique<mysql::MysqlConnector>(settings, context);
          },
          .types = &mysql::type_samples,
          .holds =
              [](const Column& column) {
                return mysql::MysqlDialect(newest).column_type(column, false);
              },
          .check_query =
              [](std::string_view query) { sql::check_query(query, mysql::MysqlDialect(newest)); }};
}

}  // namespace tidemark
