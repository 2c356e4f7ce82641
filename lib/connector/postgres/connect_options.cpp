#include "connector/postgres/connect_options.h"

#include <filesystem>

#include "core/error.h"

namespace tidemark::postgres {
namespace {

std::string_view ssl_mode(TlsMode mode) {
  switch (mode) {
    case TlsMode::disable:
      return "disable";
    case TlsMode::require:
      return "require";
    case TlsMode::verify_ca:
      return "verify-ca";
    case TlsMode::verify_full:
      return "verify-full";
  }
  return "verify-full";
}

void require(const std::string& value, std::string_view option,
             const ConnectionSettings& settings) {
  if (!value.empty()) return;
  throw Error(
      {.kind = FailureKind::schema,
       .message = "connection " + settings.name.text + " has no `" + std::string(option) + "`",
       .operation = "connect",
       .hint = "A postgres connection needs host (or unix), user and database."});
}

void add_host(const ConnectionSettings& settings, ConnectOptions& options) {
  std::uint16_t port = settings.port == 0 ? default_port : settings.port;
  if (settings.unix_socket.empty()) {
    require(settings.host, "host", settings);
    options.emplace_back("host", settings.host);
  } else {
    // libpq takes the directory; people also write the socket's whole path.
    const std::filesystem::path path(settings.unix_socket);
    const std::string file = path.filename().string();
    constexpr std::string_view prefix = ".s.PGSQL.";
    const bool is_file = file.starts_with(prefix);
    options.emplace_back("host", is_file ? path.parent_path().string() : path.string());
    if (is_file && settings.port == 0)
      port = static_cast<std::uint16_t>(std::stoul("0" + file.substr(prefix.size())));
  }
  options.emplace_back("port", std::to_string(port));
}

void add_tls(const ConnectionSettings& settings, ConnectOptions& options) {
  const TlsSettings& tls = settings.tls;
  if (!settings.unix_socket.empty()) {
    options.emplace_back("sslmode", "disable");
    return;
  }
  options.emplace_back("sslmode", ssl_mode(tls.mode));
  // With sslmode=require libpq verifies too if it finds a root certificate in the home directory;
  // what is verified must follow from our configuration alone.
  const bool verifies = tls.mode == TlsMode::verify_ca || tls.mode == TlsMode::verify_full;
  options.emplace_back("sslrootcert", !verifies        ? "/nonexistent"
                                      : tls.ca.empty() ? std::string(system_certificates)
                                                       : tls.ca);
  // Nor are the keys in that account's home directory.
  options.emplace_back("sslcert", tls.cert.empty() ? "/nonexistent" : tls.cert);
  if (!tls.key.empty()) options.emplace_back("sslkey", tls.key);
}

}  // namespace

ConnectOptions connect_options(const ConnectionSettings& settings) {
  ConnectOptions options;
  add_host(settings, options);
  require(settings.user, "user", settings);
  require(settings.database, "database", settings);
  options.emplace_back("user", settings.user);
  options.emplace_back("dbname", settings.database);
  if (!settings.password.empty()) options.emplace_back("password", settings.password.reveal());
  // A password file of the account that runs the daemon is not part of its configuration.
  options.emplace_back("passfile", "/nonexistent");
  add_tls(settings, options);
  options.emplace_back("application_name", "tidemark");
  options.emplace_back("client_encoding", "UTF8");
  options.emplace_back("gssencmode", "disable");
  options.emplace_back("keepalives", "1");
  options.emplace_back("keepalives_idle", "30");
  options.emplace_back("keepalives_interval", "10");
  options.emplace_back("keepalives_count", "3");
  options.emplace_back("tcp_user_timeout", "60000");
  return options;
}

std::vector<std::string> session_statements(Role role, Access access) {
  std::string pins =
      "SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; "
      "SET extra_float_digits = 3; SET bytea_output = 'hex'; SET client_encoding = 'UTF8'; "
      "SET lc_monetary = 'C'; SET xmloption = content; "
      "SET standard_conforming_strings = on; SET statement_timeout = 0; "
      "SET default_transaction_isolation = 'read committed'; "
      "SET default_transaction_deferrable = off; ";
  if (role == Role::target) {
    pins += "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; ";
    if (access == Access::read) pins += "SET default_transaction_read_only = on";
  } else {
    pins +=
        "SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
        "SET default_transaction_read_only = on";
  }
  return {pins};
}

}  // namespace tidemark::postgres
