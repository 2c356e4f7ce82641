#include <catch2/catch.hpp>

#include "connector/postgres/connect_options.h"
#include "connector/postgres/cursor_evidence.h"
#include "connector/postgres/grants.h"

using namespace tidemark;
using namespace tidemark::postgres;

TEST_CASE("the server's own time as a default is recognised in all its spellings", "[postgres]") {
  for (const char* expression :
       {"now()", "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP(3)", "clock_timestamp()",
        "statement_timestamp()", "transaction_timestamp()", "LOCALTIMESTAMP", "LOCALTIMESTAMP(0)",
        "CURRENT_DATE", "(now())::timestamp without time zone", "(now())::date",
        "(CURRENT_TIMESTAMP)::timestamp(3) without time zone"}) {
    CAPTURE(expression);
    const auto time = server_time(expression);
    REQUIRE(time);
    CHECK_FALSE(time->is_utc());
  }
  for (const char* expression :
       {"timezone('utc'::text, now())", "(now() AT TIME ZONE 'UTC'::text)",
        "((CURRENT_TIMESTAMP AT TIME ZONE 'Etc/UTC'::text))::timestamp(3) without time zone",
        "(timezone('utc'::text, now()))::date"}) {
    CAPTURE(expression);
    const auto time = server_time(expression);
    REQUIRE(time);
    CHECK(time->is_utc());
  }
  const auto elsewhere = server_time("timezone('Asia/Shanghai'::text, now())");
  REQUIRE(elsewhere);
  CHECK_FALSE(elsewhere->is_utc());
}

TEST_CASE("a default that only contains the time is not the time", "[postgres]") {
  for (const char* expression :
       {"", "(now() - '01:00:00'::interval)", "(now() + '1 day'::interval)", "my_now()",
        "'2024-01-01 00:00:00'::timestamp without time zone", "COALESCE(now(), now())", "(now())",
        "date_trunc('hour'::text, now())"}) {
    CAPTURE(expression);
    CHECK(server_time(expression).has_value() == (std::string(expression) == "(now())"));
  }
}

TEST_CASE("connection settings become libpq's options, and what is missing is named",
          "[postgres]") {
  ConnectionSettings settings{.name = ConnectionName("wms"), .type = "postgres"};
  settings.host = "db";
  settings.user = "sync";
  settings.database = "wms";
  settings.tls = {.mode = TlsMode::verify_full};
  const auto value = [&](const std::string& keyword) {
    for (const auto& [name, text] : connect_options(settings))
      if (name == keyword) return text;
    return std::string("<none>");
  };
  CHECK(value("sslmode") == "verify-full");
  CHECK(value("sslrootcert") == system_certificates);
  CHECK(value("port") == "5432");
  CHECK(value("application_name") == "tidemark");
  CHECK(value("password") == "<none>");
  settings.tls = {.mode = TlsMode::verify_ca, .ca = "/etc/ssl/own.pem"};
  CHECK(value("sslmode") == "verify-ca");
  CHECK(value("sslrootcert") == "/etc/ssl/own.pem");
  settings.tls = {.mode = TlsMode::require};
  CHECK(value("sslmode") == "require");
  CHECK(value("sslrootcert") == "/nonexistent");
  settings.unix_socket = "/run/postgresql/.s.PGSQL.5433";
  CHECK(value("host") == "/run/postgresql");
  CHECK(value("port") == "5433");
  CHECK(value("sslmode") == "disable");
  settings.unix_socket = "/run/postgresql";
  CHECK(value("host") == "/run/postgresql");
  settings.user.clear();
  try {
    connect_options(settings);
    FAIL("it was taken");
  } catch (const Error& error) {
    CHECK(error.kind() == FailureKind::schema);
    CHECK(std::string(error.what()).find("`user`") != std::string::npos);
  }
}

TEST_CASE("grants ask for what the job needs and no more", "[postgres]") {
  ConnectionSettings settings{.name = ConnectionName("wms"), .type = "postgres"};
  settings.user = "sync";
  settings.database = "wms";
  CHECK(grant_statements(settings, {.source = true,
                                    .source_table = TableName{"s", "t"},
                                    .proof = ProofKind::transactions}) ==
        std::vector<std::string>{"GRANT CONNECT ON DATABASE \"wms\" TO \"sync\"",
                                 "GRANT USAGE ON SCHEMA \"s\" TO \"sync\"",
                                 "GRANT SELECT ON \"s\".\"t\" TO \"sync\"",
                                 "GRANT pg_read_all_stats TO \"sync\""});
  CHECK(grant_statements(settings, {.source = true, .source_table = TableName{"s", "t"}}).size() ==
        3);
  settings.metadata_schema = "tidemark";
  CHECK(
      grant_statements(settings, {.target = true, .target_table = TableName{"s", "t"}}) ==
      std::vector<std::string>{"GRANT CONNECT ON DATABASE \"wms\" TO \"sync\"",
                               "GRANT TEMPORARY ON DATABASE \"wms\" TO \"sync\"",
                               "CREATE SCHEMA IF NOT EXISTS \"tidemark\" AUTHORIZATION \"sync\"",
                               "GRANT USAGE, CREATE ON SCHEMA \"tidemark\" TO \"sync\"",
                               "GRANT USAGE ON SCHEMA \"s\" TO \"sync\"",
                               "GRANT SELECT, INSERT, UPDATE, DELETE ON \"s\".\"t\" TO \"sync\""});
}
