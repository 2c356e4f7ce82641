// Encrypted connections: what each mode accepts and refuses.
#include <catch2/catch.hpp>

#include "core/error.h"
#include "support.h"

using namespace tidemark;
using namespace tidemark::test;

namespace {

void make_certificate(const TempDir& dir, const std::string& name, const std::string& owner) {
  run_command({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout",
               dir / (name + ".key"), "-out", dir / (name + ".pem"), "-subj", "/CN=" + name,
               "-addext", "subjectAltName=IP:127.0.0.1"});
  run_command({"chown", owner, dir / (name + ".key"), dir / (name + ".pem")});
  run_command({"chmod", "600", dir / (name + ".key")});
}

}  // namespace

TEST_CASE("each TLS mode accepts what it says and nothing less", "[postgres][tls]") {
  const TempDir certificates;
  run_command({"chmod", "755", certificates.path().string()});
  make_certificate(certificates, "server", "postgres");
  make_certificate(certificates, "stranger", "root");
  PostgresServer server({"fsync=off", "ssl=on", "ssl_cert_file=" + (certificates / "server.pem"),
                         "ssl_key_file=" + (certificates / "server.key")});
  server.start();

  const auto kind_of = [&](TlsMode mode, const std::string& host, const std::string& ca) {
    ConnectionSettings settings = server.settings();
    settings.host = host;
    settings.tls = {.mode = mode, .ca = ca};
    CAPTURE(host, ca);
    try {
      return connect(settings)->probe().tls;
    } catch (const Error& error) {
      CHECK(error.kind() == FailureKind::tls);
      return std::string("refused");
    }
  };
  const std::string own = certificates / "server.pem";
  const std::string other = certificates / "stranger.pem";
  CHECK(kind_of(TlsMode::disable, "127.0.0.1", "") == "off");
  CHECK(kind_of(TlsMode::require, "127.0.0.1", "") == "TLSv1.3");
  CHECK(kind_of(TlsMode::verify_ca, "localhost", own) == "TLSv1.3");
  CHECK(kind_of(TlsMode::verify_ca, "127.0.0.1", other) == "refused");
  CHECK(kind_of(TlsMode::verify_full, "127.0.0.1", own) == "TLSv1.3");
  CHECK(kind_of(TlsMode::verify_full, "localhost", own) == "refused");
  // Without `ca` the system's certificates are trusted, and this one is none of them.
  CHECK(kind_of(TlsMode::verify_full, "127.0.0.1", "") == "refused");
}
