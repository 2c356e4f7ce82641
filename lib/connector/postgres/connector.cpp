#include <memory>

#include "connector/postgres/connection.h"
#include "connector/postgres/dialect.h"
#include "connector/postgres/grants.h"
#include "connector/postgres/horizon.h"
#include "connector/postgres/shared.h"
#include "connector/postgres/snapshot_proof.h"
#include "connector/postgres/source.h"
#include "connector/postgres/target.h"
#include "connector/postgres/type_samples.h"
#include "connector/sql/select.h"
#include "core/connector.h"

namespace tidemark {
namespace postgres {
namespace {

class PostgresConnector final : public Connector {
 public:
  PostgresConnector(const ConnectionSettings& settings, const ConnectorContext& context)
      : settings_(settings), primary_(context.primary), shared_(std::make_shared<Shared>()) {}

  std::unique_ptr<Source> open_source() override {
    return std::make_unique<PostgresSource>(settings_, primary_, shared_);
  }
  std::unique_ptr<Target> open_target() override {
    if (settings_.access == Access::read)
      throw Error({.kind = FailureKind::schema,
                   .message = "connection " + settings_.name.text + " is for reading only",
                   .hint = "Set its `access: write`, or use another connection as target."});
    return std::make_unique<PostgresTarget>(settings_, shared_);
  }

  ConnectionFacts probe() override {
    Connection connection(settings_, Role::side, shared_->watchdog);
    ConnectionFacts facts{.server_version = "PostgreSQL " + connection.server_version_text(),
                          .tls = connection.tls(),
                          .identity = identity_of(connection),
                          .clock = clock_of(connection)};
    if (connection.server_version() < oldest_tested)
      facts.warnings.push_back("PostgreSQL before 13 is not tested");
    if (facts.tls == "off" && settings_.host != "127.0.0.1" && settings_.host != "::1" &&
        settings_.host != "localhost")
      facts.warnings.push_back("the connection is not encrypted and leaves this machine");
    const std::string encoding =
        connection.query("SELECT current_setting('server_encoding')")[0][0].c_str();
    if (encoding != "UTF8")
      facts.warnings.push_back("the database's encoding is " + encoding +
                               ": as a target it can't hold every character");
    return facts;
  }

  std::vector<std::string> grants(const GrantNeeds& needs) const override {
    return grant_statements(settings_, needs);
  }

  std::vector<std::string> cursor_column(const TableName& table,
                                         const std::string& column) override {
    Connection connection(settings_, Role::side, shared_->watchdog);
    const TableFacts facts = require_table(connection, table);
    if (facts.column(column) != nullptr)
      throw Error({.kind = FailureKind::schema,
                   .message = "the table has a column of this name already",
                   .table = table.display(),
                   .column = column,
                   .hint = "Choose another name."});
    return xid_column_statements(table, column, facts.primary_key);
  }

 private:
  static constexpr int oldest_tested = 130000;
  ConnectionSettings settings_;
  std::optional<ConnectionSettings> primary_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace
}  // namespace postgres

ConnectorInfo postgres_connector() {
  return {
      .type = "postgres",
      .default_port = postgres::default_port,
      .make = [](const ConnectionSettings& settings,
                 const ConnectorContext& context) -> std::unique_ptr<Connector> {
        return std::make_unique<postgres::PostgresConnector>(settings, context);
      },
      .types = postgres::type_samples,
      .holds = [](const Column& column) { return postgres::dialect().column_type(column, false); },
      .check_query = [](std::string_view query) { sql::check_query(query, postgres::dialect()); }};
}

}  // namespace tidemark
