// The four TLS modes against real servers: with the right certificate, one of a wrong authority,
// one of another host, and without TLS. Nothing may fall back to plain text by itself.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "core/connector.h"
#include "core/error.h"
#include "support/servers.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

/// Two authorities; the first signs a certificate for 127.0.0.1 and one for another host.
class Certificates {
 public:
  Certificates() {
    make_authority("ca");
    make_authority("other-ca");
    make_server("server", "IP:127.0.0.1");
    make_server("elsewhere", "DNS:elsewhere.example");
    std::filesystem::permissions(dir_.path(), std::filesystem::perms::all);
  }
  std::string operator/(const std::string& name) const { return dir_ / name; }
  /// The key of `name`, owned by `user` and closed to others, as servers want it.
  std::string key_for(const std::string& name, const std::string& user) {
    const std::string copy = dir_ / (name + "-" + user + ".key");
    std::filesystem::copy_file(dir_ / (name + ".key"), copy,
                               std::filesystem::copy_options::overwrite_existing);
    run_command({"chown", user, copy});
    run_command({"chmod", "600", copy});
    return copy;
  }

 private:
  void make_authority(const std::string& name) {
    run_command({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                 "/CN=" + name, "-keyout", dir_ / (name + ".key"), "-out", dir_ / (name + ".pem")});
  }
  void make_server(const std::string& name, const std::string& alternative) {
    run_command({"openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name,
                 "-keyout", dir_ / (name + ".key"), "-out", dir_ / (name + ".csr")});
    std::ofstream(dir_ / (name + ".ext")) << "subjectAltName=" << alternative << "\n";
    run_command({"openssl", "x509", "-req", "-days", "2", "-in", dir_ / (name + ".csr"), "-CA",
                 dir_ / "ca.pem", "-CAkey", dir_ / "ca.key", "-CAcreateserial", "-extfile",
                 dir_ / (name + ".ext"), "-out", dir_ / (name + ".pem")});
  }
  TempDir dir_;
};

/// "ok <what the connector says of the channel>" or the kind of the failure.
std::string attempt(ConnectionSettings settings, TlsMode mode, const std::string& ca) {
  settings.tls.mode = mode;
  settings.tls.ca = ca;
  for (const ConnectorInfo& info : connectors()) {
    if (info.type != settings.type) continue;
    try {
      const auto connector = info.make(settings, {});
      connector->open_source();
      connector->open_target();
      return "ok " + connector->probe().tls;
    } catch (const Error& error) {
      return std::string(to_string(error.kind()));
    }
  }
  return "no such connector";
}

void check_modes(Server& right, Server& elsewhere, Server& plain, const Certificates& files) {
  const std::string ca = files / "ca.pem";
  const std::string other = files / "other-ca.pem";
  CHECK(attempt(right.settings(), TlsMode::verify_full, ca).starts_with("ok TLS"));
  CHECK(attempt(right.settings(), TlsMode::verify_ca, ca).starts_with("ok TLS"));
  CHECK(attempt(right.settings(), TlsMode::require, "").starts_with("ok TLS"));
  CHECK(attempt(right.settings(), TlsMode::disable, "") == "ok off");

  CHECK(attempt(right.settings(), TlsMode::verify_full, other) == "tls");
  CHECK(attempt(right.settings(), TlsMode::verify_ca, other) == "tls");
  CHECK(attempt(right.settings(), TlsMode::verify_full, files / "no-such.pem") == "tls");

  CHECK(attempt(elsewhere.settings(), TlsMode::verify_full, ca) == "tls");
  CHECK(attempt(elsewhere.settings(), TlsMode::verify_ca, ca).starts_with("ok TLS"));

  for (const TlsMode mode : {TlsMode::require, TlsMode::verify_ca, TlsMode::verify_full})
    CHECK(attempt(plain.settings(), mode, ca) == "tls");
}

}  // namespace

TEST_CASE("PostgreSQL keeps to its TLS mode", "[integration][tls]") {
  Certificates files;
  const auto with = [&](const std::string& name) {
    return std::vector<std::string>{"fsync=off", "ssl=on",
                                    "ssl_cert_file=" + (files / (name + ".pem")),
                                    "ssl_key_file=" + files.key_for(name, "postgres")};
  };
  PostgresServer right(with("server"));
  right.start();
  PostgresServer elsewhere(with("elsewhere"));
  elsewhere.start();
  check_modes(right, elsewhere, shared_postgres(), files);
}

TEST_CASE("MariaDB keeps to its TLS mode", "[integration][tls]") {
  Certificates files;
  const auto with = [&](const std::string& name) {
    return std::vector<std::string>{"--ssl-cert=" + (files / (name + ".pem")),
                                    "--ssl-key=" + files.key_for(name, "mysql"),
                                    "--ssl-ca=" + (files / "ca.pem")};
  };
  MariaDbServer right(with("server"));
  right.start();
  MariaDbServer elsewhere(with("elsewhere"));
  elsewhere.start();
  check_modes(right, elsewhere, shared_mariadb(), files);
}
